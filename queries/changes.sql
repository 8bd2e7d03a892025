-- What foreign writers have changed, see docs/foreign-writers.md.

-- name: OrganizationChangesTake :many
-- Takes what was changed longest ago, or nearly so, with the organizations locked that it is of; what is of one that another
-- transaction has locked stays, and does not count. Of an organization all goes at once that is near: one that is written all
-- the time is calculated once for many changes. One that is gone has nothing to be calculated, but its claims may have to go.
-- The facts have to be read afterwards: what is changed after this snapshot has a row that is not in it.
WITH next AS MATERIALIZED (
    SELECT c.id, c.organization_id
    FROM organization_change AS c JOIN organizations AS o ON o.id = c.organization_id
    WHERE c.bulk = @bulk::boolean AND c.organization_id <> ALL(@skipped::text[])
    ORDER BY c.id LIMIT @max_rows::integer
    -- The organization first: a change of one that is locked is not even touched.
    FOR NO KEY UPDATE OF o SKIP LOCKED FOR UPDATE OF c SKIP LOCKED
),
-- As far as the above has come, which is to the end if it is not full.
loose AS MATERIALIZED (
    SELECT c.id, c.organization_id FROM organization_change AS c
    WHERE c.bulk = @bulk::boolean AND COALESCE(c.organization_id, c.clerk_org_id) <> ALL(@skipped::text[])
        AND c.id <= COALESCE((SELECT max(n.id) FROM next AS n HAVING count(*) >= @max_rows::integer), 9223372036854775807)
        -- Not an anti join, for which all organizations would be read; nor IS NULL, thought to be so rare that the plan is
        -- compiled.
        AND NOT COALESCE((SELECT true FROM organizations AS o WHERE o.id = c.organization_id), false)
    ORDER BY c.id LIMIT @max_rows::integer
    FOR UPDATE SKIP LOCKED
),
chosen AS MATERIALIZED (
    SELECT n.id, n.organization_id FROM next AS n UNION ALL SELECT l.id, l.organization_id FROM loose AS l
    ORDER BY id LIMIT @max_rows::integer
),
reach AS MATERIALIZED (
    SELECT min(near.id)::bigint AS first, max(near.id)::bigint AS last
    FROM (
        SELECT c.id FROM organization_change AS c
        WHERE c.bulk = @bulk::boolean AND c.id >= (SELECT min(h.id) FROM chosen AS h)
        ORDER BY c.id LIMIT @near_rows::integer
    ) AS near
),
-- Ranges and IS TRUE, so that the index is used and the set hashed whatever the planner thinks of a queue that was empty
-- a moment ago.
more AS MATERIALIZED (
    SELECT c.id FROM organization_change AS c
    WHERE c.bulk = @bulk::boolean AND c.id >= (SELECT r.first FROM reach AS r) AND c.id <= (SELECT r.last FROM reach AS r)
        AND (c.organization_id IN (SELECT h.organization_id FROM chosen AS h)) IS TRUE
    FOR UPDATE SKIP LOCKED
),
taken AS (
    DELETE FROM organization_change AS c
    WHERE c.bulk = @bulk::boolean AND c.id >= (SELECT r.first FROM reach AS r)
        AND c.id <= GREATEST((SELECT r.last FROM reach AS r), (SELECT max(h.id) FROM chosen AS h))
        AND (c.id IN (SELECT h.id FROM chosen AS h UNION ALL SELECT m.id FROM more AS m)) IS TRUE
    RETURNING c.bulk, c.id, c.organization_id, c.clerk_org_id, c.changed_at
)
SELECT t.bulk, t.organization_id, t.clerk_org_id, t.changed_at FROM taken AS t ORDER BY t.id;

-- name: OrganizationChangesWaiting :one
-- How many wait, counted no further than most, and for how long the oldest of the first of either kind has: their order is
-- that of time only roughly. One that was made in a long transaction counts from when it was made, although nobody could
-- see it.
SELECT
    (SELECT count(*) FROM (SELECT FROM organization_change AS w ORDER BY w.bulk, w.id LIMIT @most) AS waiting)::bigint AS changes,
    COALESCE(clock_timestamp() - LEAST(
        (SELECT min(c.changed_at) FROM (
            SELECT q.changed_at FROM organization_change AS q WHERE NOT q.bulk ORDER BY q.bulk, q.id LIMIT @most) AS c),
        (SELECT min(c.changed_at) FROM (
            SELECT q.changed_at FROM organization_change AS q WHERE q.bulk ORDER BY q.bulk, q.id LIMIT @most) AS c)), interval '0'
    )::interval AS oldest;

-- name: OrganizationChangeSince :one
-- Whether a change of an organization waits, and since when, by our id or by Clerk's; an empty one is neither. There is no
-- index for that, which each writer would pay for: it is looked for among the first that are to be taken of either kind, and
-- whether there may be more is told.
WITH looked_at AS (
    (SELECT c.bulk, c.organization_id, c.clerk_org_id, c.changed_at FROM organization_change AS c
        WHERE NOT c.bulk ORDER BY c.bulk, c.id LIMIT @most::bigint)
    UNION ALL
    (SELECT c.bulk, c.organization_id, c.clerk_org_id, c.changed_at FROM organization_change AS c
        WHERE c.bulk ORDER BY c.bulk, c.id LIMIT @most::bigint)
)
SELECT COALESCE(bool_or(l.organization_id = @id::text OR l.clerk_org_id = @clerk_org_id::text), false)::boolean AS waits,
    COALESCE(
        min(l.changed_at) FILTER (WHERE l.organization_id = @id::text OR l.clerk_org_id = @clerk_org_id::text), now()
    )::timestamptz AS since,
    (count(*) FILTER (WHERE l.bulk) >= @most::bigint
        OR count(*) FILTER (WHERE NOT l.bulk) >= @most::bigint)::boolean AS more
FROM looked_at AS l;

-- name: OrganizationChangesContended :one
-- An organization whose change has waited for long though it comes soon: most likely one that is locked whenever it would be
-- taken. Which, is left to chance, so that one that stays locked is not in the way; who has most changes has the best chance.
SELECT old.organization_id::text AS organization_id
FROM (
    (SELECT c.organization_id, c.changed_at FROM organization_change AS c
        WHERE NOT c.bulk ORDER BY c.bulk, c.id LIMIT @most::bigint)
    UNION ALL
    (SELECT c.organization_id, c.changed_at FROM organization_change AS c
        WHERE c.bulk ORDER BY c.bulk, c.id LIMIT @most::bigint)
) AS old
WHERE old.changed_at < clock_timestamp() - @patience::interval AND old.organization_id <> ALL(@skipped::text[])
ORDER BY random() LIMIT 1;

-- name: OrganizationChangesTakeOf :many
-- Takes what is near of an organization that is locked already.
WITH taken AS (
    DELETE FROM organization_change AS c
    WHERE c.organization_id = @organization_id::text
        AND (c.bulk AND c.id <= (SELECT max(b.id) FROM (
                SELECT n.id FROM organization_change AS n WHERE n.bulk ORDER BY n.bulk, n.id LIMIT @most::bigint) AS b)
            OR NOT c.bulk AND c.id <= (SELECT max(b.id) FROM (
                SELECT n.id FROM organization_change AS n WHERE NOT n.bulk ORDER BY n.bulk, n.id LIMIT @most::bigint) AS b))
    RETURNING c.bulk, c.id, c.organization_id, c.clerk_org_id, c.changed_at
)
SELECT t.bulk, t.organization_id, t.clerk_org_id, t.changed_at FROM taken AS t ORDER BY t.bulk, t.id;
