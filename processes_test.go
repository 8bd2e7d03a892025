package claimsync_test

import (
	"context"
	"os"
	"testing"

	"github.com/claimsync/claimsync"
)

// A process is seen while it runs, is gone when it ends, and is dead when it is not seen any more.
func TestProcesses(t *testing.T) {
	t.Parallel()
	d := newDrifting(t, func(c *claimsync.Config) { c.Version = "v1.2.3" })
	fleet := func() []claimsync.Process {
		processes, _, err := d.sync.Processes(t.Context())
		d.must(err)
		return processes
	}
	stop := d.run(d.sync)
	d.run(newSyncOf(t, d.pool, nil))
	d.until("both are seen", func() bool { return len(fleet()) == 2 })
	for _, process := range fleet() {
		if !process.Alive || process.PID != os.Getpid() || process.Hostname == "" || process.Version == "" {
			t.Errorf("%+v", process)
		}
	}
	if first := fleet()[0]; first.Version != "v1.2.3" && fleet()[1].Version != "v1.2.3" {
		t.Errorf("versions: %+v", fleet())
	}
	stop()
	if n := len(fleet()); n != 1 {
		t.Errorf("%d processes after one ended, want 1", n)
	}
	d.exec(`INSERT INTO process (id, hostname, pid, version, started_at, seen_at)
		SELECT gen_random_uuid(), 'dead', i, 'v0', now() - interval '1 h', now() - i * interval '16 s' FROM generate_series(1, 13) AS i`)
	processes, more, err := d.sync.Processes(t.Context())
	d.must(err)
	if len(processes) != 11 || more != 3 || !processes[0].Alive || processes[1].Alive || processes[1].PID != 1 {
		t.Errorf("with thirteen that died: %d and %d more, %+v", len(processes), more, processes)
	}
}

// What is delivered is counted beside.
func TestActivityIsCounted(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.work()
	d.create("a")
	d.run(d.sync)
	d.until("the push is counted", func() bool {
		overview, err := d.sync.Overview(context.Background(), d.river)
		d.must(err)
		return len(overview.Activity) == 1 && overview.Activity[0].Outcome == "applied" && overview.Activity[0].Deliveries == 1
	})
}
