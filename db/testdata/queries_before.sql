-- The queries of the version before, as its processes send them while a newer one migrates and replaces them: see
-- TestQueriesOfTheVersionBefore, which writes this file at a release. Written at migration 12.

-- name: BackfillAdvance :one
UPDATE backfill SET
    after_id = $1, done = done + $2::bigint, changed = changed + $3::bigint,
    failed = failed + $4::bigint, updated_at = clock_timestamp()
WHERE kind = $5
RETURNING kind, after_id, total, done, changed, failed, started_at, updated_at, finished_at, replaced;

-- name: BackfillBegin :one

INSERT INTO backfill AS b (kind, total) VALUES ($1, (SELECT count(*) FROM organizations))
ON CONFLICT (kind) DO UPDATE SET
    after_id = '', total = EXCLUDED.total, done = 0, changed = 0, failed = 0,
    started_at = EXCLUDED.started_at, updated_at = EXCLUDED.updated_at, finished_at = NULL,
    replaced = CASE WHEN b.finished_at IS NULL THEN b.started_at END
WHERE b.finished_at IS NOT NULL OR $2::boolean OR b.updated_at < clock_timestamp() - $3::interval
RETURNING kind, after_id, total, done, changed, failed, started_at, updated_at, finished_at, replaced;

-- name: BackfillFinish :one
UPDATE backfill SET finished_at = clock_timestamp(), updated_at = clock_timestamp() WHERE kind = $1
RETURNING kind, after_id, total, done, changed, failed, started_at, updated_at, finished_at, replaced;

-- name: BackfillGet :one
SELECT kind, after_id, total, done, changed, failed, started_at, updated_at, finished_at, replaced FROM backfill WHERE kind = $1;

-- name: BackfillLock :one
SELECT kind, after_id, total, done, changed, failed, started_at, updated_at, finished_at, replaced FROM backfill WHERE kind = $1 FOR UPDATE;

-- name: OrganizationClerkIDs :many
SELECT clerk_org_id::text AS clerk_org_id FROM organizations
WHERE id = ANY($1::text[]) AND clerk_org_id IS NOT NULL;

-- name: OutboxRemaining :one
SELECT
    (SELECT count(*) FROM outbox AS o
        WHERE o.topic = $1 AND o.dirty_since <= $2::timestamptz AND o.parked_at IS NULL
            AND ($3::boolean OR o.key = ANY($4::text[])))::bigint AS dirty,
    (SELECT count(*) FROM outbox AS o
        WHERE o.topic = $1 AND o.dirty_since <= $2::timestamptz AND o.parked_at > $5::timestamptz
            AND ($3::boolean OR o.key = ANY($4::text[])))::bigint AS parked;

-- name: ClerkEventGround :one
SELECT linked.id AS organization_id, (o.key IS NOT NULL)::boolean AS known, o.synced_at,
    EXISTS (SELECT FROM clerk_event AS e WHERE e.id = $1)::boolean AS handled,
    EXISTS (
        SELECT FROM clerk_event AS e
        WHERE e.organization = about.organization AND e.type = 'organization.deleted'
    )::boolean AS deleted,
    EXISTS (SELECT FROM organizations AS other WHERE other.clerk_org_id IS NULL)::boolean AS any_unlinked
FROM (SELECT $2::text AS organization) AS about
LEFT JOIN organizations AS linked ON linked.clerk_org_id = about.organization
LEFT JOIN outbox AS o ON o.topic = $3 AND o.key = about.organization;

-- name: ClerkEventInsert :execrows

INSERT INTO clerk_event (id, type, organization) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: ClerkEventLock :exec
SELECT pg_advisory_xact_lock(hashtext('clerk_event'), hashtext($1::text));

-- name: DestinationBlame :one
INSERT INTO destination AS d (topic, failing_keys, missing_keys)
VALUES ($1, CASE WHEN $2::boolean THEN '{}'::text[] ELSE ARRAY[$3::text] END,
    CASE WHEN $2::boolean THEN ARRAY[$3::text] ELSE '{}'::text[] END)
ON CONFLICT (topic) DO UPDATE SET
    failing_keys = CASE WHEN cardinality(d.failing_keys) >= $4::integer OR d.failing_keys @> EXCLUDED.failing_keys
        THEN d.failing_keys ELSE d.failing_keys || EXCLUDED.failing_keys END,
    missing_keys = CASE WHEN cardinality(d.missing_keys) >= $4::integer OR d.missing_keys @> EXCLUDED.missing_keys
        THEN d.missing_keys ELSE d.missing_keys || EXCLUDED.missing_keys END
RETURNING cardinality(failing_keys)::integer AS failing, cardinality(missing_keys)::integer AS missing,
    COALESCE(open_cause = 'configuration', false)::boolean AS misconfigured;

-- name: DestinationClose :one
WITH open AS (
    SELECT d.topic, d.opened_at, d.open_cause, d.queue_paused_at FROM destination AS d
    WHERE d.topic = $1 AND d.opened_at IS NOT NULL AND d.open_cause::text = ANY($2::text[])
    FOR NO KEY UPDATE OF d
)
UPDATE destination AS d SET
    opened_at = NULL, open_cause = NULL, open_reason = NULL, probe_at = NULL, probes = 0, queue_paused_at = NULL,
    failing_keys = '{}', missing_keys = '{}'
FROM open
WHERE d.topic = open.topic
RETURNING open.queue_paused_at, open.open_cause::breaker_cause AS cause,
    (clock_timestamp() - open.opened_at)::interval AS lasted;

-- name: DestinationEnsure :exec

INSERT INTO destination (topic) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: DestinationGet :one
SELECT clock_timestamp()::timestamptz AS now, blocked_until, blocked_reason, opened_at, open_cause, open_reason, probe_at,
    probes, queue_paused_at,
    regrown(rate_factor, rate_factor_at, $1)::float8 AS rate_factor
FROM destination WHERE topic = $2;

-- name: DestinationHoldBack :one
INSERT INTO destination AS d (topic, blocked_until, blocked_reason, rate_factor, rate_factor_at)
VALUES ($1, clock_timestamp() + $2::interval, $3::text, $4::float8, clock_timestamp() + $2::interval)
ON CONFLICT (topic) DO UPDATE SET
    blocked_until = GREATEST(d.blocked_until, EXCLUDED.blocked_until),
    blocked_reason = CASE WHEN d.blocked_until >= EXCLUDED.blocked_until THEN d.blocked_reason
        ELSE EXCLUDED.blocked_reason END,
    rate_factor = CASE WHEN d.blocked_until > clock_timestamp() THEN d.rate_factor
        ELSE GREATEST($5::float8, $4::float8 * regrown(d.rate_factor, d.rate_factor_at, $6)) END,
    rate_factor_at = GREATEST(d.blocked_until, EXCLUDED.blocked_until)
RETURNING rate_factor, blocked_until::timestamptz AS blocked_until;

-- name: DestinationOpen :one
INSERT INTO destination AS d (topic, opened_at, open_cause, open_reason, probe_at)
VALUES ($1, clock_timestamp(), $2, $3::text, clock_timestamp() + $4::interval)
ON CONFLICT (topic) DO UPDATE SET
    opened_at = COALESCE(d.opened_at, EXCLUDED.opened_at), open_cause = EXCLUDED.open_cause,
    open_reason = EXCLUDED.open_reason, probe_at = EXCLUDED.probe_at, probes = 0
WHERE d.opened_at IS NULL OR (EXCLUDED.open_cause = 'operator' AND d.open_cause <> 'operator')
RETURNING missing_keys, queue_paused_at;

-- name: DestinationProbeBegin :one
UPDATE destination SET
    probes = probes + 1,
    probe_at = clock_timestamp() + (0.875 + random() / 4) * LEAST(
        CASE open_cause WHEN 'outage' THEN $1::interval ELSE $2::interval END,
        $3::interval * power(1.5, LEAST(probes, 20)))
WHERE topic = $4 AND open_cause IN ('outage', 'configuration') AND probe_at <= clock_timestamp()
    AND (blocked_until IS NULL OR blocked_until <= clock_timestamp())
RETURNING probes;

-- name: DestinationProbeSoon :exec
UPDATE destination SET probe_at = clock_timestamp() WHERE topic = $1 AND open_cause IN ('outage', 'configuration');

-- name: DestinationQueuePaused :exec
UPDATE destination SET queue_paused_at = $1 WHERE topic = $2 AND opened_at IS NOT NULL;

-- name: DestinationReserve :one
WITH current AS (
    SELECT d.topic, GREATEST(d.tat, clock_timestamp() - $1::interval) AS slot,
        CASE
            WHEN d.blocked_until > clock_timestamp() THEN 'blocked'
            WHEN d.opened_at IS NOT NULL AND NOT $2::boolean THEN 'open'
            WHEN $3::boolean AND d.tat > clock_timestamp() THEN 'spent'
            ELSE 'granted'
        END AS verdict,
        d.blocked_until, d.tat,
        $4::interval / regrown(d.rate_factor, d.rate_factor_at, $5) AS spacing
    FROM destination AS d
    WHERE d.topic = $6
    FOR NO KEY UPDATE OF d
),
reserved AS (
    UPDATE destination AS d SET tat = current.slot + current.spacing
    FROM current
    WHERE d.topic = current.topic AND current.verdict = 'granted'
)
SELECT verdict::text AS verdict, COALESCE(GREATEST(interval '0', CASE verdict
        WHEN 'granted' THEN slot - clock_timestamp()
        WHEN 'blocked' THEN blocked_until - clock_timestamp()
        WHEN 'spent' THEN tat - clock_timestamp()
    END), interval '0')::interval AS wait
FROM current;

-- name: DestinationSweepBegin :one
WITH turn AS (
    UPDATE destination AS d SET sweep_at = clock_timestamp() + $1::interval
    WHERE d.topic = $2 AND d.sweep_at <= clock_timestamp() AND d.opened_at IS NULL
        AND (d.blocked_until IS NULL OR d.blocked_until <= clock_timestamp())
    RETURNING d.sweep_at
),
created AS (
    INSERT INTO destination (topic, sweep_at)
    SELECT $2, clock_timestamp() + $1::interval
    WHERE NOT EXISTS (SELECT FROM destination AS d WHERE d.topic = $2)
    ON CONFLICT DO NOTHING
    RETURNING sweep_at
)
SELECT sweep_at FROM turn UNION ALL SELECT sweep_at FROM created;

-- name: DestinationSweepEnd :exec
UPDATE destination SET sweep_at = clock_timestamp() + $1::interval WHERE topic = $2 AND sweep_at = $3;

-- name: DestinationUnblock :execrows
UPDATE destination SET blocked_until = NULL, blocked_reason = NULL, rate_factor = 1
WHERE topic = $1 AND (blocked_until > clock_timestamp() OR rate_factor < 1);

-- name: DriftCompare :many

SELECT asked.key::text AS key, o.id AS organization_id, o.certification_tier, o.compliance_score, o.insurance_valid,
    (b.key IS NOT NULL)::boolean AS marked,
    COALESCE(b.dirty_since IS NOT NULL OR b.lease_token IS NOT NULL OR b.verify_at IS NOT NULL
        OR b.synced_at >= $1::timestamptz, false)::boolean AS pending
FROM (SELECT unnest($2::text[]) AS key) AS asked
LEFT JOIN organizations AS o ON o.clerk_org_id = asked.key
LEFT JOIN outbox AS b ON b.topic = $3 AND b.key = asked.key
WHERE o.id IS NOT NULL OR b.key IS NOT NULL;

-- name: DriftLinkedAfter :many
SELECT clerk_org_id::text AS clerk_org_id FROM organizations
WHERE clerk_org_id > $1::text ORDER BY clerk_org_id LIMIT $2;

-- name: DriftReportGet :one
SELECT report, reported_at, ended_at, failure, requested_at,
    COALESCE(turn_ends > clock_timestamp(), false)::boolean AS under_way
FROM drift_check WHERE topic = $1;

-- name: DriftReportSave :exec
INSERT INTO drift_check AS d (topic, report, reported_at) VALUES ($1, $2::jsonb, $3::timestamptz)
ON CONFLICT (topic) DO UPDATE SET report = EXCLUDED.report, reported_at = EXCLUDED.reported_at
WHERE d.reported_at IS NULL OR d.reported_at <= EXCLUDED.reported_at;

-- name: DriftSummary :one
SELECT (report -> 'kinds')::jsonb AS kinds, COALESCE((report ->> 'contested')::bigint, 0)::bigint AS contested,
    (clock_timestamp() - COALESCE(reported_at, created_at))::interval AS age
FROM drift_check WHERE topic = $1;

-- name: DriftTurnBegin :one
WITH created AS (
    INSERT INTO drift_check (topic) SELECT $2
    WHERE $3::boolean AND NOT EXISTS (SELECT FROM drift_check AS d WHERE d.topic = $2)
    ON CONFLICT DO NOTHING
)
UPDATE drift_check AS d SET turn_ends = clock_timestamp() + $1::interval
WHERE d.topic = $2 AND (d.turn_ends IS NULL OR d.turn_ends <= clock_timestamp())
    AND (d.requested_at IS NOT NULL OR $3 AND clock_timestamp() >= CASE
        WHEN d.ended_at IS NULL THEN d.created_at + $4::interval
        WHEN d.failure IS NOT NULL THEN d.ended_at + $5::interval
        ELSE d.ended_at + $6::interval
    END)
RETURNING d.turn_ends::timestamptz AS turn_ends, d.requested_repair;

-- name: DriftTurnEnd :exec
UPDATE drift_check AS d SET turn_ends = NULL, requested_at = NULL, requested_repair = NULL,
    ended_at = CASE WHEN d.requested_repair IS FALSE AND $1::text IS NULL THEN d.ended_at ELSE clock_timestamp() END,
    failure = CASE WHEN d.requested_repair IS FALSE AND $1::text IS NULL THEN d.failure ELSE $1::text END
WHERE topic = $2 AND turn_ends = $3::timestamptz;

-- name: DriftTurnExtend :one
UPDATE drift_check SET turn_ends = clock_timestamp() + $1::interval
WHERE topic = $2 AND turn_ends = $3::timestamptz
RETURNING turn_ends::timestamptz AS turn_ends;

-- name: DriftTurnGiveUp :exec
UPDATE drift_check SET turn_ends = NULL WHERE topic = $1 AND turn_ends = $2::timestamptz;

-- name: FactsAssessments :many
SELECT organization_id, iso_element, status, score FROM compliance_assessments
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, iso_element;

-- name: FactsAudits :many
SELECT organization_id, completed_at, rating FROM audits
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id;

-- name: FactsCAPARecords :many
SELECT organization_id, status FROM capa_records
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id;

-- name: FactsDeleteAssessments :exec
DELETE FROM compliance_assessments WHERE organization_id = ANY($1::text[]);

-- name: FactsDeleteAudits :exec
DELETE FROM audits WHERE organization_id = ANY($1::text[]);

-- name: FactsDeleteCAPARecords :exec
DELETE FROM capa_records WHERE organization_id = ANY($1::text[]);

-- name: FactsDeleteDocuments :exec
DELETE FROM documents WHERE organization_id = ANY($1::text[]);

-- name: FactsDeleteMembers :exec
DELETE FROM organization_members WHERE organization_id = ANY($1::text[]);

-- name: FactsDeletePolicies :exec
DELETE FROM insurance_policies WHERE organization_id = ANY($1::text[]);

-- name: FactsDocuments :many

SELECT organization_id, iso_element, status, deleted FROM documents
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id;

-- name: FactsInsertAssessments :exec
INSERT INTO compliance_assessments (organization_id, iso_element, status, score)
SELECT unnest($1::text[]), unnest($2::text[])::iso_element, unnest($3::text[])::assessment_status,
    unnest($4::double precision[]);

-- name: FactsInsertAudits :exec
INSERT INTO audits (organization_id, completed_at, rating)
SELECT unnest($1::text[]), unnest($2::timestamptz[]), unnest($3::text[])::audit_rating;

-- name: FactsInsertCAPARecords :exec
INSERT INTO capa_records (organization_id, status)
SELECT unnest($1::text[]), unnest($2::text[])::capa_status;

-- name: FactsInsertDocuments :exec
INSERT INTO documents (organization_id, iso_element, status, deleted)
SELECT unnest($1::text[]), unnest($2::text[])::iso_element, unnest($3::text[])::document_status,
    unnest($4::boolean[]);

-- name: FactsInsertMembers :exec
INSERT INTO organization_members (organization_id, role, lbp_number, lbp_verified, lbp_status, lbp_expiry)
SELECT unnest($1::text[]), unnest($2::text[])::member_role, unnest($3::text[]),
    unnest($4::boolean[]), unnest($5::text[])::lbp_status, unnest($6::timestamptz[]);

-- name: FactsInsertPolicies :exec
INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
SELECT unnest($1::text[]), unnest($2::text[])::policy_type, unnest($3::text[])::numeric(12, 2),
    unnest($4::timestamptz[]);

-- name: FactsMembers :many
SELECT organization_id, role, lbp_number, lbp_verified, lbp_status, lbp_expiry FROM organization_members
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id;

-- name: FactsPolicies :many
SELECT organization_id, policy_type, coverage_amount::text AS coverage_amount, expiry_date FROM insurance_policies
WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id;

-- name: ClerkEventPrune :one
WITH pruned AS (
    DELETE FROM clerk_event WHERE id = ANY(ARRAY(
        SELECT old.id FROM clerk_event AS old
        WHERE old.received_at >= $1 AND old.received_at < now() - $2::interval
        ORDER BY old.received_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ))
    RETURNING received_at
)
SELECT count(*) AS deleted, COALESCE(max(received_at), $1)::timestamptz AS last FROM pruned;

-- name: HousekeepingBegin :one

INSERT INTO housekeeping AS h (next_at) VALUES (clock_timestamp() + $1::interval)
ON CONFLICT (one) DO UPDATE SET next_at = EXCLUDED.next_at
WHERE h.next_at <= clock_timestamp()
RETURNING next_at;

-- name: HousekeepingEnd :exec
UPDATE housekeeping SET next_at = clock_timestamp() + $1::interval WHERE next_at = $2;

-- name: OperatorActionPrune :execrows
DELETE FROM operator_action WHERE id = ANY(ARRAY(
    SELECT old.id FROM operator_action AS old
    WHERE old.at < now() - $1::interval
        AND old.id = ANY(ARRAY(SELECT first.id FROM operator_action AS first ORDER BY first.id LIMIT $2))
    FOR UPDATE SKIP LOCKED
));

-- name: OutboxActivityPrune :execrows
DELETE FROM outbox_activity AS a
USING (
    SELECT old.topic, old.begins_at, old.outcome FROM outbox_activity AS old
    WHERE old.topic = $1 AND old.begins_at < now() - $2::interval
    ORDER BY old.begins_at, old.outcome LIMIT $3 FOR UPDATE SKIP LOCKED
) AS pruned
WHERE a.topic = pruned.topic AND a.begins_at = pruned.begins_at AND a.outcome = pruned.outcome;

-- name: OutboxDeliveryPrune :one
WITH pruned AS (
    DELETE FROM outbox_delivery WHERE id = ANY(ARRAY(
        SELECT old.id FROM outbox_delivery AS old
        WHERE old.finished_at >= $1 AND old.finished_at < now() - $2::interval
        ORDER BY old.finished_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ))
    RETURNING finished_at
)
SELECT count(*) AS deleted, COALESCE(max(finished_at), $1)::timestamptz AS last FROM pruned;

-- name: ProcessPrune :execrows
DELETE FROM process WHERE id = ANY(ARRAY(
    SELECT dead.id FROM process AS dead WHERE dead.seen_at < now() - $1::interval
    LIMIT $2 FOR UPDATE SKIP LOCKED
));

-- name: OrganizationPage :many

SELECT o.id, o.name, o.clerk_org_id, o.certification_tier, o.compliance_score, o.documentation_score, o.insurance_score, o.personnel_score, o.audit_score, o.insurance_valid, o.calculated_at, o.recalculate_at, o.created_at, o.insured_until,
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM organizations AS o
LEFT JOIN outbox AS x ON x.topic = $1 AND x.key = o.clerk_org_id
WHERE o.id > $2
ORDER BY o.id
LIMIT $3;

-- name: OrganizationPageDirty :many
SELECT o.id, o.name, o.clerk_org_id, o.certification_tier, o.compliance_score, o.documentation_score, o.insurance_score, o.personnel_score, o.audit_score, o.insurance_valid, o.calculated_at, o.recalculate_at, o.created_at, o.insured_until, x.desired_version, x.synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM outbox AS x
JOIN organizations AS o ON o.clerk_org_id = x.key
WHERE x.topic = $1 AND x.dirty_since IS NOT NULL AND x.parked_at IS NULL
    AND (x.dirty_since, x.key) > ($2::timestamptz, $3::text)
ORDER BY x.dirty_since, x.key
LIMIT $4;

-- name: OrganizationPageParked :many
SELECT o.id, o.name, o.clerk_org_id, o.certification_tier, o.compliance_score, o.documentation_score, o.insurance_score, o.personnel_score, o.audit_score, o.insurance_valid, o.calculated_at, o.recalculate_at, o.created_at, o.insured_until, x.desired_version, x.synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM outbox AS x
JOIN organizations AS o ON o.clerk_org_id = x.key
WHERE x.topic = $1 AND x.parked_at IS NOT NULL
    AND (x.parked_at, x.key) > ($2::timestamptz, $3::text)
ORDER BY x.parked_at, x.key
LIMIT $4;

-- name: OrganizationPageUnlinked :many
SELECT id, name, clerk_org_id, certification_tier, compliance_score, documentation_score, insurance_score, personnel_score, audit_score, insurance_valid, calculated_at, recalculate_at, created_at, insured_until FROM organizations WHERE clerk_org_id IS NULL AND id > $1 ORDER BY id LIMIT $2;

-- name: DriftRequest :execrows
INSERT INTO drift_check AS d (topic, requested_at, requested_repair) VALUES ($1, clock_timestamp(), $2::boolean)
ON CONFLICT (topic) DO UPDATE SET requested_at = EXCLUDED.requested_at, requested_repair = EXCLUDED.requested_repair
WHERE d.requested_at IS NULL AND (d.turn_ends IS NULL OR d.turn_ends <= clock_timestamp());

-- name: OperatorActionBegin :one
INSERT INTO operator_action (operator, origin, action, target) VALUES ($1, $2, $3, $4)
RETURNING id;

-- name: OperatorActionEnd :exec
UPDATE operator_action SET result = $1::text WHERE id = $2;

-- name: OperatorActionLast :one
SELECT id, at, operator, origin, action, target, result FROM operator_action AS a
WHERE a.action = $1 AND a.target = $2 AND a.at <= $3 AND COALESCE(a.result, '') NOT LIKE 'failed%' AND a.id > (SELECT max(l.id) FROM operator_action AS l) - 10000
ORDER BY a.id DESC LIMIT 1;

-- name: OperatorActionList :many
SELECT id, at, operator, origin, action, target, result FROM operator_action WHERE id < COALESCE(NULLIF($1::bigint, 0), 9223372036854775807) ORDER BY id DESC LIMIT $2;

-- name: OrganizationCountAbout :one
SELECT reltuples::bigint AS organizations FROM pg_catalog.pg_class WHERE oid = 'organizations'::regclass;

-- name: OrganizationCountAtMost :one
SELECT count(*) FROM (SELECT FROM organizations LIMIT $1) AS organizations;

-- name: OrganizationSearch :many
WITH named AS MATERIALIZED (
    SELECT n.id FROM organizations AS n WHERE to_tsvector('simple', n.name) @@ to_tsquery('simple', $6::text) AND n.id > $1
)
SELECT o.id, o.name, o.clerk_org_id, o.certification_tier, o.compliance_score, o.documentation_score, o.insurance_score, o.personnel_score, o.audit_score, o.insurance_valid, o.calculated_at, o.recalculate_at, o.created_at, o.insured_until,
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM (
    (SELECT i.id FROM organizations AS i
    WHERE i.id > $1 AND i.id >= $2::text AND i.id < $3::text ORDER BY i.id LIMIT $4)
    UNION
    (SELECT c.id FROM organizations AS c WHERE c.clerk_org_id = $2 AND c.id > $1)
    UNION
    (SELECT named.id FROM named ORDER BY named.id LIMIT $4)
) AS found
JOIN organizations AS o ON o.id = found.id
LEFT JOIN outbox AS x ON x.topic = $5 AND x.key = o.clerk_org_id
ORDER BY o.id
LIMIT $4;

-- name: OrganizationSearchNear :many
SELECT o.id, o.name, o.clerk_org_id, o.certification_tier, o.compliance_score, o.documentation_score, o.insurance_score, o.personnel_score, o.audit_score, o.insurance_valid, o.calculated_at, o.recalculate_at, o.created_at, o.insured_until,
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM (
    SELECT near.id FROM (
        SELECT i.id, i.name, i.clerk_org_id FROM organizations AS i WHERE i.id > $1 ORDER BY i.id LIMIT $2
    ) AS near
    WHERE to_tsvector('simple', near.name) @@ to_tsquery('simple', $3::text)
        OR near.id >= $4::text AND near.id < $5::text OR near.clerk_org_id = $4
    ORDER BY near.id LIMIT $6
) AS found
JOIN organizations AS o ON o.id = found.id
LEFT JOIN outbox AS x ON x.topic = $7 AND x.key = o.clerk_org_id
ORDER BY o.id;

-- name: OrganizationUnlinkedCount :one
SELECT count(*) FROM (SELECT FROM organizations WHERE clerk_org_id IS NULL LIMIT $1) AS unlinked;

-- name: OutboxActivityCount :exec
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtext('outbox_activity'), hashtext($2)) AS mine
)
INSERT INTO outbox_activity AS a (topic, begins_at, outcome, deliveries)
SELECT d.topic, date_bin($1, d.finished_at, 'epoch'), d.outcome, count(*)
FROM outbox_delivery AS d
WHERE d.topic = $2 AND (SELECT mine FROM turn) AND d.finished_at >= $3 AND d.finished_at < now() + interval '1 hour'
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (topic, begins_at, outcome) DO UPDATE SET deliveries = EXCLUDED.deliveries
WHERE a.deliveries < EXCLUDED.deliveries;

-- name: OutboxActivityList :many
SELECT begins_at, outcome, deliveries FROM outbox_activity
WHERE topic = $1 AND begins_at >= now() - $2::interval ORDER BY begins_at, outcome;

-- name: OutboxActivitySince :one

SELECT date_bin($1, LEAST(now() - $2::interval, GREATEST(now() - interval '1 day', (
    SELECT max(begins_at) FROM outbox_activity WHERE topic = $3
))), 'epoch')::timestamptz AS since;

-- name: ProcessDeadCount :one
SELECT count(*) FROM process WHERE seen_at <= clock_timestamp() - $1::interval;

-- name: ProcessGone :exec
DELETE FROM process WHERE id = $1;

-- name: ProcessIsEldest :one
SELECT (count(*) = 0)::boolean AS eldest FROM process AS other, process AS self
WHERE self.id = $1 AND (other.started_at, other.id) < (self.started_at, self.id)
    AND other.seen_at > clock_timestamp() - $2::interval;

-- name: ProcessList :many
(SELECT id, hostname, pid, version, calls_per_second, started_at, seen_at, (clock_timestamp() - seen_at)::interval AS unseen FROM process
WHERE seen_at > clock_timestamp() - $1::interval ORDER BY started_at, id)
UNION ALL
(SELECT id, hostname, pid, version, calls_per_second, started_at, seen_at, (clock_timestamp() - seen_at)::interval AS unseen FROM process
WHERE seen_at <= clock_timestamp() - $1::interval ORDER BY seen_at DESC LIMIT $2);

-- name: ProcessSeen :exec
INSERT INTO process (id, hostname, pid, version, calls_per_second)
VALUES ($1, $2, $3, $4, $5::double precision)
ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp();

-- name: QueueJobStates :many
SELECT 'available'::text AS state, count(*) AS jobs FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'available' AND j.queue = $1 LIMIT $2) AS available
UNION ALL
SELECT 'pending', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'pending' AND j.queue = $1 LIMIT $2) AS pending
UNION ALL
SELECT 'retryable', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'retryable' AND j.queue = $1 LIMIT $2) AS retryable
UNION ALL
SELECT 'running', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'running' AND j.queue = $1 LIMIT $2) AS running
UNION ALL
SELECT 'scheduled', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'scheduled' AND j.queue = $1 LIMIT $2) AS scheduled
UNION ALL
SELECT 'discarded', count(*) FROM (
    SELECT FROM river.river_job AS j WHERE j.state = 'discarded' AND j.queue = $1 LIMIT $2) AS discarded;

-- name: QueueOldestDue :many
SELECT p.priority::smallint AS priority, COALESCE(clock_timestamp() - (
    SELECT j.scheduled_at FROM river.river_job AS j
    WHERE j.state = 'available' AND j.queue = $1 AND j.priority = p.priority ORDER BY j.scheduled_at LIMIT 1
), interval '0')::interval AS age
FROM (VALUES (1::smallint), (2), (3), (4)) AS p (priority);

-- name: QueuePause :one
SELECT q.paused_at::timestamptz AS paused_at, (d.queue_paused_at IS NOT NULL)::boolean AS by_breaker
FROM river.river_queue AS q
LEFT JOIN destination AS d ON d.topic = q.name AND d.opened_at IS NOT NULL AND d.queue_paused_at = q.paused_at
WHERE q.name = $1 AND q.paused_at IS NOT NULL;

-- name: OrganizationClaimAged :many
SELECT id, recalculate_at::timestamptz AS due_at FROM organizations
WHERE recalculate_at <= COALESCE($1::timestamptz, now()) AND id <> ALL($2::text[])
ORDER BY recalculate_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED;

-- name: OrganizationClaimLapsed :many
SELECT id, insured_until::timestamptz AS due_at FROM organizations
WHERE insured_until <= COALESCE($1::timestamptz, now()) AND id <> ALL($2::text[])
ORDER BY insured_until LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED;

-- name: OrganizationClaims :one
SELECT id, certification_tier, compliance_score, insurance_valid FROM organizations WHERE clerk_org_id = $1::text;

-- name: OrganizationClerkID :one
SELECT clerk_org_id FROM organizations WHERE id = $1 FOR SHARE;

-- name: OrganizationCount :one
SELECT count(*) AS organizations, count(*) FILTER (WHERE clerk_org_id IS NULL) AS unlinked FROM organizations;

-- name: OrganizationDelete :one
DELETE FROM organizations WHERE id = $1 RETURNING clerk_org_id;

-- name: OrganizationGetMany :many
SELECT id, name, clerk_org_id, certification_tier, compliance_score, documentation_score, insurance_score, personnel_score, audit_score, insurance_valid, calculated_at, recalculate_at, created_at, insured_until FROM organizations WHERE id = ANY($1::text[]);

-- name: OrganizationInsert :exec
INSERT INTO organizations (id, name, clerk_org_id, certification_tier)
VALUES ($1, $2, $3, $4);

-- name: OrganizationInsertMany :exec
INSERT INTO organizations (id, name, clerk_org_id, certification_tier)
SELECT unnest($1::text[]), unnest($2::text[]), NULLIF(unnest($3::text[]), ''),
    unnest($4::text[])::certification_tier;

-- name: OrganizationListAfter :many
SELECT id FROM organizations WHERE id > $1 ORDER BY id LIMIT $2;

-- name: OrganizationListByClerkID :many
SELECT id, clerk_org_id::text AS clerk_org_id FROM organizations WHERE clerk_org_id = ANY($1::text[]);

-- name: OrganizationLock :many
SELECT id, name, clerk_org_id, certification_tier, compliance_score, documentation_score, insurance_score, personnel_score, audit_score, insurance_valid, calculated_at, recalculate_at, created_at, insured_until FROM organizations WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE;

-- name: OrganizationSaveScores :exec
UPDATE organizations AS o SET
    compliance_score = s.compliance_score,
    documentation_score = s.documentation_score,
    insurance_score = s.insurance_score,
    personnel_score = s.personnel_score,
    audit_score = s.audit_score,
    insurance_valid = s.insurance_valid,
    calculated_at = $1,
    recalculate_at = NULLIF(s.recalculate_at, '0001-01-01 00:00:00+00'),
    insured_until = NULLIF(s.insured_until, '0001-01-01 00:00:00+00')
FROM (
    SELECT unnest($2::text[]) AS id,
        unnest($3::smallint[]) AS compliance_score,
        unnest($4::smallint[]) AS documentation_score,
        unnest($5::smallint[]) AS insurance_score,
        unnest($6::smallint[]) AS personnel_score,
        unnest($7::smallint[]) AS audit_score,
        unnest($8::boolean[]) AS insurance_valid,
        unnest($9::timestamptz[]) AS recalculate_at,
        unnest($10::timestamptz[]) AS insured_until
) AS s
WHERE o.id = s.id;

-- name: OrganizationUpdate :exec
UPDATE organizations SET name = $1, clerk_org_id = $2, certification_tier = $3
WHERE id = $4;

-- name: OrganizationsDue :one
SELECT
    (SELECT count(*) FROM (SELECT FROM organizations WHERE recalculate_at <= now() LIMIT $1) AS due)::bigint AS organizations,
    COALESCE(clock_timestamp() - (SELECT recalculate_at FROM organizations WHERE recalculate_at <= now()
        ORDER BY recalculate_at LIMIT 1), interval '0')::interval AS overdue;

-- name: OutboxAcknowledge :one
WITH acknowledged AS (
    UPDATE outbox AS o SET
        synced_version = lease_version,
        synced_at = clock_timestamp(),
        applied = $1::jsonb,
        dirty_since = CASE WHEN desired_version > lease_version THEN redirtied_at END,
        redirtied_at = NULL,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = 0,
        last_error = NULL
    WHERE o.topic = $2 AND o.key = $3 AND o.lease_token = $4::uuid
    RETURNING o.topic, o.key, o.synced_version, o.desired_version, o.synced_at, o.marked_priority
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, duration)
    SELECT a.topic, a.key, a.synced_version, $5::bigint, 'applied', $6, $7,
        $8
    FROM acknowledged AS a
),
acquitted AS (
    -- The destination works: what spoke against it does no more. Usually there is nothing to write.
    UPDATE destination AS d SET failing_keys = '{}', missing_keys = '{}'
    WHERE d.topic = $2 AND (d.failing_keys <> '{}' OR d.missing_keys <> '{}')
)
SELECT (desired_version > synced_version)::boolean AS still_dirty, COALESCE(marked_priority, 1)::smallint AS priority,
    synced_at::timestamptz AS synced_at
FROM acknowledged;

-- name: OutboxBacklog :one
SELECT
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = $1 AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL LIMIT $2) AS dirty)::bigint AS dirty,
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = $1 AND o.parked_at IS NOT NULL LIMIT $2) AS parked)::bigint AS parked,
    COALESCE(clock_timestamp() - oldest.dirty_since, interval '0')::interval AS oldest_dirty_age,
    COALESCE(oldest.priority, 0)::smallint AS oldest_priority
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (SELECT o.dirty_since, COALESCE(o.marked_priority, o.job_priority, 1) AS priority FROM outbox AS o
    WHERE o.topic = $1 AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL ORDER BY o.dirty_since LIMIT 1) AS oldest ON true;

-- name: OutboxClaim :one
WITH current AS (
    SELECT o.topic, o.key, o.lease_token, o.lease_version, o.leased_at, o.job_id,
        CASE
            WHEN o.parked_at IS NOT NULL THEN 'parked'
            WHEN o.dirty_since IS NULL AND (o.verify_at IS NULL OR o.verify_at > clock_timestamp()) THEN 'clean'
            WHEN o.lease_expires_at > clock_timestamp() THEN 'leased'
            WHEN d.blocked_until > clock_timestamp() THEN 'blocked'
            WHEN d.opened_at IS NOT NULL AND NOT $1::boolean THEN 'open'
            WHEN o.not_before > clock_timestamp() AND NOT $1::boolean THEN 'not_due'
            WHEN o.dirty_since IS NULL THEN 'unverified'
            WHEN o.tat - $2::interval > clock_timestamp() THEN 'paced'
            ELSE 'claimed'
        END AS verdict,
        GREATEST(o.lease_expires_at, o.not_before, d.blocked_until,
            CASE WHEN o.dirty_since IS NOT NULL THEN o.tat - $2::interval END) AS until
    FROM outbox AS o
    LEFT JOIN destination AS d ON d.topic = o.topic
    WHERE o.topic = $3 AND o.key = $4
    FOR NO KEY UPDATE OF o
),
claimed AS (
    UPDATE outbox AS o SET
        lease_token = gen_random_uuid(),
        lease_version = o.desired_version,
        leased_at = clock_timestamp(),
        lease_expires_at = clock_timestamp() + $5::interval,
        redirtied_at = NULL,
        marked_priority = NULL,
        job_id = COALESCE($6::bigint, o.job_id),
        tat = CASE WHEN current.verdict = 'claimed' THEN GREATEST(o.tat, clock_timestamp()) + $7::interval
            ELSE o.tat END,
        doubted_at = CASE WHEN o.lease_token IS NULL THEN o.doubted_at ELSE clock_timestamp() END,
        verify_at = CASE WHEN o.lease_token IS NULL THEN o.verify_at
            ELSE clock_timestamp() + $8::interval END
    FROM current
    WHERE o.topic = current.topic AND o.key = current.key AND current.verdict IN ('claimed', 'unverified')
    RETURNING o.key, o.lease_token, o.lease_version, o.dirty_since, o.failures
),
freed AS (
    -- The job is done with the row, and job_id is to be null when nothing will deliver it.
    UPDATE outbox AS o SET job_id = NULL
    FROM current
    WHERE o.topic = current.topic AND o.key = current.key AND current.verdict = 'clean' AND o.job_id = $6::bigint
),
lost AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, error, duration)
    SELECT c.topic, c.key, c.lease_version, c.job_id, 'lost', 'the lease expired without a result',
        clock_timestamp() - c.leased_at
    FROM current AS c
    WHERE c.verdict IN ('claimed', 'unverified') AND c.lease_token IS NOT NULL
)
SELECT current.verdict::text AS verdict, COALESCE(current.until, clock_timestamp())::timestamptz AS until,
    COALESCE(current.until - clock_timestamp(), interval '0')::interval AS wait,
    claimed.lease_token, claimed.lease_version, claimed.dirty_since, claimed.failures
FROM current LEFT JOIN claimed ON claimed.key = current.key;

-- name: OutboxClock :one
SELECT clock_timestamp()::timestamptz AS now;

-- name: OutboxContested :many
SELECT d.key FROM outbox_delivery AS d
WHERE d.topic = $1 AND d.key = ANY($2::text[]) AND d.outcome = 'overwritten'
    AND d.finished_at > clock_timestamp() - $3::interval
GROUP BY d.key HAVING count(*) >= $4::bigint
ORDER BY d.key;

-- name: OutboxDeliveryList :many
SELECT id, topic, key, version, job_id, outcome, status, trace_id, error, duration, finished_at FROM outbox_delivery
WHERE topic = $1 AND key = $2 AND id < COALESCE(NULLIF($3::bigint, 0), 9223372036854775807)
ORDER BY id DESC LIMIT $4;

-- name: OutboxForgive :exec
UPDATE outbox SET failures = 0, not_before = NULL
WHERE topic = $1 AND key = ANY($2::text[]) AND dirty_since IS NOT NULL AND lease_token IS NULL;

-- name: OutboxGet :one
SELECT topic, key, desired_version, synced_version, dirty_since, redirtied_at, job_id, lease_token, lease_version, leased_at, lease_expires_at, not_before, failures, last_error, parked_at, parked_reason, synced_at, created_at, doubted_at, verify_at, job_priority, tat, marked_priority, applied FROM outbox WHERE topic = $1 AND key = $2;

-- name: OutboxJobSet :exec
WITH noted AS (
    UPDATE outbox AS o SET job_id = inserted.job_id, job_priority = $2
    FROM (SELECT unnest($4::text[]) AS key, unnest($1::bigint[]) AS job_id) AS inserted
    WHERE o.topic = $3 AND o.key = inserted.key
)
UPDATE river.river_job AS j SET scheduled_at = clock_timestamp()
WHERE j.id = ANY($1::bigint[]) AND j.scheduled_at > clock_timestamp();

-- name: OutboxMark :many

INSERT INTO outbox AS o (topic, key, dirty_since, marked_priority)
SELECT $1, marked.key, clock_timestamp(), $2::smallint
FROM (SELECT unnest($3::text[]) AS key) AS marked
ON CONFLICT (topic, key) DO UPDATE SET
    desired_version = o.desired_version + 1,
    dirty_since = COALESCE(o.dirty_since, clock_timestamp()),
    redirtied_at = CASE WHEN o.dirty_since IS NOT NULL THEN COALESCE(o.redirtied_at, clock_timestamp()) END,
    marked_priority = LEAST(o.marked_priority, $2::smallint), -- null is ignored
    failures = CASE WHEN o.parked_at IS NULL THEN o.failures ELSE 0 END,
    parked_at = NULL,
    parked_reason = NULL
RETURNING o.key, o.desired_version, (o.job_id IS NULL OR o.job_priority > $2 AND o.lease_token IS NULL)::boolean AS needs_job;

-- name: OutboxPark :one
WITH parked AS (
    UPDATE outbox AS o SET
        parked_at = CASE WHEN desired_version = lease_version THEN clock_timestamp() END,
        parked_reason = CASE WHEN desired_version = lease_version THEN $1::text END,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = failures + 1,
        last_error = $2
    WHERE o.topic = $3 AND o.key = $4 AND o.lease_token = $5::uuid
    RETURNING o.topic, o.key, o.parked_at, o.marked_priority
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
    SELECT r.topic, r.key, $6, $7::bigint, 'park', $8, $9, $2, $10
    FROM parked AS r
)
SELECT (parked_at IS NULL)::boolean AS still_dirty, COALESCE(marked_priority, 1)::smallint AS priority FROM parked;

-- name: OutboxParkedList :many
SELECT page.key, page.parked_at::timestamptz AS parked_at FROM (
    (SELECT a.key, a.parked_at FROM outbox AS a
    WHERE $1::text = '' AND a.topic = $2 AND a.parked_at IS NOT NULL
        AND (a.parked_at, a.key) > ($3::timestamptz, $4::text) AND a.parked_at <= $5::timestamptz
    ORDER BY a.parked_at, a.key LIMIT $6)
    UNION ALL
    (SELECT r.key, r.parked_at FROM outbox AS r
    WHERE $1 <> '' AND r.topic = $2 AND r.parked_at IS NOT NULL AND r.parked_reason = $1
        AND (r.parked_at, r.key) > ($3, $4) AND r.parked_at <= $5
    ORDER BY r.parked_at, r.key LIMIT $6)
) AS page
ORDER BY page.parked_at, page.key;

-- name: OutboxParkedLock :many
SELECT key FROM outbox WHERE topic = $1 AND key = ANY($2::text[]) AND parked_at IS NOT NULL
ORDER BY key FOR NO KEY UPDATE;

-- name: OutboxParkedPage :many
SELECT x.key, x.parked_at::timestamptz AS parked_at, x.parked_reason::text AS reason, COALESCE(x.last_error, '')::text AS last_error,
    x.failures, COALESCE(o.id, '')::text AS organization_id, COALESCE(o.name, '')::text AS name
FROM (
    (SELECT a.topic, a.key, a.desired_version, a.synced_version, a.dirty_since, a.redirtied_at, a.job_id, a.lease_token, a.lease_version, a.leased_at, a.lease_expires_at, a.not_before, a.failures, a.last_error, a.parked_at, a.parked_reason, a.synced_at, a.created_at, a.doubted_at, a.verify_at, a.job_priority, a.tat, a.marked_priority, a.applied FROM outbox AS a
    WHERE $1::text = '' AND a.topic = $2 AND a.parked_at IS NOT NULL
        AND (a.parked_at, a.key) > ($3::timestamptz, $4::text)
    ORDER BY a.parked_at, a.key LIMIT $5)
    UNION ALL
    (SELECT r.topic, r.key, r.desired_version, r.synced_version, r.dirty_since, r.redirtied_at, r.job_id, r.lease_token, r.lease_version, r.leased_at, r.lease_expires_at, r.not_before, r.failures, r.last_error, r.parked_at, r.parked_reason, r.synced_at, r.created_at, r.doubted_at, r.verify_at, r.job_priority, r.tat, r.marked_priority, r.applied FROM outbox AS r
    WHERE $1 <> '' AND r.topic = $2 AND r.parked_at IS NOT NULL AND r.parked_reason = $1
        AND (r.parked_at, r.key) > ($3, $4)
    ORDER BY r.parked_at, r.key LIMIT $5)
) AS x
LEFT JOIN organizations AS o ON o.clerk_org_id = x.key
ORDER BY x.parked_at, x.key;

-- name: OutboxParkedReasons :many
WITH RECURSIVE reasons AS (
    (SELECT o.parked_reason FROM outbox AS o
    WHERE o.topic = $1 AND o.parked_at IS NOT NULL ORDER BY o.parked_reason LIMIT 1)
    UNION ALL
    SELECT (SELECT o.parked_reason FROM outbox AS o
        WHERE o.topic = $1 AND o.parked_at IS NOT NULL AND o.parked_reason > r.parked_reason ORDER BY o.parked_reason LIMIT 1)
    FROM reasons AS r WHERE r.parked_reason IS NOT NULL
)
SELECT r.parked_reason::text AS reason,
    (SELECT count(*) FROM (SELECT FROM outbox AS o
        WHERE o.topic = $1 AND o.parked_at IS NOT NULL AND o.parked_reason = r.parked_reason LIMIT $2) AS counted)::bigint AS rows,
    (SELECT o.parked_at FROM outbox AS o
        WHERE o.topic = $1 AND o.parked_at IS NOT NULL AND o.parked_reason = r.parked_reason
        ORDER BY o.parked_at DESC LIMIT 1)::timestamptz AS last_parked_at
FROM reasons AS r WHERE r.parked_reason IS NOT NULL
ORDER BY rows DESC, reason;

-- name: OutboxProbeKey :one
(SELECT candidate.key FROM (
    SELECT o.key, o.failures FROM outbox AS o
    WHERE o.topic = $1 AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL
        AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
        AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() + $2::interval)
        AND (o.tat IS NULL OR o.tat - $3::interval <= clock_timestamp())
    ORDER BY o.dirty_since, o.key LIMIT 100
) AS candidate ORDER BY candidate.failures, random() LIMIT 1)
UNION ALL
(SELECT o.key FROM outbox AS o
WHERE o.topic = $1 AND o.verify_at <= clock_timestamp() AND o.dirty_since IS NULL AND o.parked_at IS NULL
ORDER BY o.verify_at, o.key LIMIT 1)
LIMIT 1;

-- name: OutboxRecordFenced :exec
WITH fenced AS (
    UPDATE outbox AS o SET
        doubted_at = CASE WHEN $7::boolean THEN clock_timestamp() ELSE o.doubted_at END,
        verify_at = CASE WHEN $7::boolean THEN clock_timestamp() ELSE o.verify_at END
    WHERE o.topic = $8 AND o.key = $9
    RETURNING o.topic, o.key
)
INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
SELECT f.topic, f.key, $1, $2::bigint, 'fenced', $3, $4,
    $5, $6
FROM fenced AS f;

-- name: OutboxRelease :one
WITH released AS (
    UPDATE outbox AS o SET
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = clock_timestamp() + CASE WHEN fault.excuses THEN interval '0' ELSE $1::interval END,
        failures = failures + CASE WHEN $2::boolean OR fault.excuses THEN 0 ELSE 1 END,
        last_error = $3,
        doubted_at = CASE WHEN $4::boolean THEN clock_timestamp() ELSE o.doubted_at END,
        verify_at = CASE WHEN $4::boolean THEN clock_timestamp() + $5::interval ELSE o.verify_at END
    FROM (SELECT $9::boolean AND EXISTS (
        SELECT FROM destination AS d WHERE d.topic = $6 AND d.open_cause = 'configuration') AS excuses) AS fault
    WHERE o.topic = $6 AND o.key = $7 AND o.lease_token = $8::uuid
    RETURNING o.topic, o.key, o.not_before
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, error, duration)
    SELECT r.topic, r.key, $10, $11::bigint, $12, $13, $14, $3, $15
    FROM released AS r
)
SELECT not_before::timestamptz AS not_before FROM released;

-- name: OutboxSuspect :many
WITH suspect AS (
    SELECT o.topic, o.key, o.job_id, o.job_priority, COALESCE(o.lease_expires_at > clock_timestamp(), false) AS at_work
    FROM outbox AS o
    WHERE o.topic = $2 AND o.key = ANY($3::text[]) AND o.parked_at IS NULL
        AND (o.dirty_since IS NULL OR o.lease_expires_at > clock_timestamp())
    ORDER BY o.key
    FOR NO KEY UPDATE OF o
),
judged AS (
    SELECT s.topic, s.key, s.job_id, s.job_priority, s.at_work, (
        SELECT count(*) FROM outbox_delivery AS d
        WHERE d.topic = s.topic AND d.key = s.key AND d.outcome = 'overwritten'
            AND d.finished_at > clock_timestamp() - $4::interval
    ) >= $5::bigint AS contested
    FROM suspect AS s
),
suspected AS (
    UPDATE outbox AS o SET
        doubted_at = COALESCE(o.doubted_at, clock_timestamp() - $6::interval),
        verify_at = clock_timestamp(),
        not_before = CASE WHEN judged.at_work THEN o.not_before END
    FROM judged
    WHERE o.topic = judged.topic AND o.key = judged.key AND NOT judged.contested
)
SELECT key, contested::boolean AS contested,
    (NOT at_work AND (job_id IS NULL OR job_priority > $1::smallint))::boolean AS needs_job
FROM judged ORDER BY key;

-- name: OutboxSweep :many
SELECT o.key, o.dirty_since::timestamptz AS dirty_since,
    LEAST(o.marked_priority, CASE WHEN o.job_id IS NULL THEN 1 ELSE o.job_priority END)::smallint AS priority,
    (live.id IS NULL)::boolean AS lost
FROM outbox AS o
LEFT JOIN river.river_job AS live ON live.id = o.job_id
    AND (live.state = 'running' AND live.attempted_at > clock_timestamp() - $1::interval
        OR live.scheduled_at <= clock_timestamp() + $2::interval
            AND (live.state IN ('available', 'pending') OR live.state IN ('scheduled', 'retryable')
                AND live.scheduled_at >= clock_timestamp() - $2::interval))
WHERE o.topic = $3
    AND (o.dirty_since, o.key) > ($4::timestamptz, $5::text)
    AND o.dirty_since IS NOT NULL AND o.parked_at IS NULL
    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
    AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() - $6::interval)
    AND (live.id IS NULL OR o.marked_priority < o.job_priority)
ORDER BY o.dirty_since, o.key
LIMIT $7
FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: OutboxSweepUnverified :many
SELECT o.key
FROM outbox AS o
WHERE o.topic = $1
    AND o.verify_at <= clock_timestamp() AND o.dirty_since IS NULL AND o.parked_at IS NULL
    AND (o.lease_expires_at IS NULL OR o.lease_expires_at <= clock_timestamp())
    AND (o.not_before IS NULL OR o.not_before <= clock_timestamp() - $2::interval)
    AND NOT EXISTS (
        SELECT FROM river.river_job AS j
        WHERE j.id = o.job_id
            AND (j.state = 'running' AND j.attempted_at > clock_timestamp() - $3::interval
                OR j.scheduled_at <= clock_timestamp() + $4::interval
                    AND (j.state IN ('available', 'pending') OR j.state IN ('scheduled', 'retryable')
                        AND j.scheduled_at >= clock_timestamp() - $4::interval))
    )
ORDER BY o.verify_at, o.key
LIMIT $5
FOR NO KEY UPDATE OF o SKIP LOCKED;

-- name: OutboxVerify :one
WITH held AS (
    SELECT o.topic, o.key, o.dirty_since IS NOT NULL AS marked, o.job_priority
    FROM outbox AS o
    WHERE o.topic = $1 AND o.key = $2 AND o.lease_token = $3::uuid
    FOR NO KEY UPDATE OF o
),
verified AS (
    UPDATE outbox AS o SET
        desired_version = desired_version + CASE WHEN NOT $4::boolean AND dirty_since IS NULL THEN 1 ELSE 0 END,
        dirty_since = CASE WHEN $4::boolean THEN dirty_since ELSE COALESCE(dirty_since, clock_timestamp()) END,
        redirtied_at = NULL,
        job_id = NULL,
        lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
        not_before = NULL,
        failures = 0,
        last_error = NULL,
        doubted_at = CASE WHEN verify_at > leased_at OR doubted_at + $5::interval > leased_at THEN doubted_at END,
        verify_at = CASE WHEN verify_at > leased_at THEN verify_at
            WHEN doubted_at + $5::interval > leased_at
            THEN doubted_at + GREATEST($6::interval, (leased_at - doubted_at) * 3) END
    FROM held
    WHERE o.topic = held.topic AND o.key = held.key
    RETURNING o.topic, o.key, o.dirty_since, (CASE WHEN held.marked THEN COALESCE(o.marked_priority, 1) ELSE held.job_priority END)::smallint AS priority
),
recorded AS (
    INSERT INTO outbox_delivery (topic, key, version, job_id, outcome, status, trace_id, duration)
    SELECT v.topic, v.key, $7, $8::bigint,
        CASE WHEN $4::boolean THEN 'verified' ELSE 'overwritten' END::delivery_outcome,
        $9, $10, $11
    FROM verified AS v
)
SELECT (dirty_since IS NOT NULL)::boolean AS still_dirty, priority FROM verified;
