-- What has become old goes, in batches: internal/housekeeping has the loop. now() and not clock_timestamp(), which no index
-- could be searched for. Each batch reads no more than it may delete, and a row that somebody has locked is left for later.

-- name: HousekeepingBegin :one
-- Takes the turn, which ends by itself if it is not ended before. No row: it is another process's, or not time.
INSERT INTO housekeeping AS h (next_at) VALUES (clock_timestamp() + @turn::interval)
ON CONFLICT (one) DO UPDATE SET next_at = EXCLUDED.next_at
WHERE h.next_at <= clock_timestamp()
RETURNING next_at;

-- name: HousekeepingEnd :exec
-- Unless the turn was over, and has become another's.
UPDATE housekeeping SET next_at = clock_timestamp() + @pause::interval WHERE next_at = @turn_ends;

-- name: OutboxDeliveryPrune :one
-- Begins where the batch before ended: behind that are the index entries of what is deleted, and as long as any snapshot
-- could still need them, each batch would walk over those of all before.
WITH pruned AS (
    DELETE FROM outbox_delivery WHERE id = ANY(ARRAY(
        SELECT old.id FROM outbox_delivery AS old
        WHERE old.finished_at >= @since AND old.finished_at < now() - @retention::interval
        ORDER BY old.finished_at LIMIT @max_rows FOR UPDATE SKIP LOCKED
    ))
    RETURNING finished_at
)
SELECT count(*) AS deleted, COALESCE(max(finished_at), @since)::timestamptz AS last FROM pruned;

-- name: ClerkEventPrune :one
-- As OutboxDeliveryPrune.
WITH pruned AS (
    DELETE FROM clerk_event WHERE id = ANY(ARRAY(
        SELECT old.id FROM clerk_event AS old
        WHERE old.received_at >= @since AND old.received_at < now() - @retention::interval
        ORDER BY old.received_at LIMIT @max_rows FOR UPDATE SKIP LOCKED
    ))
    RETURNING received_at
)
SELECT count(*) AS deleted, COALESCE(max(received_at), @since)::timestamptz AS last FROM pruned;

-- name: OutboxActivityPrune :execrows
DELETE FROM outbox_activity AS a
USING (
    SELECT old.topic, old.begins_at, old.outcome FROM outbox_activity AS old
    WHERE old.topic = @topic AND old.begins_at < now() - @retention::interval
    ORDER BY old.begins_at, old.outcome LIMIT @max_rows FOR UPDATE SKIP LOCKED
) AS pruned
WHERE a.topic = pruned.topic AND a.begins_at = pruned.begins_at AND a.outcome = pruned.outcome;

-- name: OperatorActionPrune :execrows
-- The oldest are those with the lowest ids, or nearly: so no index by time is needed.
DELETE FROM operator_action WHERE id = ANY(ARRAY(
    SELECT old.id FROM operator_action AS old
    WHERE old.at < now() - @retention::interval
        AND old.id = ANY(ARRAY(SELECT first.id FROM operator_action AS first ORDER BY first.id LIMIT @max_rows))
    FOR UPDATE SKIP LOCKED
));

-- name: ProcessPrune :execrows
-- Those that did not say that they end. There are few rows.
DELETE FROM process WHERE id = ANY(ARRAY(
    SELECT dead.id FROM process AS dead WHERE dead.seen_at < now() - @retention::interval
    LIMIT @max_rows FOR UPDATE SKIP LOCKED
));
