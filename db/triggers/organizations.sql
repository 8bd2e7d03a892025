-- Whoever changes what is pushed of an organization has it pushed: its tier and its link. What Clerk has of one that was
-- unlinked, linked elsewhere or deleted has to go, so its Clerk id of before is pushed too. And its score is calculated, as
-- the tier is part of it; a score that was written by hand is calculated over. The id of one that is gone is for destinations
-- that are keyed by it.
CREATE OR REPLACE FUNCTION {{.Function}}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    {{template "own"}}

    IF TG_OP = 'UPDATE' THEN
        -- What is not pushed, as a name, is compared here: claimsync pushes whatever it is told to.
        IF NOT EXISTS (SELECT FROM claimsync_written OFFSET 1) THEN
            -- One row is the usual case, and has to be quick: to begin an aggregate takes longer than this.
            INSERT INTO {{.Changes}} (bulk, organization_id, clerk_org_id)
            SELECT false, changed.id, changed.clerk_org_id
            FROM claimsync_written AS w, claimsync_before AS b,
                LATERAL (VALUES (true, w.id, w.clerk_org_id), (false, b.id, b.clerk_org_id)) AS changed (now, id, clerk_org_id)
            WHERE (w.id, w.clerk_org_id, w.certification_tier, w.compliance_score, w.insurance_valid)
                IS DISTINCT FROM (b.id, b.clerk_org_id, b.certification_tier, b.compliance_score, b.insurance_valid)
                AND (changed.now OR (w.id, w.clerk_org_id) IS DISTINCT FROM (b.id, b.clerk_org_id));
        ELSE
            INSERT INTO {{.Changes}} (bulk, organization_id, clerk_org_id)
            SELECT count(*) OVER () >= {{.Many}}, changed.id, changed.clerk_org_id
            FROM (
                SELECT DISTINCT id, clerk_org_id
                FROM (
                    SELECT id, clerk_org_id, certification_tier, compliance_score, insurance_valid, 1 AS n FROM claimsync_written
                    UNION ALL
                    SELECT id, clerk_org_id, certification_tier, compliance_score, insurance_valid, -1 FROM claimsync_before
                ) AS both_of_them
                GROUP BY id, clerk_org_id, certification_tier, compliance_score, insurance_valid
                HAVING sum(n) <> 0
            ) AS changed;
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO {{.Changes}} (bulk, organization_id, clerk_org_id)
        SELECT count(*) OVER () >= {{.Many}}, id, clerk_org_id FROM claimsync_written;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO {{.Changes}} (bulk, organization_id, clerk_org_id)
        SELECT count(*) OVER () >= {{.Many}}, id, clerk_org_id FROM claimsync_written;
    ELSE -- before TRUNCATE
        INSERT INTO {{.Changes}} (bulk, organization_id, clerk_org_id) SELECT true, id, clerk_org_id FROM {{.Table}};
    END IF;
    RETURN NULL;
END
$function$;
-- Or anybody could call it for a table of his own. Whoever writes this one needs no right to it.
REVOKE EXECUTE ON FUNCTION {{.Function}}() FROM PUBLIC;

CREATE OR REPLACE TRIGGER claimsync_insert AFTER INSERT ON {{.Table}}
    REFERENCING NEW TABLE AS claimsync_written
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
CREATE OR REPLACE TRIGGER claimsync_update AFTER UPDATE ON {{.Table}}
    REFERENCING NEW TABLE AS claimsync_written OLD TABLE AS claimsync_before
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
CREATE OR REPLACE TRIGGER claimsync_delete AFTER DELETE ON {{.Table}}
    REFERENCING OLD TABLE AS claimsync_written
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
CREATE OR REPLACE TRIGGER claimsync_truncate BEFORE TRUNCATE ON {{.Table}}
    FOR EACH STATEMENT EXECUTE FUNCTION {{.Function}}();
