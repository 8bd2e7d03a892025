-- Renewal: a walk that begins anew when it has ended, and has pushed again what was not pushed for long, so that what tokens
-- say of their age stays true though nothing changes. See claimsync.Config.RenewEvery.

-- +goose Up
ALTER TYPE backfill_kind ADD VALUE 'renew'; -- pushes that have become old, all the time

-- +goose Down
DELETE FROM backfill WHERE kind = 'renew';
ALTER TYPE backfill_kind RENAME TO backfill_kind_with_renew;
CREATE TYPE backfill_kind AS ENUM ('recalculate', 'resync');
ALTER TABLE backfill ALTER COLUMN kind TYPE backfill_kind USING kind::text::backfill_kind;
DROP TYPE backfill_kind_with_renew;
