-- Whoever writes a row of {{.Table}} has the score of its organization calculated anew, in the same transaction or not at
-- all. It only adds rows to a queue, so it neither waits for anybody nor makes anybody wait. It runs with the rights of the
-- queue's owner: who may write {{.Table}} needs no others.

-- Most statements write one row, and their writers are to notice nothing. A comparison with the row of before, an aggregate,
-- even a look whether there are more rows: each takes as long as this. So it is claimsync that finds out whether an
-- organization is there twice, or has the score it had. A fixed search_path would take a third of it too: instead, nothing
-- in here is looked up by one. (The transition table's name goes before all others.)
CREATE OR REPLACE FUNCTION {{.Written}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $function$
DECLARE
    noticed bigint;
BEGIN
    {{template "own"}}

    INSERT INTO {{.Changes}} (bulk, organization_id)
    SELECT false, organization_id FROM claimsync_written LIMIT {{.Many}};
    GET DIAGNOSTICS noticed = ROW_COUNT;
    -- Of many each organization once, behind everything else.
    IF noticed OPERATOR(pg_catalog.=) {{.Many}} THEN
        INSERT INTO {{.Changes}} (bulk, organization_id)
        SELECT DISTINCT true, organization_id FROM claimsync_written;
    END IF;
    RETURN NULL;
END
$function$;
-- Or anybody could call it for a table of his own. Whoever writes this one needs no right to it.
REVOKE EXECUTE ON FUNCTION {{.Written}}() FROM PUBLIC;

-- The rest, which is rarer.
CREATE OR REPLACE FUNCTION {{.Function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    {{template "own"}}

    IF TG_OP = 'DELETE' THEN
        -- With an organization its facts go too: there is nothing to be calculated then.
        INSERT INTO {{.Changes}} (bulk, organization_id)
        SELECT count(*) OVER () >= {{.Many}}, gone.organization_id
        FROM (SELECT DISTINCT organization_id FROM claimsync_written) AS gone
        WHERE EXISTS (SELECT FROM {{.Organizations}} AS o WHERE o.id = gone.organization_id);
    ELSIF TG_LEVEL = 'ROW' THEN -- it had been another's
        INSERT INTO {{.Changes}} (bulk, organization_id) VALUES (false, OLD.organization_id);
    ELSE -- TRUNCATE
        INSERT INTO {{.Changes}} (bulk, organization_id) SELECT true, id FROM {{.Organizations}};
    END IF;
    RETURN NULL;
END
$function$;
REVOKE EXECUTE ON FUNCTION {{.Function}}() FROM PUBLIC;

CREATE OR REPLACE TRIGGER claimsync_insert AFTER INSERT ON {{.Table}}
    REFERENCING NEW TABLE AS claimsync_written
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Written}}();
CREATE OR REPLACE TRIGGER claimsync_update AFTER UPDATE ON {{.Table}}
    REFERENCING NEW TABLE AS claimsync_written
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Written}}();
CREATE OR REPLACE TRIGGER claimsync_move AFTER UPDATE OF organization_id ON {{.Table}}
    FOR EACH ROW WHEN (OLD.organization_id <> NEW.organization_id) EXECUTE FUNCTION {{.Function}}();
CREATE OR REPLACE TRIGGER claimsync_delete AFTER DELETE ON {{.Table}}
    REFERENCING OLD TABLE AS claimsync_written
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
CREATE OR REPLACE TRIGGER claimsync_truncate AFTER TRUNCATE ON {{.Table}}
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
