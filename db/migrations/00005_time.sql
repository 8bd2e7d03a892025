-- Time: what changes although nobody writes anything, found by its instant. The tables are only held for as long as adding
-- a column takes: what reads them all comes in the next migration.

-- +goose Up
ALTER TABLE organizations
    -- When insurance_valid becomes false by the passing of time alone; null: it is false. Never before recalculate_at, and
    -- there to tell what is overdue most urgently.
    ADD COLUMN insured_until timestamptz;

ALTER TABLE outbox
    -- The priority of the most urgent mark since the row was claimed last; null: there was none. The job that was claimed
    -- for may be less urgent.
    ADD COLUMN marked_priority smallint CHECK (marked_priority BETWEEN 1 AND 4);

-- +goose Down
ALTER TABLE outbox DROP COLUMN marked_priority;
ALTER TABLE organizations DROP COLUMN insured_until;
