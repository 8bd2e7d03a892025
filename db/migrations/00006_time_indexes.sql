-- Time, continued: filling the new column, and the indexes. Processes of the version before go on beside it: no statement
-- keeps writers from a table, and no organization is locked for longer than a batch takes. What breaks off begins anew at
-- the next start: an index that was not finished is there, invalid, and is dropped first.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    done text COLLATE "C" := '';
    upto text COLLATE "C";
BEGIN
    LOOP
        SELECT max(id) INTO upto FROM (SELECT id FROM organizations WHERE id > done ORDER BY id LIMIT 1000) AS batch;
        EXIT WHEN upto IS NULL;
        -- Locked before the policies are read, and in the order in which everybody locks them.
        PERFORM FROM organizations WHERE id > done AND id <= upto AND insurance_valid ORDER BY id FOR NO KEY UPDATE;
        -- A policy counts at the very instant of its expiry.
        UPDATE organizations AS o SET insured_until = p.expiry + interval '1 microsecond'
        FROM (
            SELECT organization_id, max(expiry_date) AS expiry FROM insurance_policies
            WHERE policy_type = 'PUBLIC_LIABILITY' AND organization_id > done AND organization_id <= upto
            GROUP BY organization_id
        ) AS p
        WHERE p.organization_id = o.id AND o.insurance_valid AND o.id > done AND o.id <= upto;
        COMMIT;
        done := upto;
    END LOOP;
END $$;
-- +goose StatementEnd

DROP INDEX CONCURRENTLY IF EXISTS organizations_recalculate_at;
CREATE INDEX CONCURRENTLY organizations_recalculate_at ON organizations (recalculate_at) WHERE recalculate_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS organizations_insured_until;
CREATE INDEX CONCURRENTLY organizations_insured_until ON organizations (insured_until) WHERE insured_until IS NOT NULL;

-- How often a key had to be overwritten lately, of which there are few, among all its deliveries, of which there are many.
DROP INDEX CONCURRENTLY IF EXISTS outbox_delivery_overwritten;
CREATE INDEX CONCURRENTLY outbox_delivery_overwritten ON outbox_delivery (topic, key, finished_at)
    WHERE outcome = 'overwritten';

-- +goose Down
DROP INDEX organizations_recalculate_at, organizations_insured_until, outbox_delivery_overwritten;
