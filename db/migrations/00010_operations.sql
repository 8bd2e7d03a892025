-- What the people see who operate it: what Clerk was told last, how much is pushed, which processes are alive, and what
-- they themselves did.

-- +goose Up
ALTER TABLE outbox
    -- What the destination confirmed last, as it was told; null: nothing yet. For people: no decision rests on it.
    ADD COLUMN applied jsonb;

-- How many deliveries ended how, in each interval: the delivery log in figures, kept for longer than the plot needs them
-- and cheap to read.
CREATE TABLE outbox_activity (
    topic      text COLLATE "C" NOT NULL,
    begins_at  timestamptz NOT NULL,
    outcome    delivery_outcome NOT NULL,
    deliveries integer NOT NULL CHECK (deliveries > 0),
    PRIMARY KEY (topic, begins_at, outcome)
);

-- Counting walks it from the end, pruning from the beginning.
CREATE INDEX outbox_delivery_finished_at ON outbox_delivery (finished_at);

CREATE TABLE process (
    id         uuid PRIMARY KEY,
    hostname   text NOT NULL,
    pid        integer NOT NULL,
    version    text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- One that has not been seen for a while is dead, or stands still.
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE operator_action (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    operator text NOT NULL CHECK (length(operator) BETWEEN 1 AND 128),
    -- From where: an address, or a machine and its command line.
    origin   text NOT NULL CHECK (length(origin) <= 256),
    action   text NOT NULL CHECK (action ~ '^[a-z][a-z_]{0,62}$'),
    -- What it was done to: an organization, a reason, a path; empty: to all.
    target   text NOT NULL CHECK (length(target) <= 512),
    -- What became of it; null: it is under way, or its process has died.
    result   text CHECK (length(result) <= 1024)
);

ALTER TABLE drift_check
    -- When a person asked for a check out of turn, and whether to repair; null: nobody did since the last one.
    ADD COLUMN requested_at     timestamptz,
    ADD COLUMN requested_repair boolean,
    ADD CONSTRAINT drift_check_request_whole CHECK (num_nulls(requested_at, requested_repair) IN (0, 2));

-- How many were given up on for what, without a look at their rows.
CREATE INDEX outbox_parked_reason ON outbox (topic, parked_reason, parked_at) WHERE parked_at IS NOT NULL;

-- Words of names, to search for their beginnings.
CREATE INDEX organizations_name ON organizations USING gin (to_tsvector('simple', name));

-- +goose Down
DROP INDEX organizations_name, outbox_parked_reason;
ALTER TABLE drift_check DROP COLUMN requested_at, DROP COLUMN requested_repair;
DROP TABLE operator_action, process;
DROP INDEX outbox_delivery_finished_at;
DROP TABLE outbox_activity;
ALTER TABLE outbox DROP COLUMN applied;
