-- Pages of organizations with how they stand in the outbox, by keyset: a page costs what it holds, wherever it is in the
-- table. desired_version 0: never marked.

-- name: OrganizationPage :many
SELECT sqlc.embed(o),
    COALESCE(x.desired_version, 0)::bigint AS desired_version,
    COALESCE(x.synced_version, 0)::bigint AS synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM organizations AS o
LEFT JOIN outbox AS x ON x.topic = @topic AND x.key = o.clerk_org_id
WHERE o.id > @after_id
ORDER BY o.id
LIMIT @max_rows;

-- name: OrganizationPageUnlinked :many
-- Walks the index organizations_unlinked.
SELECT * FROM organizations WHERE clerk_org_id IS NULL AND id > @after_id ORDER BY id LIMIT @max_rows;

-- name: OrganizationPageDirty :many
-- Walks the index outbox_dirty, so a linked organization that was never marked is not in it although it counts as dirty.
-- The Store marks whatever it links; only a foreign writer can leave one.
SELECT sqlc.embed(o), x.desired_version, x.synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM outbox AS x
JOIN organizations AS o ON o.clerk_org_id = x.key
WHERE x.topic = @topic AND x.dirty_since IS NOT NULL AND x.parked_at IS NULL
    AND (x.dirty_since, x.key) > (@after_time::timestamptz, @after_key::text)
ORDER BY x.dirty_since, x.key
LIMIT @max_rows;

-- name: OrganizationPageParked :many
-- Walks the index outbox_parked.
SELECT sqlc.embed(o), x.desired_version, x.synced_version,
    x.dirty_since, x.synced_at, x.last_error, x.parked_at, x.parked_reason
FROM outbox AS x
JOIN organizations AS o ON o.clerk_org_id = x.key
WHERE x.topic = @topic AND x.parked_at IS NOT NULL
    AND (x.parked_at, x.key) > (@after_time::timestamptz, @after_key::text)
ORDER BY x.parked_at, x.key
LIMIT @max_rows;
