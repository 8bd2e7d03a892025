package torture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// history tells all that happened to a key, in order, by three clocks that are one on a single machine.
func (f *fleet) history(r *record) string {
	events := slices.Concat(r.commits(), r.sent(), r.applied(), r.recorded())
	events = append(events, f.attacked.all()...)
	slices.SortStableFunc(events, func(a, b event) int { return a.at.Compare(b.at) })

	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "  %s  %s\n", e.at.UTC().Format("15:04:05.000000"), e.what)
	}
	fmt.Fprintf(&b, "  in the end: desired %d, synced %d, dirty since %v, job %s, lease %v until %v, not before %v, in doubt since %v, verified at %v\n",
		r.row.DesiredVersion, r.row.SyncedVersion, r.row.DirtySince, f.job(r.row.JobID), r.row.LeaseToken, r.row.LeaseExpiresAt,
		r.row.NotBefore, r.row.DoubtedAt, r.row.VerifyAt)
	fmt.Fprintf(&b, "  at Clerk: %s %s\n", r.clerk.PublicMetadata, r.clerk.PrivateMetadata)
	return b.String()
}

func (r *record) commits() (events []event) {
	for _, c := range r.changes {
		events = append(events, event{c.At, fmt.Sprintf("change %d written as version %d", c.N, c.Version)})
	}
	return events
}

func (r *record) sent() (events []event) {
	for _, q := range r.requests {
		what := fmt.Sprintf("request %d: %s", q.Seq, q.Method)
		if q.Fault != "" {
			what += ", fault " + string(q.Fault)
		}
		events = append(events, event{q.Started, what})
		if !q.Finished.IsZero() {
			events = append(events, event{q.Finished, fmt.Sprintf("request %d ended with %d", q.Seq, q.Status)})
		}
	}
	return events
}

func (r *record) applied() (events []event) {
	for _, w := range r.writes {
		what := fmt.Sprintf("Clerk applied request %d: version %d, %s", w.Request, w.Version, w.PublicMetadata)
		if w.Late {
			what += ", late"
		}
		events = append(events, event{w.Applied, what})
	}
	return events
}

func (r *record) recorded() (events []event) {
	for _, d := range r.deliveries {
		what := fmt.Sprintf("recorded: version %d %s after %s", d.Version, d.Outcome, d.Duration.Round(time.Microsecond))
		if d.JobID != nil {
			what += fmt.Sprintf(", job %d", *d.JobID)
		}
		if d.Error != nil {
			what += ": " + *d.Error
		}
		events = append(events, event{d.FinishedAt, what})
	}
	return events
}

// job tells the state of a River job.
func (f *fleet) job(id *int64) string {
	if id == nil {
		return "none"
	}
	state := query[*string](f, `SELECT (SELECT state::text || ', attempt ' || attempt || ', attempted ' || coalesce(attempted_at::text, 'never')
		|| ', scheduled ' || scheduled_at FROM river.river_job WHERE id = $1)`, *id)
	return fmt.Sprintf("%d (%s)", *id, cmp.Or(deref(state), "gone"))
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
