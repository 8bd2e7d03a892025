package triggers_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/triggers"
)

func actions(changes []triggers.Change) map[triggers.Action]int {
	counts := map[triggers.Action]int{}
	for _, c := range changes {
		counts[c.Action]++
	}
	return counts
}

// states are the triggers that are in another state than installed.
func (d *desk) amiss() map[string]triggers.State {
	d.t.Helper()
	amiss := map[string]triggers.State{}
	for _, t := range d.status().Triggers {
		if t.State != triggers.Installed {
			amiss[t.Table+" "+t.Name] = t.State
		}
	}
	return amiss
}

func TestInstall(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, pool: dbtest.New(t)}
	before := d.status()
	same(t, "absent and complete, before", [2]bool{before.Absent(), before.Complete()}, [2]bool{true, false})
	same(t, "installed", actions(d.install()), map[triggers.Action]int{triggers.ActionInstalled: 7})
	after := d.status()
	same(t, "absent and complete, after", [2]bool{after.Absent(), after.Complete()}, [2]bool{false, true})
	same(t, "triggers", after.Count(triggers.Installed), 34)
	same(t, "again", actions(d.install()), map[triggers.Action]int{triggers.ActionNone: 7})

	d.exec(organizations)
	d.exec(`DELETE FROM organization_change;
		ALTER TABLE documents DISABLE TRIGGER claimsync_update;
		ALTER TABLE audits ENABLE REPLICA TRIGGER claimsync_insert;
		ALTER TABLE insurance_policies ENABLE ALWAYS TRIGGER claimsync_insert;
		COMMENT ON TRIGGER claimsync_delete ON capa_records IS 'claimsync 000000000000';
		DROP TRIGGER claimsync_truncate ON organizations`)
	same(t, "amiss", d.amiss(), map[string]triggers.State{
		"documents claimsync_update": triggers.Disabled, "audits claimsync_insert": triggers.Disabled,
		"capa_records claimsync_delete": triggers.Outdated, "organizations claimsync_truncate": triggers.Missing,
	})
	same(t, "neither complete nor absent", [2]bool{d.status().Complete(), d.status().Absent()}, [2]bool{false, false})
	same(t, "mended", actions(d.install()), map[triggers.Action]int{triggers.ActionReplaced: 4, triggers.ActionNone: 3})
	same(t, "amiss, after", d.amiss(), map[string]triggers.State{})
	d.exec("UPDATE documents SET status = 'APPROVED' WHERE organization_id = 'a'")
	d.expect("by the one that was disabled", change{Organization: "a"})

	removed, err := triggers.Remove(t.Context(), d.pool)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "removed", actions(removed), map[triggers.Action]int{triggers.ActionRemoved: 7})
	if removed, err = triggers.Remove(t.Context(), d.pool); err != nil {
		t.Fatal(err)
	}
	same(t, "removed twice", actions(removed), map[triggers.Action]int{triggers.ActionNone: 7})
	d.exec("DELETE FROM documents; DELETE FROM organizations WHERE id = 'a'")
	d.expect("without triggers")
	var left int
	const functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'claimsync\\_%' AND prorettype = 'trigger'::regtype"
	if err := d.pool.QueryRow(t.Context(), functions).Scan(&left); err != nil {
		t.Fatal(err)
	}
	same(t, "functions that are left", left, 0)
}

// Whoever installs at the same time takes turns, and who prints gets what would be installed.
func TestInstallAtOnce(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, pool: dbtest.New(t)}
	var installing sync.WaitGroup
	var mu sync.Mutex
	total := map[triggers.Action]int{}
	for range 4 {
		installing.Go(func() {
			changes, err := triggers.Install(t.Context(), d.pool)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for action, n := range actions(changes) {
				total[action] += n
			}
		})
	}
	installing.Wait()
	same(t, "by all together", total, map[triggers.Action]int{triggers.ActionInstalled: 7, triggers.ActionNone: 21})

	sql, err := triggers.SQL(t.Context(), d.pool)
	if err != nil {
		t.Fatal(err)
	}
	other := &desk{t: t, pool: dbtest.New(t)}
	other.exec(sql)
	same(t, "amiss where it was printed and run", other.amiss(), map[string]triggers.State{})
}

// A transaction that has written a table is waited for; meanwhile others write it, and are not held for longer than the
// installation waits.
func TestInstallWaits(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, pool: dbtest.New(t)}
	d.exec(organizations)
	long := d.hasty()
	d.run(long, "UPDATE documents SET deleted = true WHERE organization_id = 'a'")
	installed := make(chan error, 1)
	go func() {
		_, err := triggers.Install(t.Context(), d.pool)
		installed <- err
	}()
	waiting := func() (n int) {
		const query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'documents'::regclass"
		if err := d.pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	d.until("it waits", func() bool { return waiting() == 1 })
	started := time.Now()
	d.exec("UPDATE documents SET deleted = true WHERE organization_id = 'b'") // queued behind it
	if waited := time.Since(started); waited > 10*time.Second {
		t.Errorf("a writer was held for %s", waited)
	}
	select {
	case err := <-installed:
		t.Fatalf("it ended beside the transaction: %v", err)
	default:
	}
	if err := long.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-installed; err != nil {
		t.Fatal(err)
	}
	same(t, "amiss", d.amiss(), map[string]triggers.State{})
}

func TestInstallWithoutTables(t *testing.T) {
	t.Parallel()
	_, err := triggers.Install(t.Context(), dbtest.NewEmpty(t))
	if err == nil || !strings.Contains(err.Error(), "run app migrate") {
		t.Errorf("got %v", err)
	}
}

// The migration goes back with the triggers installed: nobody's writes fail for want of the queue.
func TestQueueTakesTheTriggersAlong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	down := migrationDown(t)
	d.exec(down)
	d.exec("UPDATE documents SET deleted = true; DELETE FROM organizations")
	var left []string
	err := d.pool.QueryRow(t.Context(), "SELECT COALESCE(array_agg(proname::text), '{}') FROM pg_proc WHERE proname LIKE 'claimsync\\_%'").Scan(&left)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "functions that are left", slices.Sorted(slices.Values(left)), []string(nil))
}

// … also that of tables in other schemas of the search_path; and not those of another installation in the same database.
func TestQueueTakesTheTriggersAlongFromOtherSchemas(t *testing.T) {
	t.Parallel()
	const public = "public"
	u, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	along := func(path string) *desk {
		t.Helper()
		query := u.Query()
		query.Set("search_path", path)
		there := *u
		there.RawQuery = query.Encode()
		pool, err := db.Open(t.Context(), there.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return &desk{t: t, pool: pool}
	}
	admin := along(public)
	admin.exec(`CREATE SCHEMA "it's""theirs"; CREATE SCHEMA other; ALTER TABLE documents SET SCHEMA "it's""theirs"`)
	ours, other := along(`"it's""theirs",public`), along("other")
	if err := db.Migrate(t.Context(), other.pool, db.MigrateConfig{WithoutRiver: true}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*desk{ours, other} {
		d.exec(organizations)
		same(t, "installed", actions(d.install()), map[triggers.Action]int{triggers.ActionInstalled: 7})
	}
	other.noticed()
	ours.exec(migrationDown(t))
	ours.exec("UPDATE documents SET deleted = true; DELETE FROM audits; DELETE FROM organizations")
	same(t, "amiss elsewhere", other.amiss(), map[string]triggers.State{})
	other.exec("UPDATE documents SET deleted = true WHERE organization_id = 'a'")
	other.expect("elsewhere", change{Organization: "a"})
}

// Sessions have numbers in stock, so the first row of the queue need not be the oldest, of either kind.
func TestOldestIsNotTheFirst(t *testing.T) {
	t.Parallel()
	for _, bulk := range []string{"true", "false"} {
		d := newDesk(t)
		d.exec("INSERT INTO organization_change (bulk, organization_id) VALUES (" + bulk + ", 'a'), (" + bulk + ", 'b')")
		d.exec("UPDATE organization_change SET changed_at = now() - interval '1 h' WHERE organization_id = 'b'")
		queue, err := triggers.ReadQueue(t.Context(), d.pool)
		if err != nil || queue.Oldest < time.Hour {
			t.Errorf("bulk %s: the oldest has waited for %s, %v", bulk, queue.Oldest, err)
		}
	}
}
