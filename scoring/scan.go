package scoring

import (
	"encoding"
	"fmt"
)

// The closed sets are text enums in the database, and Money is NUMERIC(12,2). Scan lets a query read into them, which
// UnmarshalText alone does not: pgx does not look at it. Null belongs in a pointer.

func scan(into encoding.TextUnmarshaler, src any) error {
	switch src := src.(type) {
	case string:
		return into.UnmarshalText([]byte(src))
	case []byte:
		return into.UnmarshalText(src)
	default:
		return fmt.Errorf("scoring: cannot scan %T into %T", src, into)
	}
}

// Scan implements [database/sql.Scanner].
func (t *Tier) Scan(src any) error { return scan(t, src) }

// Scan implements [database/sql.Scanner].
func (e *Element) Scan(src any) error { return scan(e, src) }

// Scan implements [database/sql.Scanner].
func (s *DocumentStatus) Scan(src any) error { return scan(s, src) }

// Scan implements [database/sql.Scanner].
func (s *AssessmentStatus) Scan(src any) error { return scan(s, src) }

// Scan implements [database/sql.Scanner].
func (t *PolicyType) Scan(src any) error { return scan(t, src) }

// Scan implements [database/sql.Scanner].
func (r *Role) Scan(src any) error { return scan(r, src) }

// Scan implements [database/sql.Scanner].
func (s *LBPStatus) Scan(src any) error { return scan(s, src) }

// Scan implements [database/sql.Scanner].
func (r *AuditRating) Scan(src any) error { return scan(r, src) }

// Scan implements [database/sql.Scanner].
func (s *CAPAStatus) Scan(src any) error { return scan(s, src) }

// Scan implements [database/sql.Scanner].
func (m *Money) Scan(src any) error { return scan(m, src) }
