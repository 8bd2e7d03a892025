package claimsync_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/outbox"
	"github.com/claimsync/claimsync/scoring"
)

// More missing than there: it is not the organizations that are amiss.
func TestDriftAtAnotherInstance(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ours, deleted int
		strangers     int
		missing       int // -1: it is another instance
	}{
		"another instance":      {ours: 12, deleted: 12, strangers: 3, missing: -1},
		"an empty one":          {ours: 12, deleted: 12, missing: -1},
		"ours are few":          {ours: 2, deleted: 2, strangers: 1, missing: 2},
		"most of many":          {ours: 150, deleted: 140, missing: -1},
		"a few":                 {ours: 12, deleted: 2, missing: 2},
		"most, but of few":      {ours: 6, deleted: 5, missing: 5},
		"half of many":          {ours: 24, deleted: 12, missing: 12},
		"nothing is linked yet": {strangers: 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t)
			ids := numbered("o", test.ours)
			d.create(ids...)
			d.asPushed()
			for _, id := range ids[:test.deleted] {
				d.clerk.RemoveOrganization("org_" + id)
			}
			for _, id := range numbered("s", test.strangers) {
				d.clerk.AddOrganization("org_"+id, id)
			}
			report, err := d.sync.CheckDrift(t.Context(), d.waker, repairing)
			if test.missing < 0 {
				if !errors.Is(err, claimsync.ErrOtherInstance) || !strings.Contains(err.Error(), "CLERK_SECRET_KEY") {
					t.Errorf("got %+v, %v", report, err)
				}
				if d.is("SELECT count(*) > 0 FROM outbox WHERE verify_at IS NOT NULL OR dirty_since IS NOT NULL") {
					t.Error("something is to be pushed there")
				}
				if n := len(d.listRequests()); n > 2 {
					t.Errorf("%d list calls to find out", n)
				}
				return
			}
			if err != nil || report.Kinds[claimsync.DriftMissing] != test.missing {
				t.Errorf("got %+v, %v", report, err)
			}
		})
	}
}

// Somebody else writes the same keys: they are pushed over a few times, and then left to a person, and said to be.
func TestDriftConflict(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.create("a", "b")
	d.work()
	d.synced()
	const theirs = `{"certification_tier":"MASTER_ROOFER"}`
	for n := 1; n <= 3; n++ {
		d.edit("a", theirs)
		if report := d.check(repairing); report.Repaired != 1 || report.Contested != 0 {
			t.Fatalf("the %d. time: %+v", n, *report)
		}
		d.synced()
		if report := d.check(looking); report.Drifted != 0 {
			t.Fatalf("the %d. time it was not repaired: %+v", n, *report)
		}
	}
	d.edit("a", theirs)
	d.edit("b", theirs)
	writes := len(d.clerk.Writes())
	for _, options := range []claimsync.DriftOptions{looking, repairing, repairing} {
		report := d.check(options)
		if first := report.Drifts[0]; report.Contested != 1 || !first.Contested || first.Repaired || first.ClerkOrgID != "org_a" {
			t.Errorf("not seen as contested: %+v", *report)
		}
		d.synced()
	}
	for _, write := range d.clerk.Writes()[writes:] {
		if write.Organization != "org_b" {
			t.Errorf("the fight goes on: %+v", write)
		}
	}
	if len(d.clerk.Writes()) != writes+1 {
		t.Errorf("%d writes for the other one", len(d.clerk.Writes())-writes)
	}
	e, err := d.sync.Explain(t.Context(), d.river, "a")
	d.must(err)
	if said := strings.Join(e.InWords(), "\n"); !e.Contested || !strings.Contains(said, "somebody else writes the same keys") {
		t.Errorf("why: %s", said)
	}
	last, err := d.sync.LastDriftCheck(t.Context())
	d.must(err)
	if last.Report == nil || last.Report.Contested != 1 {
		t.Errorf("kept: %+v", last)
	}

	d.tier("a", scoring.Accredited) // a change of ours is pushed as ever
	d.synced()
	if d.check(looking).Drifted != 0 {
		t.Error("a change of what is contested was not pushed")
	}
	d.exec("UPDATE outbox_delivery SET finished_at = finished_at - interval '25 hours'")
	d.edit("a", theirs)
	if report := d.check(repairing); report.Repaired != 1 {
		t.Errorf("the next day: %+v", *report)
	}
}

// A key that changed between being found and being handed over is not drift.
func TestDriftSuperseded(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.create("a", "b")
	d.asPushed() // no worker, which would be at work on the change before the repair sees it
	d.edit("a", `{}`)
	d.edit("b", `{}`)
	release := make(chan struct{})
	d.lists.after = func(n int) {
		if n != 2 {
			return
		}
		// A change that commits once the comparison has been made: it holds the row, and so the repair has to wait for it.
		marked := make(chan struct{})
		go func() {
			defer close(release)
			tx, err := d.pool.Begin(context.Background())
			if err == nil {
				err = d.sync.Outbox().MarkTx(context.Background(), tx, d.waker, claimsync.Topic, outbox.PriorityLive, "org_a")
			}
			close(marked)
			for err == nil {
				var waiting bool
				err = d.pool.QueryRow(context.Background(), `SELECT count(*) > 0 FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
				if waiting {
					break
				}
			}
			if err == nil {
				err = tx.Commit(context.Background())
			}
			if err != nil {
				t.Error(err)
			}
		}()
		<-marked
	}
	report := d.check(repairing)
	<-release
	d.expectKinds(report, map[string][]claimsync.DriftKind{"org_b": {claimsync.DriftMissingKey}})
	if report.Pending != 1 || report.Repaired != 1 || report.Drifted != 1 {
		t.Errorf("report: %+v", *report)
	}
}
