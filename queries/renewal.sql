-- Renewal: a walk over all organizations, as those of backfill.sql, which has a pace and begins anew when it has ended.

-- name: RenewalInsert :exec
-- The very first walk.
INSERT INTO backfill (kind, total) VALUES ('renew', (SELECT count(*) FROM organizations)) ON CONFLICT DO NOTHING;

-- name: RenewalLock :one
-- No row: another process is at it, or there was no walk yet.
SELECT after_id, total, done, started_at, (finished_at IS NOT NULL)::boolean AS finished, clock_timestamp()::timestamptz AS now
FROM backfill WHERE kind = 'renew' FOR UPDATE SKIP LOCKED;

-- name: RenewalGet :one
SELECT total, done, started_at, (finished_at IS NOT NULL)::boolean AS finished, clock_timestamp()::timestamptz AS now
FROM backfill WHERE kind = 'renew';

-- name: RenewalBegin :exec
-- The next walk, which begins where the last was to end by its pace. After a pause of the whole fleet that is a walk's time
-- before now, so that all of it is due at once. Never later than now, whatever the clock was then.
UPDATE backfill SET
    after_id = '', total = (SELECT count(*) FROM organizations), done = 0, changed = 0, failed = 0, finished_at = NULL,
    started_at = LEAST(clock_timestamp(), GREATEST(started_at + @period::interval, clock_timestamp() - @period::interval)),
    updated_at = clock_timestamp()
WHERE kind = 'renew';

-- name: RenewalDue :many
-- Of the organizations, the Clerk organizations that have not been pushed for so long, and are not to be pushed anyway or
-- parked. With their rows locked; what somebody else has locked is being changed, and is left to that, or to the next walk.
SELECT b.key FROM organizations AS o
JOIN outbox AS b ON b.topic = @topic AND b.key = o.clerk_org_id
WHERE o.id = ANY(@ids::text[]) AND b.dirty_since IS NULL AND b.synced_at < clock_timestamp() - @age::interval
ORDER BY b.key
FOR NO KEY UPDATE OF b SKIP LOCKED;
