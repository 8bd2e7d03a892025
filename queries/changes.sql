-- What foreign writers have changed, see docs/foreign-writers.md.

-- name: OrganizationChangesTake :many
-- Takes what was changed longest ago, or nearly so, with the organizations locked that it is of; what is of one that another transaction
-- has locked stays (not taken). An organization that is gone has nothing to be calculated, but its claims may have to go.
-- The facts have to be read afterwards: what is changed after this snapshot has a row that is not in it.
WITH next AS MATERIALIZED (
    SELECT c.bulk, c.id, c.organization_id, c.clerk_org_id, c.changed_at
    FROM organization_change AS c
    WHERE c.bulk = @bulk::boolean AND COALESCE(c.organization_id, c.clerk_org_id) <> ALL(@skipped::text[])
    ORDER BY c.id LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
),
locked AS MATERIALIZED (
    SELECT o.id FROM organizations AS o
    WHERE o.id IN (SELECT n.organization_id FROM next AS n)
    ORDER BY o.id
    FOR NO KEY UPDATE SKIP LOCKED
),
taken AS (
    DELETE FROM organization_change AS c
    USING next AS n
    WHERE c.bulk = n.bulk AND c.id = n.id AND (n.organization_id IS NULL
        OR EXISTS (SELECT FROM locked AS l WHERE l.id = n.organization_id)
        OR NOT EXISTS (SELECT FROM organizations AS o WHERE o.id = n.organization_id))
    RETURNING c.id
)
SELECT next.organization_id, next.clerk_org_id, next.changed_at, (taken.id IS NOT NULL)::boolean AS taken
FROM next LEFT JOIN taken ON taken.id = next.id
ORDER BY next.id;

-- name: OrganizationChangesWaiting :one
-- How many wait, counted no further than most, and for how long about the first has. One that was made in a long transaction counts
-- from when it was made, although nobody could see it.
SELECT
    (SELECT count(*) FROM (SELECT FROM organization_change AS w ORDER BY w.bulk, w.id LIMIT @most) AS waiting)::bigint AS changes,
    COALESCE(clock_timestamp() - LEAST(
        (SELECT c.changed_at FROM organization_change AS c WHERE NOT c.bulk ORDER BY c.bulk, c.id LIMIT 1),
        (SELECT c.changed_at FROM organization_change AS c WHERE c.bulk ORDER BY c.bulk, c.id LIMIT 1)), interval '0'
    )::interval AS oldest;
