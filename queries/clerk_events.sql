-- Clerk's events; events.go in the root has what they lead to.

-- name: ClerkEventInsert :execrows
-- No row: it has been handled. While another transaction is handling it, that one is waited for.
INSERT INTO clerk_event (id, type, organization) VALUES (@id, @type, @organization) ON CONFLICT DO NOTHING;

-- name: ClerkEventLock :exec
-- Events of one Clerk organization are handled one after the other: one that links must see the one that says it is
-- gone, or be seen by it. There may be no row yet of which both could take the lock.
SELECT pg_advisory_xact_lock(hashtext('clerk_event'), hashtext(@organization::text));

-- name: ClerkEventGround :one
-- What is known of a Clerk organization before its event is handled.
SELECT linked.id AS organization_id, (o.key IS NOT NULL)::boolean AS known, o.synced_at,
    EXISTS (SELECT FROM clerk_event AS e WHERE e.id = @id)::boolean AS handled,
    EXISTS (
        SELECT FROM clerk_event AS e
        WHERE e.organization = about.organization AND e.type = 'organization.deleted'
    )::boolean AS deleted,
    EXISTS (SELECT FROM organizations AS other WHERE other.clerk_org_id IS NULL)::boolean AS any_unlinked
FROM (SELECT @organization::text AS organization) AS about
LEFT JOIN organizations AS linked ON linked.clerk_org_id = about.organization
LEFT JOIN outbox AS o ON o.topic = @topic AND o.key = about.organization;
