package scoring

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// outputs are what is stored or synced of a result, which NextChange is about.
type outputs struct {
	overall, documentation, insurance, personnel, audit int
	insuranceValid                                      bool
}

func outputsAt(at time.Time, tier Tier, f *Facts) outputs {
	r := Calculate(at, tier, f)
	b := &r.Breakdown
	return outputs{r.OverallScore, b.Documentation.Score, b.Insurance.Score, b.Personnel.Score, b.Audit.Score,
		r.Metadata.InsuranceValid}
}

func TestNextChange(t *testing.T) {
	t.Parallel()
	const micro = time.Microsecond
	// lasting facts change in more than a year at the earliest, but for what a test changes.
	lasting := func() *Facts {
		f := flawless()
		for i := range f.InsurancePolicies {
			f.InsurancePolicies[i].ExpiryDate = testNow.AddDate(10, 0, 0)
		}
		f.Members[0].LBPExpiry, f.Members[1].LBPExpiry = nil, nil
		f.Audits = nil
		return f
	}
	first := func(expiresIn time.Duration) func(*Facts) {
		return func(f *Facts) { f.InsurancePolicies[0].ExpiryDate = testNow.Add(expiresIn) }
	}
	audited := func(ago time.Duration) func(*Facts) {
		return func(f *Facts) { f.Audits = []Audit{{ptr(testNow.Add(-ago)), ptr(Fail)}} }
	}
	tests := []struct {
		name   string
		change func(*Facts)
		want   time.Duration // from now; 0: the policies' far expiry
	}{
		{"far away", func(*Facts) {}, 0},
		{"to 60 days", first(60*days + micro), micro},
		{"to 30 days", first(60 * days), 30 * days},
		{"to the expiry", first(30 * days), 30 * days},
		{"past the expiry", first(0), micro},
		{"long past", first(-days), 0},
		{"licence", func(f *Facts) { f.Members[1].LBPExpiry = ptr(testNow.Add(days)) }, days + micro},
		{"licence expiring now", func(f *Facts) { f.Members[1].LBPExpiry = ptr(testNow) }, micro},
		{"second licence to expire", func(f *Facts) {
			f.Members[0].LBPExpiry, f.Members[1].LBPExpiry = ptr(testNow.Add(-days)), ptr(testNow.Add(days))
		}, 0},
		{"audit", audited(365 * days), days},
		{"audit a moment before", audited(366*days - micro), micro},
		{"audit overdue already", audited(366 * days), 0},
		{"audit, but at 0 already", func(f *Facts) {
			audited(365 * days)(f)
			f.CAPARecords = []CAPARecord{{CAPAOverdue}, {CAPAOverdue}, {CAPAOverdue}}
		}, 0},
		{"audit, almost at 0", func(f *Facts) {
			audited(365 * days)(f)
			f.CAPARecords = []CAPARecord{{CAPAOverdue}, {CAPAOverdue}}
		}, days},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := lasting()
			test.change(f)
			want := testNow.Add(test.want)
			if test.want == 0 {
				want = testNow.AddDate(10, 0, 0).Add(-60 * days)
			}
			if got := Calculate(testNow, Certified, f).NextChange; !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	if got := Calculate(testNow, Certified, &Facts{}).NextChange; !got.IsZero() {
		t.Errorf("without facts: got %v, want none", got)
	}
}

// TestNextChangeIsExact compares with brute force: every instant at which the rules can change their mind.
func TestNextChangeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f, tier := factsGen.Draw(t, "facts"), tierGen.Draw(t, "tier")
		now := testNow
		before := outputsAt(now, tier, &f)
		next := Calculate(now, tier, &f).NextChange

		if next.IsZero() {
			next = now.AddDate(400, 0, 0)
		} else {
			if !next.After(now) {
				t.Fatalf("next change %v is not after now %v", next, now)
			}
			if after := outputsAt(next, tier, &f); after == before {
				t.Fatalf("nothing changes at %v: %+v", next, after)
			}
		}
		probe := func(at time.Time) {
			if !at.After(now) || !at.Before(next) {
				return
			}
			if got := outputsAt(at, tier, &f); got != before {
				t.Fatalf("changes at %v already, before %v: %+v, was %+v", at, next, got, before)
			}
		}
		probe(next.Add(-time.Microsecond))
		probe(now.Add(time.Duration(rapid.Int64Range(0, int64(500*days)).Draw(t, "probe"))))
		for _, at := range turningPoints(&f) {
			probe(at.Add(-time.Microsecond))
			probe(at)
			probe(at.Add(time.Microsecond))
		}
	})
}

func turningPoints(f *Facts) (points []time.Time) {
	for _, p := range f.InsurancePolicies {
		points = append(points, p.ExpiryDate.Add(-60*days), p.ExpiryDate.Add(-30*days), p.ExpiryDate)
	}
	for _, m := range f.Members {
		if m.LBPExpiry != nil {
			points = append(points, *m.LBPExpiry)
		}
	}
	for _, a := range f.Audits {
		if a.CompletedAt != nil {
			points = append(points, a.CompletedAt.Add(366*days))
		}
	}
	return points
}
