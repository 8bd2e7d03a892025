-- +goose NO TRANSACTION
-- The indexes for operations: beside whoever writes to the tables, which may be large. One that was interrupted is left
-- invalid, so each begins by removing what is there.

-- +goose Up
-- Counting walks it from the end, pruning from the beginning.
DROP INDEX CONCURRENTLY IF EXISTS outbox_delivery_finished_at;
CREATE INDEX CONCURRENTLY outbox_delivery_finished_at ON outbox_delivery (finished_at);

-- What was given up on for one reason: counted without a look at the rows, and listed in the order in which it was.
DROP INDEX CONCURRENTLY IF EXISTS outbox_parked_reason;
CREATE INDEX CONCURRENTLY outbox_parked_reason ON outbox (topic, parked_reason, parked_at, key) WHERE parked_at IS NOT NULL;

-- Words of names, to search for their beginnings.
DROP INDEX CONCURRENTLY IF EXISTS organizations_name;
CREATE INDEX CONCURRENTLY organizations_name ON organizations USING gin (to_tsvector('simple', name));

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS outbox_delivery_finished_at;
DROP INDEX CONCURRENTLY IF EXISTS outbox_parked_reason;
DROP INDEX CONCURRENTLY IF EXISTS organizations_name;
