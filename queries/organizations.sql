-- What each statement that writes says by claimsync.statement is told in facts.sql.

-- name: OrganizationInsert :exec
INSERT INTO organizations (id, name, clerk_org_id, certification_tier)
SELECT @id::text, @name::text, sqlc.narg(clerk_org_id)::text, @certification_tier::certification_tier
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: OrganizationInsertMany :exec
-- An empty clerk_org_id means none.
INSERT INTO organizations (id, name, clerk_org_id, certification_tier)
SELECT unnest(@ids::text[]), unnest(@names::text[]), NULLIF(unnest(@clerk_org_ids::text[]), ''),
    unnest(@certification_tiers::text[])::certification_tier
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: OrganizationUpdate :exec
UPDATE organizations SET name = @name, clerk_org_id = sqlc.narg(clerk_org_id), certification_tier = @certification_tier
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE id = @id;

-- name: OrganizationDelete :one
DELETE FROM organizations USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE id = @id RETURNING clerk_org_id;

-- name: OrganizationGetMany :many
SELECT * FROM organizations WHERE id = ANY(@ids::text[]);

-- name: OrganizationClerkID :one
-- Locked, so that the organization is not linked elsewhere until it is marked.
SELECT clerk_org_id FROM organizations WHERE id = @id FOR SHARE;

-- name: OrganizationLock :many
-- In the order of their ids, so that two transactions locking several take them in one order. NO KEY UPDATE: the
-- foreign keys of facts that others insert meanwhile do not wait for us, nor we for them.
SELECT * FROM organizations WHERE id = ANY(@ids::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: OrganizationListAfter :many
-- Ids only, for walking the whole table in batches.
SELECT id FROM organizations WHERE id > @after_id ORDER BY id LIMIT @max_rows;

-- name: OrganizationCount :one
SELECT count(*) AS organizations, count(*) FILTER (WHERE clerk_org_id IS NULL) AS unlinked FROM organizations;

-- name: OrganizationListByClerkID :many
SELECT id, clerk_org_id::text AS clerk_org_id FROM organizations WHERE clerk_org_id = ANY(@clerk_org_ids::text[]);

-- name: OrganizationSaveScores :exec
-- recalculate_at, insured_until: the zero time of Go means none. calculated_at moves even where the scores do not: under REPEATABLE
-- READ it is the conflict by which a second calculation that missed our facts is refused.
UPDATE organizations AS o SET
    compliance_score = s.compliance_score,
    documentation_score = s.documentation_score,
    insurance_score = s.insurance_score,
    personnel_score = s.personnel_score,
    audit_score = s.audit_score,
    insurance_valid = s.insurance_valid,
    calculated_at = @calculated_at,
    recalculate_at = NULLIF(s.recalculate_at, '0001-01-01 00:00:00+00'),
    insured_until = NULLIF(s.insured_until, '0001-01-01 00:00:00+00')
FROM (
    SELECT unnest(@ids::text[]) AS id,
        unnest(@compliance_scores::smallint[]) AS compliance_score,
        unnest(@documentation_scores::smallint[]) AS documentation_score,
        unnest(@insurance_scores::smallint[]) AS insurance_score,
        unnest(@personnel_scores::smallint[]) AS personnel_score,
        unnest(@audit_scores::smallint[]) AS audit_score,
        unnest(@insurance_valids::boolean[]) AS insurance_valid,
        unnest(@recalculate_ats::timestamptz[]) AS recalculate_at,
        unnest(@insured_untils::timestamptz[]) AS insured_until
) AS s, set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE o.id = s.id;

-- name: OrganizationClaimLapsed :many
-- Organizations whose insurance has run out since they were calculated, longest ago first. Those that another transaction
-- has locked are left to it, or to the next time. now() and not clock_timestamp(): that no index could be searched for.
SELECT id, insured_until::timestamptz AS due_at FROM organizations
WHERE insured_until <= COALESCE(sqlc.narg(now)::timestamptz, now()) AND id <> ALL(@skipped::text[])
ORDER BY insured_until LIMIT @max_rows FOR NO KEY UPDATE SKIP LOCKED;

-- name: OrganizationClaimAged :many
-- As OrganizationClaimLapsed, of those of which anything has changed by time.
SELECT id, recalculate_at::timestamptz AS due_at FROM organizations
WHERE recalculate_at <= COALESCE(sqlc.narg(now)::timestamptz, now()) AND id <> ALL(@skipped::text[])
ORDER BY recalculate_at LIMIT @max_rows FOR NO KEY UPDATE SKIP LOCKED;

-- name: OrganizationsAnyDue :one
-- Whether anything is due at all, even if somebody has locked it. The orders have indexes used: PostgreSQL would expect to
-- come upon something soon, and read all tables to their ends.
SELECT ((SELECT o.id FROM organizations AS o WHERE o.insured_until <= now() ORDER BY o.insured_until LIMIT 1) IS NOT NULL
    OR (SELECT o.id FROM organizations AS o WHERE o.recalculate_at <= now() ORDER BY o.recalculate_at LIMIT 1) IS NOT NULL
    OR (SELECT c.id FROM organization_change AS c ORDER BY c.bulk, c.id LIMIT 1) IS NOT NULL)::boolean AS due;

-- name: OrganizationsDue :one
-- How many are due and have not been calculated yet, counted no further than most, and how long the one has been that is
-- due for longest: by time, or because a foreign writer has changed something, of the first most of either kind.
SELECT
    LEAST(@most, (SELECT count(*) FROM (SELECT FROM organizations WHERE recalculate_at <= now() ORDER BY recalculate_at LIMIT @most) AS due)
        + (SELECT count(*) FROM (SELECT FROM organization_change AS w ORDER BY w.bulk, w.id LIMIT @most) AS changed))::bigint AS organizations,
    GREATEST(interval '0', clock_timestamp() - LEAST(
        (SELECT recalculate_at FROM organizations WHERE recalculate_at <= now() ORDER BY recalculate_at LIMIT 1),
        (SELECT min(c.changed_at) FROM (
            SELECT q.changed_at FROM organization_change AS q WHERE NOT q.bulk ORDER BY q.bulk, q.id LIMIT @most) AS c),
        (SELECT min(c.changed_at) FROM (
            SELECT q.changed_at FROM organization_change AS q WHERE q.bulk ORDER BY q.bulk, q.id LIMIT @most) AS c)))::interval AS overdue;

-- name: OrganizationClaims :many
-- What Clerk organizations' tokens are to say, and the instant that it is true for. That is before the snapshot was taken,
-- so that whatever was committed by then is in it: now(), and not statement_timestamp() or clock_timestamp(), which are after.
SELECT clerk_org_id::text AS clerk_org_id, id, certification_tier, compliance_score, insurance_valid, now()::timestamptz AS as_of
FROM organizations WHERE clerk_org_id = ANY(@clerk_org_ids::text[]);
