-- Drift: what the last comparison of a destination with the database found, and whose turn the next one is.

-- +goose Up
CREATE TABLE drift_check (
    topic       text COLLATE "C" PRIMARY KEY CHECK (topic ~ '^[a-z][a-z0-9_]{0,62}$'),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Some process is at the periodic check, or has died at it; until then it keeps the others away.
    turn_ends   timestamptz,
    -- When the last periodic check ended, and why it failed if it did.
    ended_at    timestamptz,
    failure     text,
    -- The newest report, of whatever check, and when it was finished.
    report      jsonb,
    reported_at timestamptz,
    CONSTRAINT drift_check_failure_of_a_check CHECK (failure IS NULL OR ended_at IS NOT NULL),
    CONSTRAINT drift_check_report_whole CHECK (num_nulls(report, reported_at) IN (0, 2))
);

-- +goose Down
DROP TABLE drift_check;
