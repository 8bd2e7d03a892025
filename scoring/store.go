package scoring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// Marker records, in the transaction that changes them, that claims have changed, so that they are pushed once it commits.
type Marker interface {
	// QueueMarks adds its queries to a batch that is sent in the transaction.
	QueueMarks(ctx context.Context, batch *pgx.Batch, urgency Urgency, changed Changed) error
}

// Changed is what a transaction changes.
type Changed struct {
	ClerkOrgIDs []string // Clerk organizations, whose claims are to be pushed
	IDs         []string // the organizations of ours whose claims change, linked to Clerk or not
}

// Urgency says what is to be pushed before what.
type Urgency int

// The urgencies, the most urgent first.
const (
	UrgencyLive     Urgency = iota // somebody changed something
	UrgencyLapse                   // an insurance ran out
	UrgencyAging                   // time changed something else
	UrgencyBackfill                // many at once, of which few have changed
)

// Store keeps organizations, their facts and their scores in Postgres. Each of its methods that end in Tx does all its
// writing in the caller's transaction, the outbox mark included: all or nothing. It holds no state and is safe for
// concurrent use.
type Store struct {
	marker  Marker
	logger  *slog.Logger
	queries *dbsqlc.Queries
}

// NewStore returns a Store that announces changes to marker, and to logger the organizations that cannot be synced.
func NewStore(marker Marker, logger *slog.Logger) *Store {
	return &Store{marker: marker, logger: logger, queries: dbsqlc.New()}
}

// Organization is an organization with its score as it was last calculated.
type Organization struct {
	ID                string
	Name              string
	ClerkOrgID        *string // nil: not linked, so not synced
	CertificationTier Tier
	Score             *Score // nil: not yet calculated
}

// Score is what is stored of a calculation. Its parts are 0..100.
type Score struct {
	Overall        int
	Documentation  int
	Insurance      int
	Personnel      int
	Audit          int
	InsuranceValid bool
	CalculatedAt   time.Time
	RecalculateAt  time.Time // when time alone changes one of the above; zero: never
	InsuredUntil   time.Time // when time alone ends InsuranceValid; zero: it is false
}

// Result repeats the calculation of the stored score, for the parts of its result that are not stored; nil if there is no
// score. The two agree as long as the facts are changed through the Store; after others changed them, the parts are up to
// date before the score is.
func (o *Organization) Result(facts *Facts) *Result {
	if o.Score == nil {
		return nil
	}
	return new(Calculate(o.Score.CalculatedAt, o.CertificationTier, facts))
}

// The errors of a Store, besides those of the database.
var (
	// ErrNotFound: there is no organization with the id.
	ErrNotFound = errors.New("no such organization")
	// ErrIDTaken: another organization has the id.
	ErrIDTaken = errors.New("the id is taken")
	// ErrClerkOrgIDTaken: another organization is linked to the Clerk organization.
	ErrClerkOrgIDTaken = errors.New("the Clerk organization is linked to another organization")
)

// Get returns an organization with its facts, or ErrNotFound. Below REPEATABLE READ the lists may be of different
// instants.
func (s *Store) Get(ctx context.Context, tx pgx.Tx, id string) (Organization, Facts, error) {
	_, loaded, err := load(ctx, tx, dbsqlc.OrganizationGetMany, []string{id})
	if err != nil {
		return Organization{}, Facts{}, err
	}
	if len(loaded) == 0 {
		return Organization{}, Facts{}, fmt.Errorf("organization %s: %w", id, ErrNotFound)
	}
	return loaded[0].before, *loaded[0].facts, nil
}

// OrganizationOf translates a row.
func OrganizationOf(row dbsqlc.Organization) (Organization, error) {
	org := Organization{ID: row.ID, Name: row.Name, ClerkOrgID: row.ClerkOrgID}
	if err := org.CertificationTier.UnmarshalText([]byte(row.CertificationTier)); err != nil {
		return Organization{}, fmt.Errorf("organization %s: %w", row.ID, err)
	}
	if row.CalculatedAt == nil {
		return org, nil
	}
	org.Score = &Score{
		Overall:        int(*row.ComplianceScore),
		Documentation:  int(*row.DocumentationScore),
		Insurance:      int(*row.InsuranceScore),
		Personnel:      int(*row.PersonnelScore),
		Audit:          int(*row.AuditScore),
		InsuranceValid: *row.InsuranceValid,
		CalculatedAt:   *row.CalculatedAt,
	}
	if row.RecalculateAt != nil {
		org.Score.RecalculateAt = *row.RecalculateAt
	}
	if row.InsuredUntil != nil {
		org.Score.InsuredUntil = *row.InsuredUntil
	}
	return org, nil
}

func scoreOf(now time.Time, result *Result) *Score {
	return &Score{
		Overall:        result.OverallScore,
		Documentation:  result.Breakdown.Documentation.Score,
		Insurance:      result.Breakdown.Insurance.Score,
		Personnel:      result.Breakdown.Personnel.Score,
		Audit:          result.Breakdown.Audit.Score,
		InsuranceValid: result.Metadata.InsuranceValid,
		CalculatedAt:   now,
		RecalculateAt:  result.NextChange,
		InsuredUntil:   result.InsuredUntil,
	}
}

// notFound names the missing row.
func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// translate names the constraint that a write violated.
func translate(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	switch pgErr.ConstraintName {
	case "organizations_pkey":
		return ErrIDTaken
	case "organizations_clerk_org_id_key":
		return ErrClerkOrgIDTaken
	default:
		return err
	}
}
