-- Doubt: a push whose fate is unknown may land at the destination after a newer one, which nothing there can refuse. So
-- the row is read back when it can have landed, see outbox/doc.go.

-- +goose Up
ALTER TABLE outbox
    -- When the latest push was given up on of which nobody knows whether it was or will be applied.
    ADD COLUMN doubted_at timestamptz,
    -- When the destination is to be read back next.
    ADD COLUMN verify_at timestamptz,
    ADD CONSTRAINT outbox_doubt_whole CHECK (num_nulls(doubted_at, verify_at) IN (0, 2)),
    DROP CONSTRAINT outbox_job_only_if_waiting,
    ADD CONSTRAINT outbox_job_only_if_waiting CHECK (job_id IS NULL
        OR (parked_at IS NULL AND (dirty_since IS NOT NULL OR verify_at IS NOT NULL)));

CREATE INDEX outbox_unverified ON outbox (topic, verify_at, key)
    WHERE verify_at IS NOT NULL AND dirty_since IS NULL AND parked_at IS NULL;

ALTER TYPE delivery_outcome ADD VALUE 'verified';    -- read back after a doubt: all as it should be
ALTER TYPE delivery_outcome ADD VALUE 'overwritten'; -- read back after a doubt: something else had landed; pushed again

-- +goose Down
-- The values of the type stay: PostgreSQL cannot remove any.
DROP INDEX outbox_unverified;
UPDATE outbox SET job_id = NULL WHERE dirty_since IS NULL;
ALTER TABLE outbox
    DROP CONSTRAINT outbox_job_only_if_waiting,
    ADD CONSTRAINT outbox_job_only_if_waiting CHECK (job_id IS NULL
        OR (dirty_since IS NOT NULL AND parked_at IS NULL)),
    DROP COLUMN doubted_at,
    DROP COLUMN verify_at;
