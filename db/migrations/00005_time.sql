-- Time: what changes although nobody writes anything, found by its instant.

-- +goose Up
ALTER TABLE organizations
    -- When insurance_valid becomes false by the passing of time alone; null: it is false, or never does. It is no later than
    -- recalculate_at is due, and says what is overdue most urgently.
    ADD COLUMN insured_until timestamptz;

-- A policy counts at the very instant of its expiry.
UPDATE organizations AS o SET insured_until = p.expiry + interval '1 microsecond'
FROM (
    SELECT organization_id, max(expiry_date) AS expiry FROM insurance_policies
    WHERE policy_type = 'PUBLIC_LIABILITY' GROUP BY organization_id
) AS p
WHERE p.organization_id = o.id AND o.insurance_valid;

CREATE INDEX organizations_recalculate_at ON organizations (recalculate_at) WHERE recalculate_at IS NOT NULL;
CREATE INDEX organizations_insured_until ON organizations (insured_until) WHERE insured_until IS NOT NULL;

-- +goose Down
DROP INDEX organizations_recalculate_at, organizations_insured_until;
ALTER TABLE organizations DROP COLUMN insured_until;
