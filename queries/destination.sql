-- What the fleet knows of a destination: one row per topic. outbox/doc.go tells how budget and breaker work. All times
-- are the database's.

-- name: DestinationEnsure :exec
INSERT INTO destination (topic) VALUES (@topic) ON CONFLICT DO NOTHING;

-- name: DestinationGet :one
SELECT clock_timestamp()::timestamptz AS now, blocked_until, blocked_reason, opened_at, open_cause, open_reason, probe_at,
    probes, queue_paused_at,
    regrown(rate_factor, rate_factor_at, @creep)::float8 AS rate_factor
FROM destination WHERE topic = @topic;

-- name: DestinationReserve :one
-- Reserves the next slot of the budget, which the generic cell rate algorithm spaces evenly; slots that were missed in
-- the last moment can be made up for. Unless spare slots are all that is asked for, it may lie ahead. Denied, it says
-- how long.
WITH current AS (
    SELECT d.topic, GREATEST(d.tat, clock_timestamp() - @catch_up::interval) AS slot,
        CASE
            WHEN d.blocked_until > clock_timestamp() THEN 'blocked'
            WHEN d.opened_at IS NOT NULL AND NOT @probe::boolean THEN 'open'
            WHEN @spare_only::boolean AND d.tat > clock_timestamp() THEN 'spent'
            ELSE 'granted'
        END AS verdict,
        d.blocked_until, d.tat,
        sqlc.arg(spacing)::interval / regrown(d.rate_factor, d.rate_factor_at, @creep) AS spacing
    FROM destination AS d
    WHERE d.topic = @topic
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

-- name: DestinationHoldBack :one
-- Everybody waits, and is slower afterwards; of several that were refused at the same time, the first one counts. Never
-- shortens a block that others rely on.
INSERT INTO destination AS d (topic, blocked_until, blocked_reason, rate_factor, rate_factor_at)
VALUES (@topic, clock_timestamp() + @delay::interval, @reason::text, @decrease::float8, clock_timestamp() + @delay::interval)
ON CONFLICT (topic) DO UPDATE SET
    blocked_until = GREATEST(d.blocked_until, EXCLUDED.blocked_until),
    blocked_reason = CASE WHEN d.blocked_until >= EXCLUDED.blocked_until THEN d.blocked_reason
        ELSE EXCLUDED.blocked_reason END,
    rate_factor = CASE WHEN d.blocked_until > clock_timestamp() THEN d.rate_factor
        ELSE GREATEST(@least::float8, sqlc.arg(decrease)::float8 * regrown(d.rate_factor, d.rate_factor_at, @creep)) END,
    rate_factor_at = GREATEST(d.blocked_until, EXCLUDED.blocked_until)
RETURNING rate_factor, blocked_until::timestamptz AS blocked_until;

-- name: DestinationBlame :one
-- Notes that a key failed for a reason that speaks against the destination, and counts the different ones.
INSERT INTO destination AS d (topic, failing_keys, missing_keys)
VALUES (@topic, CASE WHEN @missing::boolean THEN '{}'::text[] ELSE ARRAY[@key::text] END,
    CASE WHEN @missing::boolean THEN ARRAY[@key::text] ELSE '{}'::text[] END)
ON CONFLICT (topic) DO UPDATE SET
    failing_keys = CASE WHEN cardinality(d.failing_keys) >= sqlc.arg(most)::integer OR d.failing_keys @> EXCLUDED.failing_keys
        THEN d.failing_keys ELSE d.failing_keys || EXCLUDED.failing_keys END,
    missing_keys = CASE WHEN cardinality(d.missing_keys) >= sqlc.arg(most)::integer OR d.missing_keys @> EXCLUDED.missing_keys
        THEN d.missing_keys ELSE d.missing_keys || EXCLUDED.missing_keys END
RETURNING cardinality(failing_keys)::integer AS failing, cardinality(missing_keys)::integer AS missing,
    COALESCE(open_cause = 'configuration', false)::boolean AS misconfigured;

-- name: DestinationOpen :one
-- No row: it is open already. A person's opening outranks what was found out.
INSERT INTO destination AS d (topic, opened_at, open_cause, open_reason, probe_at)
VALUES (@topic, clock_timestamp(), @cause, @reason::text, clock_timestamp() + @pause::interval)
ON CONFLICT (topic) DO UPDATE SET
    opened_at = COALESCE(d.opened_at, EXCLUDED.opened_at), open_cause = EXCLUDED.open_cause,
    open_reason = EXCLUDED.open_reason, probe_at = EXCLUDED.probe_at, probes = 0
WHERE d.opened_at IS NULL OR (EXCLUDED.open_cause = 'operator' AND d.open_cause <> 'operator')
RETURNING missing_keys, queue_paused_at;

-- name: DestinationQueuePaused :exec
UPDATE destination SET queue_paused_at = @queue_paused_at WHERE topic = @topic AND opened_at IS NOT NULL;

-- name: DestinationClose :one
-- No row: it is closed already, or open for another cause than those that are over.
WITH open AS (
    SELECT d.topic, d.opened_at, d.open_cause, d.queue_paused_at FROM destination AS d
    WHERE d.topic = @topic AND d.opened_at IS NOT NULL AND d.open_cause::text = ANY(@causes::text[])
    FOR NO KEY UPDATE OF d
)
UPDATE destination AS d SET
    opened_at = NULL, open_cause = NULL, open_reason = NULL, probe_at = NULL, probes = 0, queue_paused_at = NULL,
    failing_keys = '{}', missing_keys = '{}'
FROM open
WHERE d.topic = open.topic
RETURNING open.queue_paused_at, open.open_cause::breaker_cause AS cause,
    (clock_timestamp() - open.opened_at)::interval AS lasted;

-- name: DestinationUnblock :execrows
UPDATE destination SET blocked_until = NULL, blocked_reason = NULL, rate_factor = 1
WHERE topic = @topic AND (blocked_until > clock_timestamp() OR rate_factor < 1);

-- name: DestinationProbeBegin :one
-- One process at a time gets the probe. No row: it is another's, it is not time, or there is nothing to probe for. The
-- pause grows by half each time, up to most; the random quarter keeps it from falling in step with what it probes.
UPDATE destination SET
    probes = probes + 1,
    probe_at = clock_timestamp() + (0.875 + random() / 4) * LEAST(
        CASE open_cause WHEN 'outage' THEN @outage_most::interval ELSE @configuration_most::interval END,
        sqlc.arg(first)::interval * power(1.5, LEAST(probes, 20)))
WHERE topic = @topic AND open_cause IN ('outage', 'configuration') AND probe_at <= clock_timestamp()
    AND (blocked_until IS NULL OR blocked_until <= clock_timestamp())
RETURNING probes;

-- name: DestinationProbeSoon :exec
UPDATE destination SET probe_at = clock_timestamp() WHERE topic = @topic AND open_cause IN ('outage', 'configuration');

-- name: DestinationSweepBegin :one
-- One process at a time gets the sweep, until the time returned; should it die, the next turn comes then. No row: it is
-- another's turn, or nobody's while nothing may be delivered: then jobs stand still, which would look like having none.
-- No upsert: that would lock the row, which every call to the destination needs, each time that somebody asks.
WITH turn AS (
    UPDATE destination AS d SET sweep_at = clock_timestamp() + @turn::interval
    WHERE d.topic = @topic AND d.sweep_at <= clock_timestamp() AND d.opened_at IS NULL
        AND (d.blocked_until IS NULL OR d.blocked_until <= clock_timestamp())
    RETURNING d.sweep_at
),
created AS (
    INSERT INTO destination (topic, sweep_at)
    SELECT @topic, clock_timestamp() + @turn::interval
    WHERE NOT EXISTS (SELECT FROM destination AS d WHERE d.topic = @topic)
    ON CONFLICT DO NOTHING
    RETURNING sweep_at
)
SELECT sweep_at FROM turn UNION ALL SELECT sweep_at FROM created;

-- name: DestinationSweepEnd :exec
-- Not by a process that was stopped meanwhile: the turn is another's then.
UPDATE destination SET sweep_at = clock_timestamp() + @pause::interval WHERE topic = @topic AND sweep_at = @turn_ends;
