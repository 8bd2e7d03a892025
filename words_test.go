package claimsync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river/rivertype"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// noon is now, in the time zone in which times are shown.
var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.Local)

func before(d time.Duration) *time.Time { return new(noon.Add(-d)) }
func after(d time.Duration) *time.Time  { return new(noon.Add(d)) }

func TestExplanationInWords(t *testing.T) {
	t.Parallel()
	whole := outbox.Standing{Rate: 1}
	dirty := outbox.Status{State: outbox.StateDirty, DesiredVersion: 2, SyncedVersion: 1, DirtySince: before(12 * time.Second)}
	const isDirty = "Acme is dirty: a change of 2026-07-01 11:59:48 UTC (12 s ago) is on its way."
	tests := map[string]struct {
		e    claimsync.Explanation
		want []string
	}{
		"unlinked": {
			claimsync.Explanation{State: claimsync.StateUnlinked, WaitingFor: claimsync.WaitingForLink},
			[]string{
				"Acme is unlinked: it has no Clerk id, so there is nothing to push to.",
				"It is pushed as soon as it gets a Clerk id.",
			},
		},
		"clean": {
			claimsync.Explanation{
				State: outbox.StateClean, WaitingFor: claimsync.WaitingForNothing,
				Row: outbox.Detail{Status: outbox.Status{SyncedAt: before(3 * time.Hour)}},
			},
			[]string{"Acme is clean: Clerk has had its latest state since 2026-07-01 09:00:00 UTC (3 h ago)."},
		},
		"parked": {
			claimsync.Explanation{
				State: outbox.StateParked, WaitingFor: claimsync.WaitingForRedrive,
				Row: outbox.Detail{
					Status:   outbox.Status{LastError: new("clerk: park: status 422"), ParkedReason: new("park 422")},
					ParkedAt: before(72 * time.Hour), Failures: 1,
				},
			},
			[]string{
				"Acme is parked: Clerk does not have its latest change, and none is on its way.",
				`It was given up on at 2026-06-28 12:00:00 UTC (3 days ago), for the reason "park 422". It is not pushed again ` +
					"until it changes, or somebody says so: app redrive acme",
				"The last try ended with: clerk: park: status 422",
			},
		},
		"retrying": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForRetry, Until: after(3 * time.Second),
				Row: outbox.Detail{Status: withError(dirty, "clerk: outage: status 503"), Failures: 4},
			},
			[]string{
				isDirty, "It is tried again at 2026-07-01 12:00:03 UTC (in 3 s).",
				"It failed 4 times in a row, the last time with: clerk: outage: status 503",
			},
		},
		"leased by a probe": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForAnswer,
				Row: outbox.Detail{
					Status: dirty, JobID: new(int64(7)), LeasedAt: before(time.Second), LeaseEnds: after(7 * time.Second),
				},
				Gate: claimsync.Gate{Destination: outbox.Standing{
					Rate: 1, Breaker: &outbox.Breaker{Cause: outbox.CauseOutage, Since: noon.Add(-time.Minute)},
				}},
			},
			[]string{isDirty, "It is being pushed right now, by a probe, begun at 2026-07-01 11:59:59 UTC (1 s ago). If nothing is heard of that, " +
				"another takes over at 2026-07-01 12:00:07 UTC (in 7 s)."},
		},
		"read back": {
			claimsync.Explanation{
				State: outbox.StateClean, WaitingFor: claimsync.WaitingForAnswer,
				Row: outbox.Detail{JobID: new(int64(7)), LeasedAt: before(0), LeaseEnds: after(8 * time.Second)},
			},
			[]string{"Acme is clean: Clerk has its latest state.", "It is being read back right now, by job 7, begun at 2026-07-01 12:00:00 UTC (now). " +
				"If nothing is heard of that, another takes over at 2026-07-01 12:00:08 UTC (in 8 s)."},
		},
		"blocked": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForRetryAfter,
				Row: outbox.Detail{Status: withError(dirty, "429")},
				Gate: claimsync.Gate{Destination: outbox.Standing{
					Rate: 1, Blocked: &outbox.Block{Until: noon.Add(8 * time.Second), Reason: "429"},
				}},
			},
			[]string{isDirty, "It waits like all others. Clerk told everybody to wait until 2026-07-01 12:00:08 UTC (in 8 s): 429"},
		},
		"breaker open": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForBreaker, Row: outbox.Detail{Status: dirty},
				Gate: claimsync.Gate{Destination: outbox.Standing{Rate: 1, Breaker: &outbox.Breaker{
					Cause: outbox.CauseOutage, Reason: "503", Since: noon.Add(-10 * time.Minute),
					NextProbe: after(4 * time.Second), Probes: 9,
				}}},
			},
			[]string{isDirty, "It waits like all others for the breaker. The breaker has been open since 2026-07-01 11:50:00 UTC " +
				"(10 min ago): Clerk fails or does not answer (503). Nothing is pushed but probes: 9 so far, the next at 2026-07-01 12:00:04 UTC (in 4 s)."},
		},
		"paced": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForBudget, Until: after(time.Second),
				Row: outbox.Detail{Status: dirty},
			},
			[]string{isDirty, "It waits for its own budget, since Clerk admits only so many writes to one organization: the next " +
				"push is at 2026-07-01 12:00:01 UTC (in 1 s)."},
		},
		"in the queue for long": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForWorker, Row: outbox.Detail{Status: dirty},
				Job: &rivertype.JobRow{ID: 7, State: rivertype.JobStateAvailable, ScheduledAt: noon.Add(-time.Minute)},
			},
			[]string{isDirty, "It is in the queue: job 7, available since 2026-07-01 11:59:00 UTC (60 s ago). Either there is much " +
				"before it, or no app serve runs."},
		},
		"at its turn": {
			claimsync.Explanation{
				State: outbox.StateDirty, WaitingFor: claimsync.WaitingForWorker, Row: outbox.Detail{Status: dirty},
				Job: &rivertype.JobRow{ID: 7, State: rivertype.JobStateRunning},
			},
			[]string{isDirty, "It is in the queue: job 7, running, waits for its turn to call Clerk."},
		},
		"clean, but stale by the passing of time": {
			claimsync.Explanation{
				Organization: &scoring.Organization{ID: "acme", Name: "Acme", Score: &scoring.Score{RecalculateAt: *before(time.Hour)}},
				State:        outbox.StateClean, WaitingFor: claimsync.WaitingForNothing,
			},
			[]string{
				"Acme is clean: Clerk has its latest state.",
				"Its score is stale: time changed it at 2026-07-01 11:00:00 UTC (60 min ago), and it is not recalculated yet. Every app " +
					"serve does that within seconds, what cannot be calculated is in its log. By hand: app recalculate acme",
			},
		},
		"in doubt, and the queue paused": {
			claimsync.Explanation{
				State: outbox.StateClean, WaitingFor: claimsync.WaitingForVerification,
				Row:  outbox.Detail{DoubtedAt: before(2 * time.Second), VerifyAt: after(8 * time.Second)},
				Gate: claimsync.Gate{Queue: claimsync.Queue{Known: true, PausedAt: before(time.Hour)}},
			},
			[]string{
				"Acme is clean: Clerk has its latest state.",
				"It is in doubt: a push that was given up on may still land, or Clerk was seen to differ. Clerk is read back " +
					"at 2026-07-01 12:00:08 UTC (in 8 s), and pushed over if it is wrong.",
				"A person paused River's queue clerk_organization at 2026-07-01 11:00:00 UTC (60 min ago): nothing is pushed until it " +
					"is resumed, in River UI.",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := test.e
			if e.Organization == nil {
				e.Organization = &scoring.Organization{ID: "acme", Name: "Acme"}
			}
			e.Gate.Now = noon
			if e.Gate.Destination.Rate == 0 {
				e.Gate.Destination = whole
			}
			if diff := cmp.Diff(here(test.want), e.InWords()); diff != "" {
				t.Errorf("in words (-want +got):\n%s", diff)
			}
		})
	}
}

// here puts the zone of this machine for UTC.
func here(said []string) []string {
	local := make([]string, len(said))
	for i, text := range said {
		local[i] = strings.ReplaceAll(text, " UTC ", noon.Format(" MST "))
	}
	return local
}

func withError(status outbox.Status, message string) outbox.Status {
	status.LastError = &message
	return status
}

func TestGateInWords(t *testing.T) {
	t.Parallel()
	breaker := func(cause outbox.Cause, next *time.Time) claimsync.Gate {
		return claimsync.Gate{Destination: outbox.Standing{
			Rate: 1, Breaker: &outbox.Breaker{Cause: cause, Reason: "R", Since: noon, NextProbe: next, Probes: 2},
		}}
	}
	tests := map[string]struct {
		gate claimsync.Gate
		want []string // in the order of the paragraphs
	}{
		"nothing": {claimsync.Gate{Destination: outbox.Standing{Rate: 1}}, nil},
		"outage": {
			breaker(outbox.CauseOutage, after(time.Second)),
			[]string{"probes: 2 so far, the next at 2026-07-01 12:00:01 UTC (in 1 s)"},
		},
		"configuration": {
			breaker(outbox.CauseConfiguration, after(time.Second)),
			[]string{"refuses us whatever we send (R). Check CLERK_SECRET_KEY"},
		},
		"operator": {
			breaker(outbox.CauseOperator, nil),
			[]string{"a person opened it (R). Nothing is pushed until: app breaker close"},
		},
		"slowed down": {claimsync.Gate{Destination: outbox.Standing{Rate: 0.49}}, []string{"of our share, 49 % is used"}},
		"the breaker's own pause": {
			claimsync.Gate{
				Destination: outbox.Standing{Rate: 1, Blocked: &outbox.Block{Until: noon, Reason: "429"}},
				Queue:       claimsync.Queue{Known: true, PausedAt: &noon, PausedByBreaker: true},
			},
			[]string{"Clerk told everybody to wait until 2026-07-01 12:00:00 UTC (now): 429"},
		},
	}
	for name, test := range tests {
		test.gate.Now = noon
		got := test.gate.InWords()
		if len(got) != len(test.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q does not say %q", name, got[i], want)
			}
		}
	}
}
