-- Drift: comparing what Clerk has with what the database says. All times are the database's.

-- name: DriftCompare :many
-- What the database says of Clerk organizations, those left out of which it knows nothing. It is pending, and what Clerk
-- was seen to have says nothing, unless the last push was confirmed before Clerk was asked and nothing has come since:
-- no change, no push under way, none of unknown fate. One statement, so that a change is seen with its mark or not at all;
-- what a foreign writer has changed is to be marked while it is in the queue.
SELECT asked.key::text AS key, o.id AS organization_id, o.certification_tier, o.compliance_score, o.insurance_valid,
    (b.key IS NOT NULL)::boolean AS marked,
    COALESCE(b.dirty_since IS NOT NULL OR b.lease_token IS NOT NULL OR b.verify_at IS NOT NULL
        OR b.synced_at >= @asked_at::timestamptz
        OR asked.key IN (SELECT c.clerk_org_id FROM organization_change AS c WHERE c.clerk_org_id = ANY(@keys::text[])),
        false)::boolean AS pending
FROM (SELECT unnest(@keys::text[]) AS key) AS asked
LEFT JOIN organizations AS o ON o.clerk_org_id = asked.key
LEFT JOIN outbox AS b ON b.topic = @topic AND b.key = asked.key
WHERE o.id IS NOT NULL OR b.key IS NOT NULL;

-- name: DriftLinkedAfter :many
-- The Clerk organizations that are linked to one of ours, for walking over all of them in batches.
SELECT clerk_org_id::text AS clerk_org_id FROM organizations
WHERE clerk_org_id > @after_clerk_org_id::text ORDER BY clerk_org_id LIMIT @max_rows;

-- name: DriftReportSave :exec
-- Never over a newer one.
INSERT INTO drift_check AS d (topic, report, reported_at) VALUES (@topic, @report::jsonb, @reported_at::timestamptz)
ON CONFLICT (topic) DO UPDATE SET report = EXCLUDED.report, reported_at = EXCLUDED.reported_at
WHERE d.reported_at IS NULL OR d.reported_at <= EXCLUDED.reported_at;

-- name: DriftReportGet :one
SELECT report, reported_at, ended_at, failure, requested_at,
    COALESCE(turn_ends > clock_timestamp(), false)::boolean AS under_way
FROM drift_check WHERE topic = @topic;

-- name: DriftSummary :one
-- The newest report in figures; kinds is null if there is none yet. Its age is then for how long there could have been one.
SELECT (report -> 'kinds')::jsonb AS kinds, COALESCE((report ->> 'contested')::bigint, 0)::bigint AS contested,
    (clock_timestamp() - COALESCE(reported_at, created_at))::interval AS age
FROM drift_check WHERE topic = @topic;

-- name: DriftTurnBegin :one
-- One process at a time gets the turn, until the time returned, which it is to extend. No row: it is another's, or it is
-- not time. When it is time follows from when the last one ended, and not from what a process with other settings planned;
-- or from that a person asked for it, which is answered with the turn, and done with once it ends. A process that makes no
-- periodic checks makes those.
WITH created AS (
    INSERT INTO drift_check (topic) SELECT @topic
    WHERE @periodic::boolean AND NOT EXISTS (SELECT FROM drift_check AS d WHERE d.topic = @topic)
    ON CONFLICT DO NOTHING
)
UPDATE drift_check AS d SET turn_ends = clock_timestamp() + @turn::interval
WHERE d.topic = @topic AND (d.turn_ends IS NULL OR d.turn_ends <= clock_timestamp())
    AND (d.requested_at IS NOT NULL OR @periodic AND clock_timestamp() >= CASE
        WHEN d.ended_at IS NULL THEN d.created_at + sqlc.arg(first)::interval
        WHEN d.failure IS NOT NULL THEN d.ended_at + @retry::interval
        ELSE d.ended_at + @every::interval
    END)
RETURNING d.turn_ends::timestamptz AS turn_ends, d.requested_repair;

-- name: DriftTurnExtend :one
-- No row: the turn was lost, and is another's by now.
UPDATE drift_check SET turn_ends = clock_timestamp() + @turn::interval
WHERE topic = @topic AND turn_ends = @turn_ends::timestamptz
RETURNING turn_ends::timestamptz AS turn_ends;

-- name: DriftTurnEnd :exec
-- Not by a process that was stopped meanwhile: the turn is another's then. A look that a person asked for does not put off the
-- check that repairs.
UPDATE drift_check AS d SET turn_ends = NULL, requested_at = NULL, requested_repair = NULL,
    ended_at = CASE WHEN d.requested_repair IS FALSE AND sqlc.narg(failure)::text IS NULL THEN d.ended_at ELSE clock_timestamp() END,
    failure = CASE WHEN d.requested_repair IS FALSE AND sqlc.narg(failure)::text IS NULL THEN d.failure ELSE sqlc.narg(failure)::text END
WHERE topic = @topic AND turn_ends = @turn_ends::timestamptz;

-- name: DriftTurnGiveUp :exec
-- For a process that stops: another may begin at once.
UPDATE drift_check SET turn_ends = NULL WHERE topic = @topic AND turn_ends = @turn_ends::timestamptz;
