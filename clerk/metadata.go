package clerk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/organization"
)

// Metadata is what an organization's Clerk metadata should hold of ours. Nil removes the key.
type Metadata struct {
	CertificationTier *string
	ComplianceScore   *int // 0..100
	InsuranceValid    *bool

	// AsOf is the instant at which the values above were read: what was committed before is in them. It travels with them
	// into the tokens, in UTC and seconds, so that whoever decides by one can see how old they are. Zero removes it. It is
	// never compared: values that are as they should be are so whenever they were read.
	AsOf time.Time

	// Version stamps the write. It is kept in private_metadata, where no front end sees it, and tells which state
	// Clerk has.
	Version int64
}

// The keys of ours, in public_metadata and private_metadata. All others belong to somebody else.
const (
	keyCertificationTier = "certification_tier"
	keyComplianceScore   = "compliance_score"
	keyInsuranceValid    = "insurance_valid"
	keyAsOf              = "claims_as_of"
	keyStamp             = "claimsync"
)

// Keys returns the keys of the values in public_metadata, in the order in which they are shown.
func Keys() []string { return []string{keyCertificationTier, keyComplianceScore, keyInsuranceValid} }

type publicMetadata struct {
	// No omitempty: a null is what removes the key at Clerk.
	CertificationTier *string `json:"certification_tier"`
	ComplianceScore   *int    `json:"compliance_score"`
	InsuranceValid    *bool   `json:"insurance_valid"`
	AsOf              *string `json:"claims_as_of"`
}

// Public returns the public metadata as they are sent, JSON with a null for each key that is to be gone.
func (m Metadata) Public() json.RawMessage {
	public, err := json.Marshal(publicMetadata{m.CertificationTier, m.ComplianceScore, m.InsuranceValid, m.asOf()})
	if err != nil {
		panic(err) // strings, integers and booleans always have a JSON
	}
	return public
}

// asOf rounds down: the values are never older than it says.
func (m Metadata) asOf() *string {
	if m.AsOf.IsZero() {
		return nil
	}
	return new(m.AsOf.UTC().Truncate(time.Second).Format(time.RFC3339))
}

type privateMetadata struct {
	Stamp stamp `json:"claimsync"`
}

type stamp struct {
	Version int64 `json:"version"`
}

var organizationID = regexp.MustCompile(`^org_[A-Za-z0-9]+$`)

// ValidOrganizationID tells whether id has the form of a Clerk organization ID. The SDK puts IDs into the path as they
// are, so that anything else could reach another endpoint.
func ValidOrganizationID(id string) bool { return organizationID.MatchString(id) }

var (
	errUnconfirmed  = errors.New("the answer does not confirm the values sent")
	errOtherAnswer  = errors.New("the answer is not the organization asked for")
	errTierEncoding = errors.New("the certification tier is not valid UTF-8")
)

// PushMetadata makes the organization's metadata at Clerk say what m says, and leaves the keys of others alone. It
// returns nil only if the answer confirms it; otherwise an *Error says what to do. Pushing the same state twice is
// harmless; the caller makes sure that no two pushes for one organization are in flight.
//
// https://clerk.com/docs/reference/backend-api/tag/organizations/patch/organizations/{organization_id}/metadata
func (c *Client) PushMetadata(ctx context.Context, organizationID string, m Metadata) (Receipt, error) {
	params, err := metadataParams(m)
	if err == nil {
		err = checkOrganizationID(organizationID)
	}
	if err != nil {
		return Receipt{}, &Error{Action: Park, Err: err}
	}
	patch := func(ctx context.Context) (*clerksdk.Organization, error) {
		return c.organizations.UpdateMetadata(ctx, organizationID, params)
	}
	_, receipt, err := c.call(ctx, writes, patch, func(answer Organization) error {
		switch {
		case answer.ID != organizationID:
			return errOtherAnswer
		case !answer.Confirms(m):
			return errUnconfirmed
		}
		return nil
	})
	return receipt, err
}

func metadataParams(m Metadata) (*organization.UpdateMetadataParams, error) {
	// encoding/json would replace the bad bytes, and the answer could never confirm them.
	if m.CertificationTier != nil && !utf8.ValidString(*m.CertificationTier) {
		return nil, errTierEncoding
	}
	private, err := json.Marshal(privateMetadata{stamp{m.Version}})
	if err != nil {
		return nil, err
	}
	return &organization.UpdateMetadataParams{
		PublicMetadata:  clerksdk.JSONRawMessage(m.Public()),
		PrivateMetadata: clerksdk.JSONRawMessage(private),
	}, nil
}

func checkOrganizationID(id string) error {
	if !ValidOrganizationID(id) {
		return fmt.Errorf("%q is not a Clerk organization ID", oneLine(id))
	}
	return nil
}
