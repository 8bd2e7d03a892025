-- Clerk's own events, as they come by webhook: each is handled once.

-- +goose Up
CREATE TABLE clerk_event (
    -- The message's, the same whenever Clerk sends it again.
    id           text COLLATE "C" PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 255),
    type         text COLLATE "C" NOT NULL,
    -- Clerk's organization. One that was deleted is not linked any more, whatever comes late: its row is the tombstone.
    organization text COLLATE "C" NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Rows that can go.
CREATE INDEX clerk_event_received_at ON clerk_event (received_at);
CREATE INDEX clerk_event_tombstone ON clerk_event (organization) WHERE type = 'organization.deleted';

-- +goose Down
DROP TABLE clerk_event;
