-- Keeping the tables that are written all the time small: what is old goes, and its room is used again soon. The figures that
-- led to the settings are in docs/housekeeping.md.

-- +goose Up
CREATE TABLE housekeeping (
    -- There is one row.
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- When some process is to look for what has become old; until then it is one's turn, or nobody's.
    next_at timestamptz NOT NULL
);

-- Every delivery leaves two dead entries in the index of the backlog, at the end at which sweeps, gauges and probes begin to
-- read. By default they would be removed once a fifth of the table is dead: with a million rows, 200,000 of them. And a vacuum
-- that cuts empty pages off the end locks everybody out meanwhile; they would be there again a moment later.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, vacuum_truncate = off);

-- What is deleted makes room for what comes: by default once it is a fifth of a week.
ALTER TABLE outbox_delivery SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, vacuum_truncate = off);

-- +goose Down
ALTER TABLE outbox_delivery RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, vacuum_truncate);
ALTER TABLE outbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, vacuum_truncate);
DROP TABLE housekeeping;
