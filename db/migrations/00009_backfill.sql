-- Backfills: walks over all organizations, which may be interrupted at any instant and then go on where they were.

-- +goose Up
CREATE TYPE backfill_kind AS ENUM (
    'recalculate', -- every score, from the stored facts
    'resync'       -- every push, although nothing has changed
);

-- The latest walk of each kind. Each step locks the row, does its work and moves the cursor in one transaction: so a step is
-- done and counted, or neither, and processes that walk at the same time take turns.
CREATE TABLE backfill (
    kind        backfill_kind PRIMARY KEY,
    -- The cursor: all organizations up to this id are done.
    after_id    text COLLATE "C" NOT NULL DEFAULT '',
    -- How many there were when it began; how many of them it has come past since.
    total       bigint NOT NULL CHECK (total >= 0),
    done        bigint NOT NULL DEFAULT 0 CHECK (done >= 0),
    -- Of those done: how many have a new score, or were marked; and of how many it failed.
    changed     bigint NOT NULL DEFAULT 0 CHECK (changed >= 0),
    failed      bigint NOT NULL DEFAULT 0 CHECK (failed >= 0),
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    -- When the walk had been started that this one cut short; null: the one before had ended.
    replaced    timestamptz,
    CONSTRAINT backfill_done CHECK (changed + failed <= done)
);

-- +goose Down
DROP TABLE backfill;
DROP TYPE backfill_kind;
