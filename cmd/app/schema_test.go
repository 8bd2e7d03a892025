package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbtest"
)

// What a process finds that is not to migrate is said in one line: tables that it cannot work on, and those of a newer
// version, on which it can.
func TestSchemaOfAnotherVersion(t *testing.T) {
	i := install(t, 3)
	refused := func(lacks string) {
		t.Helper()
		for _, args := range [][]string{{"serve", "--no-migrate"}, {"migrate", "--check"}} {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // or a process that serves would go on
			defer cancel()
			got := runApp(t, ctx, "", i.environment, args...)
			want := "app: the database is behind this program, it lacks " + lacks + ": run app migrate\n"
			if got.code != exitFailed || got.stderr != want {
				t.Errorf("app %s: exit code %d, want 1 and %q:\n%s", strings.Join(args, " "), got.code, want, got.stderr)
			}
		}
	}
	c := &console{t, i.environment}
	c.run(exitFailed, "migrate", "--check")
	c.run(exitOK, "migrate")
	c.run(exitOK, "migrate", "--check")
	newest := i.query("SELECT max(version_id) FROM claimsync_migration")
	i.exec("DELETE FROM claimsync_migration WHERE version_id > 9")
	refused(fmt.Sprint("claimsync 10 to ", newest))

	i.exec(fmt.Sprint("INSERT INTO claimsync_migration (version_id, is_applied) SELECT i, true FROM generate_series(10, ", newest+1, ") AS i"))
	const ahead = "The database is ahead of this program"
	for _, flags := range [][]string{{"--no-migrate"}, nil} {
		log := i.serve(flags...).Log()
		if strings.Count(log, ahead) != 1 || !strings.Contains(log, fmt.Sprintf(`"migrations":"claimsync %d"`, newest+1)) {
			t.Errorf("app serve %s does not say once that it is behind:\n%s", flags, log)
		}
	}
	i.importAll()
	i.untilInStep()
}

func (i *installation) exec(sql string) {
	i.t.Helper()
	conn, err := pgx.Connect(i.t.Context(), i.database)
	if err != nil {
		i.t.Fatal(err)
	}
	defer func() { _ = conn.Close(i.t.Context()) }()
	if _, err := conn.Exec(i.t.Context(), sql); err != nil {
		i.t.Fatal(err)
	}
}

// One whose tables are of this version has nothing to say.
func TestSchemaOfThisVersion(t *testing.T) {
	t.Parallel()
	got := runApp(t, t.Context(), "", []string{"DATABASE_URL=" + dbtest.URL(t), "LOG_LEVEL=warn"}, "migrate", "--check")
	if got.code != exitOK || got.stderr != "" {
		t.Errorf("%+v", got)
	}
}

func TestRuns(t *testing.T) {
	t.Parallel()
	got := runs("claimsync", []int64{4, 6, 7, 9, 10, 11})
	if want := []string{"claimsync 4", "claimsync 6 to 7", "claimsync 9 to 11"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
