-- Walks over all organizations, see scoring.Backfill. A walk is known by when it started: there is one of each kind at a time.

-- name: BackfillBegin :one
-- No row: there is one that has not ended, nor been left for long, and nobody asked for another.
INSERT INTO backfill AS b (kind, total) VALUES (@kind, (SELECT count(*) FROM organizations))
ON CONFLICT (kind) DO UPDATE SET
    after_id = '', total = EXCLUDED.total, done = 0, changed = 0, failed = 0,
    started_at = EXCLUDED.started_at, updated_at = EXCLUDED.updated_at, finished_at = NULL,
    replaced = CASE WHEN b.finished_at IS NULL THEN b.started_at END
WHERE b.finished_at IS NOT NULL OR @restart::boolean OR b.updated_at < clock_timestamp() - @abandoned::interval
RETURNING *;

-- name: BackfillGet :one
SELECT * FROM backfill WHERE kind = @kind;

-- name: BackfillLock :one
SELECT * FROM backfill WHERE kind = @kind FOR UPDATE;

-- name: BackfillAdvance :one
UPDATE backfill SET
    after_id = @after_id, done = done + @done::bigint, changed = changed + @changed::bigint,
    failed = failed + @failed::bigint, updated_at = clock_timestamp()
WHERE kind = @kind
RETURNING *;

-- name: BackfillFinish :one
UPDATE backfill SET finished_at = clock_timestamp(), updated_at = clock_timestamp() WHERE kind = @kind
RETURNING *;

-- name: OrganizationClerkIDs :many
-- Not locked, unlike by OrganizationClerkID: whoever links one elsewhere meanwhile marks both.
SELECT clerk_org_id::text AS clerk_org_id FROM organizations
WHERE id = ANY(@ids::text[]) AND clerk_org_id IS NOT NULL;

-- name: OutboxRemaining :one
-- What was marked by then and has not been delivered since, of the keys if not of every one; and what was given up on since
-- the marking began. A row that is marked again during its push is dirty since then. Walks the partial indexes only.
SELECT
    (SELECT count(*) FROM outbox AS o
        WHERE o.topic = @topic AND o.dirty_since <= @marked_by::timestamptz AND o.parked_at IS NULL
            AND (@every::boolean OR o.key = ANY(@keys::text[])))::bigint AS dirty,
    (SELECT count(*) FROM outbox AS o
        WHERE o.topic = @topic AND o.dirty_since <= @marked_by::timestamptz AND o.parked_at > @marked_since::timestamptz
            AND (@every::boolean OR o.key = ANY(@keys::text[])))::bigint AS parked;
