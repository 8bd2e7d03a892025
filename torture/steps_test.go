package torture

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/dbtest/pgproxy"
)

const (
	// recovery is P9: how long a kill may delay a push. Most take until the lease is over; one that is not claimed yet
	// goes on at once, unless the server fetched its job for the dead process with the last it had sent.
	recovery = 20 * time.Second
	// startPatience is how long a process may take to start and migrate, beside all that a busy machine does: nothing is promised.
	startPatience = time.Minute
	// promptly is for what needs no lease to expire, on a busy machine.
	promptly = 5 * time.Second
)

// stage is a process that is to die, behind a proxy of its own, and one organization.
type stage struct {
	*fleet
	victim *process
	proxy  *pgproxy.Proxy
	key    string
}

func newStage(t *testing.T, paused bool) *stage {
	t.Helper()
	t.Parallel()
	f := newFleet(t, 1)
	if paused {
		f.pauseQueue()
	}
	proxy := f.proxy()
	return &stage{fleet: f, proxy: proxy, key: f.keys[0], victim: f.start(processConfig{databaseURL: proxy.URL()})}
}

// proxy starts a proxy before the database.
func (f *fleet) proxy() *pgproxy.Proxy {
	f.t.Helper()
	proxy, err := pgproxy.Start(f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			f.t.Error(err)
		}
	})
	return proxy
}

// await waits until the breakpoint is hit.
func (s *stage) await(b *pgproxy.Breakpoint) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), recovery)
	defer cancel()
	if err := b.Wait(ctx); err != nil {
		s.t.Fatal(err)
	}
}

// killAt kills the process when it is at the breakpoint. What is held never arrives.
func (s *stage) killAt(b *pgproxy.Breakpoint) {
	s.t.Helper()
	s.await(b)
	s.victim.Kill()
	b.Sever()
}

// promote asks the process for a change by its API, and does not wait for the answer.
func (s *stage) promote() {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPatch, s.victim.api+"/v1/organizations/o0",
		bytes.NewBufferString(`{"certification_tier":"MASTER_ROOFER"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_ = answer.Body.Close()
		}
	}()
	s.t.Cleanup(func() { <-done; http.DefaultClient.CloseIdleConnections() })
}

// commitAfter is the commit of the transaction whose last statement matches.
func (s *stage) commitAfter(statement string) *pgproxy.Breakpoint {
	return s.proxy.BreakBefore("^commit$", pgproxy.Following(statement))
}

// changeDuringPush changes the organization twice, the second time while the push of the first is still to be acknowledged.
// Returns the commit of the transaction that does so, and inserts the next job.
func (s *stage) changeDuringPush() *pgproxy.Breakpoint {
	s.t.Helper()
	acknowledge := s.proxy.BreakBefore("OutboxAcknowledge")
	s.changeNow(s.key)
	s.await(acknowledge)
	s.changeNow(s.key)
	commit := s.commitAfter("OutboxWake")
	acknowledge.Release()
	return commit
}

// A process is killed at each step of the protocol. Another one finishes what it left.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	change := func(s *stage) { s.changeNow(s.key) }
	tests := map[string]struct {
		kill       func(s *stage)
		tier       string // in the end
		duplicates int    // pushes that had to be repeated
		paused     bool   // the queue, so that no worker gets to the job before it is deleted
	}{
		"before the commit": {func(s *stage) {
			commit := s.commitAfter("OutboxGet")
			s.promote()
			s.killAt(commit)
		}, "", 0, false},
		"after the commit, which its caller does not learn of": {func(s *stage) {
			commit := s.commitAfter("OutboxGet")
			s.promote()
			s.await(commit)
			s.victim.Kill()
			commit.Release() // it is under way
		}, "MASTER_ROOFER", 0, false},
		"after the claim": {func(s *stage) {
			claimed := s.proxy.BreakAfter("OutboxClaim", pgproxy.Answering("claimed"))
			change(s)
			s.killAt(claimed)
		}, "CERTIFIED", 0, false},
		"before sending": {func(s *stage) {
			read := s.proxy.BreakAfter("OrganizationClaims")
			change(s)
			s.killAt(read)
		}, "CERTIFIED", 0, false},
		"after Clerk applied, before the answer": {func(s *stage) {
			s.clerk.SetFaults(clerktest.Fault{Effect: clerktest.Late, Count: 1})
			change(s)
			s.untilClerk("applied", promptly, func() bool { return len(s.clerk.Writes()) == 1 })
			s.victim.Kill()
		}, "CERTIFIED", 1, false},
		"after the answer, before the acknowledgement": {func(s *stage) {
			acknowledge := s.proxy.BreakBefore("OutboxAcknowledge")
			change(s)
			s.killAt(acknowledge)
		}, "CERTIFIED", 1, false},
		"after the acknowledgement, which its worker does not learn of": {func(s *stage) {
			acknowledged := s.proxy.BreakAfter("OutboxAcknowledge")
			change(s)
			s.killAt(acknowledged)
		}, "CERTIFIED", 0, false},
		"before the commit of an acknowledgement with the next job": {func(s *stage) {
			s.killAt(s.changeDuringPush())
		}, "CERTIFIED", 0, false},
		"after the commit of an acknowledgement with the next job": {func(s *stage) {
			commit := s.changeDuringPush()
			s.await(commit)
			s.victim.Kill()
			commit.Release()
		}, "CERTIFIED", 0, false},
		"during a sweep": {func(s *stage) {
			found := s.proxy.BreakAfter("OutboxSweep ", pgproxy.Answering("org_0"))
			change(s)
			s.exec("DELETE FROM river.river_job")
			s.killAt(found)
			s.resumeQueue()
		}, "CERTIFIED", 0, true},
		"after a sweep inserted the job": {func(s *stage) {
			change(s)
			s.exec("DELETE FROM river.river_job")
			s.killAt(s.commitAfter("OutboxWake"))
			s.resumeQueue()
		}, "CERTIFIED", 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, test.paused)
			test.kill(s)
			killed := time.Now()
			s.start(processConfig{})
			s.until("every change is pushed", recovery, func() bool {
				return s.dirty() == 0
			})
			took := time.Since(killed)
			s.settle(recovery)
			got := s.judge(tolerance{})
			if organization, _ := s.clerk.Organization(s.key); claimsOf(organization.PublicMetadata).Tier != test.tier {
				t.Errorf("Clerk has %s, want tier %q", organization.PublicMetadata, test.tier)
			}
			if got.duplicates != test.duplicates {
				t.Errorf("%d pushes were repeated, want %d", got.duplicates, test.duplicates)
			}
			bound(t, "pushed after the kill", took.Round(time.Millisecond), recovery)
		})
	}
}

// A commit whose notification nobody hears, since its process died with it and the other's are lost.
func TestNotificationIsLost(t *testing.T) {
	s := newStage(t, false)
	other := s.fleet.proxy()
	other.DropNotifications(true)
	s.start(processConfig{databaseURL: other.URL()})
	commit := s.commitAfter("OutboxGet")
	s.promote()
	s.await(commit)
	s.victim.Kill()
	commit.Release()
	took := s.until("pushed", recovery, func() bool { return len(s.clerk.Writes()) == 1 })
	bound(t, "pushed after a commit without notification", took.Round(time.Millisecond), recovery)
}

// A process dies during the very first migration; the next one goes on from there.
func TestKilledDuringMigration(t *testing.T) {
	t.Parallel()
	steps := []string{
		"CREATE TABLE .*river_job", "CREATE TABLE outbox_delivery", "INSERT INTO claimsync_migration", // the short version
		"CREATE SCHEMA", "river_job_state_in_bitmask", "CREATE TABLE organizations", "ALTER TYPE delivery_outcome",
	}
	for _, at := range sized(steps[:3], steps) {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			f := &fleet{t: t, url: dbtest.EmptyURL(t), clerk: startClerk(t)}
			proxy := f.proxy()
			breakpoint := proxy.BreakAfter(at)
			victim := f.launch(processConfig{databaseURL: proxy.URL()})
			ctx, cancel := context.WithTimeout(t.Context(), startPatience)
			defer cancel()
			if err := breakpoint.Wait(ctx); err != nil {
				t.Fatal(err)
			}
			victim.Kill()
			breakpoint.Sever()

			begun := time.Now()
			f.startMany(2, processConfig{}) // they take turns
			bound(t, "ready after the kill", time.Since(begun).Round(time.Millisecond), startPatience)
			g := newFleetOn(t, f.url, 3)
			g.clerk = f.clerk
			for _, key := range g.keys {
				g.clerk.AddOrganization(key, key)
			}
			g.changeNow(g.keys...)
			g.settle(promptly)
			g.judge(tolerance{})
		})
	}
}
