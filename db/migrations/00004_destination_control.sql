-- The fleet's control of a destination: budget and breaker, see outbox/doc.go.

-- +goose Up
ALTER TABLE outbox
    -- The priority of the job in job_id, as River's: a more urgent mark inserts another one.
    ADD COLUMN job_priority smallint NOT NULL DEFAULT 1 CHECK (job_priority BETWEEN 1 AND 4),
    -- The theoretical arrival time of the key's next push (GCRA): when it would be due, were they spaced evenly.
    ADD COLUMN tat timestamptz;

CREATE TYPE breaker_cause AS ENUM (
    'outage',        -- the destination fails or does not answer
    'configuration', -- it refuses us whatever we send
    'operator'       -- a person opened it
);

ALTER TABLE destination
    -- The theoretical arrival time of the fleet's next call (GCRA).
    ADD COLUMN tat timestamptz,
    -- How much of the budget is used, and as of when: less after the destination limited us although we kept to it. It
    -- grows back with time.
    ADD COLUMN rate_factor    double precision NOT NULL DEFAULT 1 CHECK (rate_factor > 0 AND rate_factor <= 1),
    ADD COLUMN rate_factor_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Different keys that failed since the last success: what speaks against the destination, and not against one key.
    ADD COLUMN failing_keys text[] NOT NULL DEFAULT '{}',
    ADD COLUMN missing_keys text[] NOT NULL DEFAULT '{}',
    -- The breaker; closed while opened_at is null.
    ADD COLUMN opened_at   timestamptz,
    ADD COLUMN open_cause  breaker_cause,
    ADD COLUMN open_reason text,
    -- When some process is to probe next, and how often it was done.
    ADD COLUMN probe_at timestamptz,
    ADD COLUMN probes   integer NOT NULL DEFAULT 0,
    -- What River's queue says of the pause that the breaker made; null if it made none. Another value there is another
    -- pause, and somebody else's.
    ADD COLUMN queue_paused_at timestamptz,
    ADD CONSTRAINT destination_breaker_whole CHECK (num_nulls(opened_at, open_cause, open_reason, probe_at) IN (0, 4)),
    ADD CONSTRAINT destination_pause_is_the_breakers CHECK (queue_paused_at IS NULL OR opened_at IS NOT NULL);

-- How much of the budget is used now: it grows by creep per second.
CREATE FUNCTION regrown(rate_factor double precision, since timestamptz, creep double precision)
RETURNS double precision LANGUAGE sql VOLATILE AS $$
    SELECT LEAST(1, rate_factor + creep * GREATEST(0, date_part('epoch', clock_timestamp() - since)))
$$;

-- +goose Down
DROP FUNCTION regrown;
ALTER TABLE destination
    DROP COLUMN tat, DROP COLUMN rate_factor, DROP COLUMN rate_factor_at, DROP COLUMN failing_keys,
    DROP COLUMN missing_keys, DROP COLUMN queue_paused_at, DROP COLUMN opened_at, DROP COLUMN open_cause,
    DROP COLUMN open_reason, DROP COLUMN probe_at, DROP COLUMN probes;
DROP TYPE breaker_cause;
ALTER TABLE outbox DROP COLUMN job_priority, DROP COLUMN tat;
