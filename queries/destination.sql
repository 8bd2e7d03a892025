-- name: DestinationBlocked :one
SELECT blocked_until::timestamptz AS blocked_until, blocked_reason::text AS blocked_reason
FROM destination WHERE topic = @topic AND blocked_until > clock_timestamp();

-- name: DestinationBlock :exec
-- Never shortens a block that others rely on.
INSERT INTO destination AS d (topic, blocked_until, blocked_reason)
VALUES (@topic, clock_timestamp() + @delay::interval, @reason::text)
ON CONFLICT (topic) DO UPDATE SET blocked_until = EXCLUDED.blocked_until, blocked_reason = EXCLUDED.blocked_reason
WHERE d.blocked_until IS NULL OR d.blocked_until < EXCLUDED.blocked_until;

-- name: DestinationSweepBegin :one
-- One process at a time gets the sweep, until the time returned; should it die, the next turn comes then. No row: it is
-- another's turn, or nobody's while the destination is blocked: jobs are then scheduled for the block's end, which would
-- look like having none.
INSERT INTO destination AS d (topic, sweep_at) VALUES (@topic, clock_timestamp() + @turn::interval)
ON CONFLICT (topic) DO UPDATE SET sweep_at = clock_timestamp() + @turn::interval
WHERE d.sweep_at <= clock_timestamp() AND (d.blocked_until IS NULL OR d.blocked_until <= clock_timestamp())
RETURNING sweep_at;

-- name: DestinationSweepEnd :exec
-- Not by a process that was stopped meanwhile: the turn is another's then.
UPDATE destination SET sweep_at = clock_timestamp() + @pause::interval WHERE topic = @topic AND sweep_at = @turn_ends;
