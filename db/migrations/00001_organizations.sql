-- Organizations, the facts their compliance score is calculated from, and the score itself.
-- Every closed set is an enum: its order is the order of scoring's Go types.

-- +goose Up
CREATE TYPE certification_tier AS ENUM ('ACCREDITED', 'CERTIFIED', 'MASTER_ROOFER');

CREATE TYPE iso_element AS ENUM (
    'QUALITY_POLICY', 'QUALITY_OBJECTIVES', 'ORG_STRUCTURE', 'PROCESS_MANAGEMENT', 'DOCUMENTATION',
    'TRAINING_COMPETENCE', 'CONTRACT_REVIEW', 'DOCUMENT_CONTROL', 'PURCHASING', 'CUSTOMER_PRODUCT',
    'TRACEABILITY', 'PROCESS_CONTROL', 'INSPECTION_TESTING', 'NONCONFORMING_PRODUCT',
    'CORRECTIVE_ACTION', 'HANDLING_STORAGE', 'QUALITY_RECORDS', 'INTERNAL_AUDITS', 'SERVICING'
);

CREATE TYPE document_status AS ENUM ('DRAFT', 'PENDING_APPROVAL', 'APPROVED', 'SUPERSEDED', 'ARCHIVED');

CREATE TYPE assessment_status AS ENUM (
    'COMPLIANT', 'PARTIAL', 'NON_COMPLIANT', 'NOT_ASSESSED', 'NOT_APPLICABLE'
);

CREATE TYPE policy_type AS ENUM (
    'PUBLIC_LIABILITY', 'PROFESSIONAL_INDEMNITY', 'STATUTORY_LIABILITY',
    'EMPLOYERS_LIABILITY', 'MOTOR_VEHICLE', 'CONTRACT_WORKS'
);

CREATE TYPE member_role AS ENUM ('OWNER', 'ADMIN', 'STAFF');

CREATE TYPE lbp_status AS ENUM ('CURRENT', 'SUSPENDED', 'CANCELLED', 'EXPIRED', 'NOT_FOUND');

CREATE TYPE audit_rating AS ENUM ('PASS', 'PASS_WITH_OBSERVATIONS', 'CONDITIONAL_PASS', 'FAIL');

CREATE TYPE capa_status AS ENUM ('OPEN', 'IN_PROGRESS', 'PENDING_VERIFICATION', 'CLOSED', 'OVERDUE');

CREATE TABLE organizations (
    -- COLLATE "C": ids are compared and paged as bytes, whatever the database's locale.
    id                  text COLLATE "C" PRIMARY KEY
                        CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$'),
    name                text NOT NULL CHECK (length(name) BETWEEN 1 AND 256),
    -- Ids go into Clerk's URL unescaped, hence the strict form.
    clerk_org_id        text COLLATE "C" UNIQUE CHECK (clerk_org_id ~ '^org_[A-Za-z0-9]{1,128}$'),
    certification_tier  certification_tier NOT NULL DEFAULT 'ACCREDITED',
    compliance_score    smallint CHECK (compliance_score BETWEEN 0 AND 100),
    documentation_score smallint CHECK (documentation_score BETWEEN 0 AND 100),
    insurance_score     smallint CHECK (insurance_score BETWEEN 0 AND 100),
    personnel_score     smallint CHECK (personnel_score BETWEEN 0 AND 100),
    audit_score         smallint CHECK (audit_score BETWEEN 0 AND 100),
    insurance_valid     boolean,
    calculated_at       timestamptz,
    -- The next instant at which a value above changes by the passing of time alone; null: never.
    recalculate_at      timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    -- A score is whole or not there at all; null is "not yet calculated", which is not zero.
    CONSTRAINT organizations_score_whole CHECK (
        num_nulls(compliance_score, documentation_score, insurance_score, personnel_score, audit_score,
            insurance_valid, calculated_at) IN (0, 7)),
    CONSTRAINT organizations_recalculate_later CHECK (recalculate_at > calculated_at)
)
-- Room on each page for the update that every calculation is.
WITH (fillfactor = 90);

-- Listing the organizations that wait for a Clerk id.
CREATE INDEX organizations_unlinked ON organizations (id) WHERE clerk_org_id IS NULL;

CREATE TABLE documents (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    iso_element     iso_element NOT NULL,
    status          document_status NOT NULL,
    deleted         boolean NOT NULL DEFAULT false
);
CREATE INDEX documents_organization_id ON documents (organization_id);

CREATE TABLE compliance_assessments (
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    iso_element     iso_element NOT NULL,
    status          assessment_status NOT NULL,
    -- double precision, as in the vectors; NaN sorts above 100 and so fails the check.
    score           double precision NOT NULL CHECK (score BETWEEN 0 AND 100),
    PRIMARY KEY (organization_id, iso_element)
);

CREATE TABLE insurance_policies (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    policy_type     policy_type NOT NULL,
    coverage_amount numeric(12, 2) NOT NULL CHECK (coverage_amount >= 0 AND coverage_amount <> 'NaN'),
    expiry_date     timestamptz NOT NULL CHECK (isfinite(expiry_date))
);
CREATE INDEX insurance_policies_organization_id ON insurance_policies (organization_id);

CREATE TABLE organization_members (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    role            member_role NOT NULL,
    lbp_number      text CHECK (length(lbp_number) <= 64),
    lbp_verified    boolean NOT NULL DEFAULT false,
    lbp_status      lbp_status,
    lbp_expiry      timestamptz CHECK (isfinite(lbp_expiry))
);
CREATE INDEX organization_members_organization_id ON organization_members (organization_id);

CREATE TABLE audits (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    completed_at    timestamptz CHECK (isfinite(completed_at)),
    rating          audit_rating
);
CREATE INDEX audits_organization_id ON audits (organization_id);

CREATE TABLE capa_records (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
    status          capa_status NOT NULL
);
CREATE INDEX capa_records_organization_id ON capa_records (organization_id);

-- +goose Down
DROP TABLE capa_records, audits, organization_members, insurance_policies, compliance_assessments, documents,
    organizations;
DROP TYPE capa_status, audit_rating, lbp_status, member_role, policy_type, assessment_status, document_status,
    iso_element, certification_tier;
