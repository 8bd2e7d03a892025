package scoring

import (
	"cmp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

// factTables are the lists of Facts in the database.
var factTables = []factTable{
	&factList[Document]{
		of: func(f *Facts) *[]Document { return &f.Documents }, load: dbsqlc.FactsDocuments,
		clear: dbsqlc.FactsDeleteDocuments, insert: dbsqlc.FactsInsertDocuments,
		fields: func(d *Document) []any { return []any{&d.Element, &d.Status, &d.Deleted} },
		columns: func(docs []Document) []any {
			return []any{
				column(docs, func(d Document) string { return d.Element.String() }),
				column(docs, func(d Document) string { return d.Status.String() }),
				column(docs, func(d Document) bool { return d.Deleted }),
			}
		},
		equal: func(a, b Document) bool { return a == b },
	},
	&factList[Assessment]{
		of: func(f *Facts) *[]Assessment { return &f.Assessments }, load: dbsqlc.FactsAssessments,
		clear: dbsqlc.FactsDeleteAssessments, insert: dbsqlc.FactsInsertAssessments,
		fields: func(a *Assessment) []any { return []any{&a.Element, &a.Status, &a.Score} },
		check:  (*Assessment).checkStored,
		columns: func(assessments []Assessment) []any {
			return []any{
				column(assessments, func(a Assessment) string { return a.Element.String() }),
				column(assessments, func(a Assessment) string { return a.Status.String() }),
				column(assessments, func(a Assessment) float64 { return a.Score }),
			}
		},
		order: func(a, b Assessment) int { return cmp.Compare(a.Element, b.Element) }, // the key of its table
		equal: func(a, b Assessment) bool { return a == b },
	},
	&factList[InsurancePolicy]{
		of: func(f *Facts) *[]InsurancePolicy { return &f.InsurancePolicies }, load: dbsqlc.FactsPolicies,
		clear: dbsqlc.FactsDeletePolicies, insert: dbsqlc.FactsInsertPolicies,
		fields: func(p *InsurancePolicy) []any { return []any{&p.Type, &p.CoverageAmount, &p.ExpiryDate} },
		columns: func(policies []InsurancePolicy) []any {
			return []any{
				column(policies, func(p InsurancePolicy) string { return p.Type.String() }),
				column(policies, func(p InsurancePolicy) string { return p.CoverageAmount.String() }),
				column(policies, func(p InsurancePolicy) time.Time { return p.ExpiryDate }),
			}
		},
		equal: func(a, b InsurancePolicy) bool {
			return a.Type == b.Type && a.CoverageAmount == b.CoverageAmount && a.ExpiryDate.Equal(b.ExpiryDate)
		},
	},
	&factList[Member]{
		of: func(f *Facts) *[]Member { return &f.Members }, load: dbsqlc.FactsMembers,
		clear: dbsqlc.FactsDeleteMembers, insert: dbsqlc.FactsInsertMembers,
		fields: func(m *Member) []any {
			return []any{&m.Role, &m.LBPNumber, &m.LBPVerified, &m.LBPStatus, &m.LBPExpiry}
		},
		columns: func(members []Member) []any {
			return []any{
				column(members, func(m Member) string { return m.Role.String() }),
				column(members, func(m Member) *string { return m.LBPNumber }),
				column(members, func(m Member) bool { return m.LBPVerified }),
				column(members, func(m Member) *string { return name(m.LBPStatus) }),
				column(members, func(m Member) *time.Time { return m.LBPExpiry }),
			}
		},
		equal: func(a, b Member) bool {
			return a.Role == b.Role && equal(a.LBPNumber, b.LBPNumber) && a.LBPVerified == b.LBPVerified &&
				equal(a.LBPStatus, b.LBPStatus) && equalTime(a.LBPExpiry, b.LBPExpiry)
		},
	},
	&factList[Audit]{
		of: func(f *Facts) *[]Audit { return &f.Audits }, load: dbsqlc.FactsAudits,
		clear: dbsqlc.FactsDeleteAudits, insert: dbsqlc.FactsInsertAudits,
		fields: func(a *Audit) []any { return []any{&a.CompletedAt, &a.Rating} },
		columns: func(audits []Audit) []any {
			return []any{
				column(audits, func(a Audit) *time.Time { return a.CompletedAt }),
				column(audits, func(a Audit) *string { return name(a.Rating) }),
			}
		},
		equal: func(a, b Audit) bool {
			return equalTime(a.CompletedAt, b.CompletedAt) && equal(a.Rating, b.Rating)
		},
	},
	&factList[CAPARecord]{
		of: func(f *Facts) *[]CAPARecord { return &f.CAPARecords }, load: dbsqlc.FactsCAPARecords,
		clear: dbsqlc.FactsDeleteCAPARecords, insert: dbsqlc.FactsInsertCAPARecords,
		fields: func(c *CAPARecord) []any { return []any{&c.Status} },
		columns: func(records []CAPARecord) []any {
			return []any{column(records, func(c CAPARecord) string { return c.Status.String() })}
		},
		equal: func(a, b CAPARecord) bool { return a == b },
	},
}

// factTable is one list of Facts in the database. Its queries are queued, so that all lists take one round trip.
type factTable interface {
	// queueLoad queues the reading of the list of every organization of into, by id.
	queueLoad(batch *pgx.Batch, ids []string, into map[string]*Facts)
	// queueReplace queues the writing of the lists that are given and differ from what is stored.
	queueReplace(batch *pgx.Batch, changes []factsChange)
	// differs reports whether the list is given and differs from what is stored.
	differs(stored, given *Facts) bool
}

// factsChange replaces the lists of given that are not nil.
type factsChange struct {
	id     string
	stored *Facts // brought up to date
	given  *Facts
}

type factList[T any] struct {
	of                  func(*Facts) *[]T
	load, clear, insert string
	fields              func(*T) []any   // where to scan load's columns after the organization's id
	check               func(*T) error   // of a row that was read; nil: what cannot be is refused in reading it
	columns             func([]T) []any  // insert's parameters after the organizations' ids
	order               func(a, b T) int // of the stored rows; nil: as given
	equal               func(a, b T) bool
}

func (l *factList[T]) queueLoad(batch *pgx.Batch, ids []string, into map[string]*Facts) {
	batch.Queue(l.load, ids).Query(func(rows pgx.Rows) error {
		var id string
		var fact T
		fields := append([]any{&id}, l.fields(&fact)...)
		for rows.Next() {
			var none T
			fact = none // what is null must not stay from the row before
			if err := rows.Scan(fields...); err != nil {
				return err
			}
			if l.check != nil {
				if err := l.check(&fact); err != nil {
					return err
				}
			}
			list := l.of(into[id])
			*list = append(*list, fact)
		}
		return rows.Err()
	})
}

func (l *factList[T]) queueReplace(batch *pgx.Batch, changes []factsChange) {
	var cleared, owners []string
	var facts []T
	for _, change := range changes {
		if !l.differs(change.stored, change.given) {
			continue
		}
		stored, given := l.of(change.stored), l.ordered(change.given)
		if len(*stored) > 0 {
			cleared = append(cleared, change.id)
		}
		owners = append(owners, slices.Repeat([]string{change.id}, len(given))...)
		facts = append(facts, given...)
		*stored = given
	}
	if len(cleared) > 0 {
		batch.Queue(l.clear, cleared)
	}
	if len(owners) > 0 {
		batch.Queue(l.insert, append([]any{owners}, l.columns(facts)...)...)
	}
}

func (l *factList[T]) differs(stored, given *Facts) bool {
	return *l.of(given) != nil && !slices.EqualFunc(*l.of(stored), l.ordered(given), l.equal)
}

// ordered is the given list in the order in which it would be read back.
func (l *factList[T]) ordered(given *Facts) []T {
	if l.order == nil {
		return *l.of(given)
	}
	return slices.SortedFunc(slices.Values(*l.of(given)), l.order)
}

// factsDiffer reports whether a list is given and differs from what is stored.
func factsDiffer(stored, given *Facts) bool {
	return slices.ContainsFunc(factTables, func(table factTable) bool { return table.differs(stored, given) })
}

func column[T, C any](facts []T, value func(T) C) []C {
	values := make([]C, len(facts))
	for i, fact := range facts {
		values[i] = value(fact)
	}
	return values
}

func name[T interface{ String() string }](word *T) *string {
	if word == nil {
		return nil
	}
	return new((*word).String())
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func equalTime(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Equal(*b)
}
