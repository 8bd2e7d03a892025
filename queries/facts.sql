-- Facts are read for several organizations at once, in the order of their ids, and replaced list by list.
--
-- Each statement that writes says so to the triggers of foreign writers (db/triggers): claimsync.statement is when it was
-- received, so that it holds for no other statement of the transaction, which may well be somebody else's.

-- name: FactsDocuments :many
SELECT organization_id, iso_element, status, deleted FROM documents
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, id;

-- name: FactsAssessments :many
SELECT organization_id, iso_element, status, score FROM compliance_assessments
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, iso_element;

-- name: FactsPolicies :many
SELECT organization_id, policy_type, coverage_amount::text AS coverage_amount, expiry_date FROM insurance_policies
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, id;

-- name: FactsMembers :many
SELECT organization_id, role, lbp_number, lbp_verified, lbp_status, lbp_expiry FROM organization_members
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, id;

-- name: FactsAudits :many
SELECT organization_id, completed_at, rating FROM audits
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, id;

-- name: FactsCAPARecords :many
SELECT organization_id, status FROM capa_records
WHERE organization_id = ANY(@ids::text[]) ORDER BY organization_id, id;

-- name: FactsDeleteDocuments :exec
DELETE FROM documents USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsDeleteAssessments :exec
DELETE FROM compliance_assessments USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsDeletePolicies :exec
DELETE FROM insurance_policies USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsDeleteMembers :exec
DELETE FROM organization_members USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsDeleteAudits :exec
DELETE FROM audits USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsDeleteCAPARecords :exec
DELETE FROM capa_records USING set_config('claimsync.statement', statement_timestamp()::text, true) AS own
WHERE organization_id = ANY(@ids::text[]);

-- name: FactsInsertDocuments :exec
INSERT INTO documents (organization_id, iso_element, status, deleted)
SELECT unnest(@ids::text[]), unnest(@elements::text[])::iso_element, unnest(@statuses::text[])::document_status,
    unnest(@deleted::boolean[])
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: FactsInsertAssessments :exec
INSERT INTO compliance_assessments (organization_id, iso_element, status, score)
SELECT unnest(@ids::text[]), unnest(@elements::text[])::iso_element, unnest(@statuses::text[])::assessment_status,
    unnest(@scores::double precision[])
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: FactsInsertPolicies :exec
INSERT INTO insurance_policies (organization_id, policy_type, coverage_amount, expiry_date)
SELECT unnest(@ids::text[]), unnest(@types::text[])::policy_type, unnest(@coverages::text[])::numeric(12, 2),
    unnest(@expiries::timestamptz[])
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: FactsInsertMembers :exec
INSERT INTO organization_members (organization_id, role, lbp_number, lbp_verified, lbp_status, lbp_expiry)
SELECT unnest(@ids::text[]), unnest(@roles::text[])::member_role, unnest(@lbp_numbers::text[]),
    unnest(@lbp_verified::boolean[]), unnest(@lbp_statuses::text[])::lbp_status, unnest(@lbp_expiries::timestamptz[])
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: FactsInsertAudits :exec
INSERT INTO audits (organization_id, completed_at, rating)
SELECT unnest(@ids::text[]), unnest(@completed_ats::timestamptz[]), unnest(@ratings::text[])::audit_rating
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;

-- name: FactsInsertCAPARecords :exec
INSERT INTO capa_records (organization_id, status)
SELECT unnest(@ids::text[]), unnest(@statuses::text[])::capa_status
FROM set_config('claimsync.statement', statement_timestamp()::text, true) AS own;
