package torture

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// disaster is a run during which the database breaks connections: processes under load, and witnesses.
type disaster struct {
	*fleet
	processes []*process
	witness   *witness
}

// underWay starts the processes and the load, and returns when both are in full swing.
func (f *fleet) underWay(seed uint64) *disaster {
	f.t.Helper()
	f.clerk.SetFaults(usual)
	d := &disaster{fleet: f, processes: f.startMany(2, processConfig{})}
	d.witness = f.witness(f.keys, 8, 5*time.Millisecond, seed)
	f.untilClerk("100 pushes", recovery, func() bool { return len(f.clerk.Writes()) > 100 })
	return d
}

// goesOn ends a disaster: from now on the database is well. The writers are the first to notice.
func (d *disaster) goesOn() {
	d.t.Helper()
	over := time.Now()
	d.attacked.note("the database is well again")
	d.pool.Reset() // the tester's own queries are not to meet what broke
	told := d.witness.told()
	d.until("the writers go on", recovery, func() bool { return d.witness.told() > told+100 })
	d.witness.stop()
	pushed := d.untilAllPushed(over)
	got := d.judge(tolerance{})
	d.t.Logf("%d changes, %d commits confirmed, %d failed; %d pushes, %d of them duplicates, %d verifications",
		got.changes, d.witness.told(), d.witness.failed.Load(), got.pushes, got.duplicates, got.verifications)
	bound(d.t, "every change pushed after the database is back", pushed, recovery)
	bound(d.t, "confirmed changes that are lost", d.witness.lost(), 0)
	if d.witness.failed.Load() == 0 {
		d.t.Error("no writer noticed anything: nothing broke")
	}
	for i, p := range d.processes {
		if p.Exited() {
			d.t.Errorf("process %d did not survive it", i)
		}
	}
}

// Every connection is cut, again and again, wherever it is.
func TestConnectionsAreTerminated(t *testing.T) {
	fullOnly(t)
	t.Parallel()
	seed := seed(t)
	d := newFleet(t, 30).underWay(seed)
	n := d.terminate(20*time.Second, rand.New(rand.NewPCG(seed, 0)))
	d.goesOn()
	t.Logf("%d connections terminated", n)
}

// terminate terminates all backends of the database but its own several times a second. Returns how many.
func (d *disaster) terminate(lasting time.Duration, random *rand.Rand) (terminated int) {
	d.t.Helper()
	ctx := d.t.Context()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	d.forAtLeast(lasting, func() bool {
		pause(ctx, time.Duration(50+random.IntN(250))*time.Millisecond)
		var n int
		err := conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`).Scan(&n)
		if err != nil {
			d.t.Fatal(err)
		}
		d.attacked.note("%d connections terminated", n)
		terminated += n
		return terminated >= 100
	})
	return terminated
}

// PostgreSQL crashes and comes back: what it had confirmed is there and reaches Clerk, with no help from anyone.
func TestPostgresCrashes(t *testing.T) {
	t.Parallel()
	tests := map[string]func(d *disaster, s *privateServer){
		"a backend is killed":  (*disaster).killBackend,
		"an immediate restart": (*disaster).restart,
	}
	for name, crash := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newPrivateServer(t)
			d := server.fleet(30).underWay(seed(t))
			crash(d, server)
			d.goesOn()
		})
	}
}

// killBackend kills one backend, whereupon the postmaster ends all others, recovers from the log and goes on.
func (d *disaster) killBackend(s *privateServer) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), recovery)
	defer cancel()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	victim := query[int](d.fleet, `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
		AND application_name = 'claimsync' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`)
	if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
		d.t.Fatal(err)
	}
	d.attacked.note("backend %d killed", victim)
	for conn.Ping(ctx) == nil { // it goes with the others
		pause(ctx, time.Millisecond)
	}
	if err := ctx.Err(); err != nil {
		d.t.Fatalf("the other backends live on: %v", err)
	}
	s.answers()
}

// restart shuts the server down without a checkpoint, and starts it again.
func (d *disaster) restart(s *privateServer) {
	d.t.Helper()
	postmaster := s.postmaster()
	if err := syscall.Kill(postmaster, syscall.SIGQUIT); err != nil {
		d.t.Fatal(err)
	}
	d.attacked.note("immediate shutdown")
	d.until("the server is gone", recovery, func() bool { return syscall.Kill(postmaster, 0) != nil })
	s.restart()
}
