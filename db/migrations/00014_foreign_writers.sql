-- Foreign writers: what others than claimsync have changed, until some process has calculated and marked it. It is only
-- added to by the functions below, and by the triggers of `app triggers install`: see docs/foreign-writers.md.

-- +goose Up
CREATE TABLE organization_change (
    -- One of many in a statement: these come after all others.
    bulk            boolean NOT NULL,
    -- Each session has numbers in stock: writers meet neither at the counter nor at the end of the index, which costs them
    -- more than all else here. So the order is that of time only roughly.
    id              bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000),
    -- Whose score is to be calculated; null: nobody's.
    organization_id text COLLATE "C",
    -- The Clerk organization that is to be pushed whatever comes of that; null: none.
    clerk_org_id    text COLLATE "C",
    changed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- In which order they are taken. There is no other constraint, and no foreign key: nobody who adds a row waits for
    -- anybody, nor does anybody wait for him.
    PRIMARY KEY (bulk, id)
)
-- A queue: its rows are dead within a second. Cutting empty pages off its end would lock the writers out.
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, vacuum_truncate = off);

-- For whoever wants no triggers: has scores calculated anew, and what changes pushed. Returns how many of the ids are
-- organizations. The names in a body like this were looked up when it was made, whatever the caller's search_path is.
-- +goose StatementBegin
CREATE FUNCTION claimsync_recalculate(VARIADIC organization_ids text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    WITH added AS (
        INSERT INTO organization_change (bulk, organization_id)
        SELECT count(*) OVER () > 100, o.id FROM organizations AS o WHERE o.id = ANY(organization_ids)
        RETURNING id
    )
    SELECT count(*) FROM added;
END;
-- +goose StatementEnd

-- Has organizations pushed even if nothing has changed: by our ids, or by Clerk's (org_…), also of such that no
-- organization is linked to any more, whose claims then go. Returns how many will be pushed.
-- +goose StatementBegin
CREATE FUNCTION claimsync_push(VARIADIC ids text[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    WITH pushed AS (
        SELECT o.clerk_org_id FROM organizations AS o WHERE o.id = ANY(ids) AND o.clerk_org_id IS NOT NULL
        UNION
        SELECT given.id FROM unnest(ids) AS given (id)
        WHERE given.id ~ '^org_[A-Za-z0-9]{1,128}$'
            AND NOT EXISTS (SELECT 1 FROM organizations AS o WHERE o.id = given.id)
    ),
    added AS (
        INSERT INTO organization_change (bulk, clerk_org_id)
        SELECT count(*) OVER () > 100, pushed.clerk_org_id FROM pushed
        RETURNING id
    )
    SELECT count(*) FROM added;
END;
-- +goose StatementEnd

-- They run with the rights of whoever migrates: whom they are for is to be said by a GRANT.
REVOKE EXECUTE ON FUNCTION claimsync_recalculate, claimsync_push FROM PUBLIC;

-- +goose Down
-- The triggers first, if there are any: without the table, whoever writes would fail. Their functions are where the tables
-- are, which need not be where the queue is, and name it in full.
-- +goose StatementBegin
DO $$
DECLARE
    queue text;
    installed regprocedure;
BEGIN
    SELECT format('"%s"."organization_change"', replace(n.nspname, '"', '""')) INTO queue
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = 'organization_change'::regclass;
    FOR installed IN
        SELECT p.oid FROM pg_proc AS p
        WHERE p.proname ~ '^claimsync_.*_(changed|written)$' AND p.prorettype = 'trigger'::regtype
            AND position('INSERT INTO ' || queue IN p.prosrc) > 0
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', installed);
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION claimsync_recalculate, claimsync_push;
DROP TABLE organization_change;
