package main

import (
	"context"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbtest"
)

// Somebody installs the triggers, looks at them, has one break, mends it, and removes them.
func TestTriggers(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	c := &console{t, []string{"DATABASE_URL=" + url}}
	c.says("triggers status", "documents missing", "is not noticed. To have it noticed: app triggers install")
	c.says("triggers install", "documents installed", "organizations installed", "app recalculate --all")
	c.says("triggers status", "documents installed", "What others than claimsync write is noticed.", "No change waits")
	if got := c.run(exitOK, "triggers", "install"); strings.Contains(got.stdout, "recalculate") || !strings.Contains(got.stdout, "unchanged") {
		t.Errorf("a second time: %s", got.stdout)
	}
	query(t, url, `WITH added AS (INSERT INTO organizations (id, name) VALUES ('a', 'A') RETURNING 1) SELECT count(*) FROM added`)
	query(t, url, `WITH aged AS (UPDATE organization_change SET changed_at = now() - interval '1 h' RETURNING 1) SELECT count(*) FROM aged`)
	c.says("triggers status", "Changes that wait to be calculated: 1, the first for 1h0m", "Is any app serve running?")
	status := c.object("triggers", "status")
	if status["state"] != "installed" || status["waiting"] != 1.0 || status["oldest_seconds"].(float64) < 3600 {
		t.Errorf("status: %v", status)
	}

	executeSQL(t, url, "ALTER TABLE audits DISABLE TRIGGER claimsync_delete")
	got := c.run(exitFailed, "triggers", "status")
	oneLine := strings.Join(strings.Fields(got.stdout), " ")
	if !strings.Contains(oneLine, "audits: claimsync_insert installed audits: claimsync_update installed audits: claimsync_delete disabled") ||
		!strings.Contains(oneLine, "To mend it: app triggers install") {
		t.Errorf("one is disabled: %s", got.stdout)
	}
	tables := c.object("triggers", "install")["tables"]
	want := map[string]any{"organizations": "unchanged", "documents": "unchanged", "compliance_assessments": "unchanged",
		"insurance_policies": "unchanged", "organization_members": "unchanged", "audits": "replaced", "capa_records": "unchanged"}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	if got := c.run(exitOK, "triggers", "print"); !strings.Contains(got.stdout, `CREATE OR REPLACE TRIGGER claimsync_insert AFTER INSERT ON "public"."documents"`) {
		t.Errorf("printed: %s", got.stdout)
	}
	c.says("triggers remove", "documents removed")
	c.says("triggers status", "documents missing", "is not noticed")
	c.says("log --operators", "triggers_install", "triggers_remove", ": 7 tables changed", ": 1 tables changed")
}

// Without the tables it says what to do.
func TestTriggersWithoutTables(t *testing.T) {
	t.Parallel()
	c := &console{t, []string{"DATABASE_URL=" + dbtest.EmptyURL(t)}}
	for _, command := range []string{"status", "install", "remove", "print"} {
		if got := c.run(exitFailed, "triggers", command); !strings.Contains(got.stderr, "app migrate") {
			t.Errorf("app triggers %s: %+v", command, got)
		}
	}
}

func executeSQL(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// Who does not ask is told all the same: by app doctor, and once by each app serve as it starts.
func TestTriggersAmissAreTold(t *testing.T) {
	i := install(t, 1)
	p := &patient{t: t, url: i.database, clerk: i.clerk, set: map[string]string{
		"DATABASE_URL": i.database, "CLERK_SECRET_KEY": testKey, "CLERK_API_URL": i.clerk.BaseURL(),
	}}
	c := &console{t, i.environment}
	const warning = "The triggers for foreign writers are not all in order"
	warnings := func() int {
		t.Helper()
		process := i.serve()
		process.Signal(syscall.SIGTERM)
		if code := process.Exit(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		return strings.Count(process.Log(), warning)
	}
	p.finds("triggers", skipped, "not before the database is migrated")
	if n := warnings(); n != 0 { // it migrates
		t.Errorf("%d warnings without any", n)
	}
	p.finds("triggers", skipped, "none are installed")
	c.run(exitOK, "triggers", "install")
	p.finds("triggers", passed, "all 34")
	if n := warnings(); n != 0 {
		t.Errorf("%d warnings with all in order", n)
	}
	i.exec("ALTER TABLE capa_records RENAME TO theirs; CREATE VIEW capa_records AS SELECT * FROM theirs")
	p.finds("triggers", passed, "all 29", "of what is a view")
	i.exec("DROP VIEW capa_records; ALTER TABLE theirs RENAME TO capa_records")
	i.exec("COMMENT ON TRIGGER claimsync_insert ON audits IS 'claimsync before'")
	p.finds("triggers", warned, "33 installed, 1 outdated", "app triggers install", "app recalculate --all")
	if n := warnings(); n != 1 {
		t.Errorf("%d warnings of an outdated one", n)
	}
	i.exec("ALTER TABLE documents DISABLE TRIGGER claimsync_update")
	p.finds("triggers", failed, "32 installed, 1 outdated, 1 disabled", "is noticed")
	i.exec("DROP TRIGGER claimsync_truncate ON organizations")
	p.finds("triggers", failed, "31 installed, 1 outdated, 1 disabled, 1 missing")
	if n := warnings(); n != 1 {
		t.Errorf("%d warnings of several", n)
	}
}
