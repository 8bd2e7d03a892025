-- The state outbox: one row per thing to keep in sync, see outbox/doc.go for the protocol.

-- +goose Up
CREATE TABLE outbox (
    topic            text COLLATE "C" NOT NULL CHECK (topic ~ '^[a-z][a-z0-9_]{0,62}$'),
    key              text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- Counts the committed changes; assigned under the row's lock, so in commit order.
    desired_version  bigint NOT NULL DEFAULT 1,
    synced_version   bigint NOT NULL DEFAULT 0,
    -- When the oldest change that is not yet synced was made.
    dirty_since      timestamptz,
    -- When the first change after the current claim was made: dirty_since once the claim is acknowledged.
    redirtied_at     timestamptz,
    -- The River job that will deliver this row; null exactly when a mark has to insert one.
    job_id           bigint,
    -- Whose turn it is: a result is accepted only from the holder of the token.
    lease_token      uuid,
    lease_version    bigint,
    leased_at        timestamptz,
    lease_expires_at timestamptz,
    -- Not to be claimed earlier: the delay after a failure.
    not_before       timestamptz,
    -- Failed deliveries since the last success.
    failures         integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_error       text,
    -- Parked: given up until a change or a person says otherwise.
    parked_at        timestamptz,
    parked_reason    text,
    synced_at        timestamptz,
    created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, key),
    CONSTRAINT outbox_versions CHECK (synced_version >= 0 AND desired_version >= 1
        AND synced_version <= desired_version),
    CONSTRAINT outbox_dirty CHECK ((dirty_since IS NULL) = (synced_version = desired_version)),
    CONSTRAINT outbox_job_only_if_waiting CHECK (job_id IS NULL
        OR (dirty_since IS NOT NULL AND parked_at IS NULL)),
    CONSTRAINT outbox_lease_whole CHECK (num_nulls(lease_token, lease_version, leased_at, lease_expires_at)
        IN (0, 4)),
    CONSTRAINT outbox_parked_whole CHECK (num_nulls(parked_at, parked_reason) IN (0, 2)),
    CONSTRAINT outbox_parked_is_dirty CHECK (parked_at IS NULL OR dirty_since IS NOT NULL)
)
-- Room on each page for the updates of a delivery.
WITH (fillfactor = 80);

-- The backlog by age: sweep, status, listing.
CREATE INDEX outbox_dirty ON outbox (topic, dirty_since, key) WHERE dirty_since IS NOT NULL AND parked_at IS NULL;
CREATE INDEX outbox_parked ON outbox (topic, parked_at, key) WHERE parked_at IS NOT NULL;

CREATE TYPE delivery_outcome AS ENUM (
    'applied',   -- the destination confirmed it
    'retry',     -- busy: again soon
    'outage',    -- the destination fails or cannot be reached
    'wait',      -- told to wait (Retry-After)
    'stop',      -- a configuration fault: everything waits
    'missing',   -- the destination does not know the key
    'park',      -- refused for good
    'ambiguous', -- no usable answer: it may have been applied, now or later
    'canceled',  -- given back at shutdown
    'fenced',    -- finished after its lease was lost: the result was not accepted
    'lost'       -- its process died or stalled: found by the next claim
);

-- One row per attempt: what was tried, and how it ended.
CREATE TABLE outbox_delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    job_id      bigint,
    outcome     delivery_outcome NOT NULL,
    -- The destination's answer: an HTTP status, null when there was none.
    status      smallint CHECK (status BETWEEN 100 AND 599),
    trace_id    text,
    error       text,
    duration    interval NOT NULL CHECK (duration >= interval '0'),
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (topic, key) REFERENCES outbox ON DELETE CASCADE
);
-- A key's history, newest first.
CREATE INDEX outbox_delivery_key ON outbox_delivery (topic, key, id);

-- Fleet-wide state of a destination: one row per topic.
CREATE TABLE destination (
    topic         text COLLATE "C" PRIMARY KEY CHECK (topic ~ '^[a-z][a-z0-9_]{0,62}$'),
    -- Nobody calls the destination before this instant.
    blocked_until  timestamptz,
    blocked_reason text,
    -- When some process is to sweep next.
    sweep_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT destination_blocked_whole CHECK (num_nulls(blocked_until, blocked_reason) IN (0, 2))
);

-- +goose Down
DROP TABLE destination, outbox_delivery, outbox;
DROP TYPE delivery_outcome;
