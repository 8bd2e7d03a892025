-- Time, continued: filling the new column, and the indexes.

-- +goose Up
-- A policy counts at the very instant of its expiry.
UPDATE organizations AS o SET insured_until = p.expiry + interval '1 microsecond'
FROM (
    SELECT organization_id, max(expiry_date) AS expiry FROM insurance_policies
    WHERE policy_type = 'PUBLIC_LIABILITY' GROUP BY organization_id
) AS p
WHERE p.organization_id = o.id AND o.insurance_valid;

CREATE INDEX organizations_recalculate_at ON organizations (recalculate_at) WHERE recalculate_at IS NOT NULL;
CREATE INDEX organizations_insured_until ON organizations (insured_until) WHERE insured_until IS NOT NULL;

-- How often a key had to be overwritten lately, of which there are few, among all its deliveries, of which there are many.
CREATE INDEX outbox_delivery_overwritten ON outbox_delivery (topic, key, finished_at) WHERE outcome = 'overwritten';

-- +goose Down
DROP INDEX organizations_recalculate_at, organizations_insured_until, outbox_delivery_overwritten;
