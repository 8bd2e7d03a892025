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

CREATE TABLE process (
    id         uuid PRIMARY KEY,
    hostname   text NOT NULL,
    pid        integer NOT NULL,
    version    text NOT NULL,
    -- What all processes together may use of the destination's limit, as this one was told; null: any number.
    calls_per_second double precision,
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

-- +goose Down
ALTER TABLE drift_check DROP COLUMN requested_at, DROP COLUMN requested_repair;
DROP TABLE operator_action, process;
DROP TABLE outbox_activity;
ALTER TABLE outbox DROP COLUMN applied;
