package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/sample"
	"github.com/claimsync/claimsync/scoring"
)

// ndjsonOf writes organizations as app import reads them.
func ndjsonOf(t testing.TB, organizations []scoring.OrganizationFacts) string {
	t.Helper()
	var lines bytes.Buffer
	for _, org := range organizations {
		line, err := json.Marshal(org)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	return lines.String()
}

func sampleOf(n int) []scoring.OrganizationFacts {
	return slices.Collect(sample.Organizations(3, n, time.Now()))
}

// query answers with one number.
func query(t testing.TB, url, sql string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if err := conn.QueryRow(context.Background(), sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Many processes may start at once on an empty database.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	database := []string{"DATABASE_URL=" + url}
	before := runApp(t, t.Context(), "", database, "status")
	if before.code != exitFailed || !strings.Contains(before.stderr, "run app migrate") {
		t.Errorf("status before: exit code %d: %s", before.code, before.stderr)
	}
	var processes errgroup.Group
	for range 6 {
		processes.Go(func() error {
			if got := runApp(t, t.Context(), "", database, "migrate", "--river-schema=jobs"); got.code != exitOK {
				return fmt.Errorf("exit code %d: %s", got.code, got.stderr)
			}
			return nil
		})
	}
	if err := processes.Wait(); err != nil {
		t.Error(err)
	}
	after := runApp(t, t.Context(), "", database, "status", "--json", "--river-schema=jobs")
	if after.code != exitOK || !strings.Contains(after.stdout, `"organizations":0`) {
		t.Errorf("status after: %+v", after)
	}
	if n := query(t, url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'jobs' AND tablename = 'river_job'"); n != 1 {
		t.Error("River's tables are not in the schema that was asked for")
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	database := []string{"DATABASE_URL=" + url}
	organizations := sampleOf(1200) // three batches
	file := filepath.Join(t.TempDir(), "organizations.ndjson")
	if err := os.WriteFile(file, []byte(ndjsonOf(t, organizations)), 0o600); err != nil {
		t.Fatal(err)
	}

	first := runApp(t, t.Context(), "", database, "import", file)
	if first.code != exitOK || first.stdout != "1200 created, 0 updated, 0 unchanged\n" {
		t.Fatalf("first import: %+v", first)
	}
	if !strings.Contains(first.stderr, "no Clerk id") {
		t.Errorf("no warning of unlinked organizations: %s", first.stderr)
	}
	jobs := query(t, url, "SELECT count(*) FROM river.river_job")
	if jobs != 1080 {
		t.Errorf("%d jobs, want one for each of the 1080 that are linked", jobs)
	}

	second := runApp(t, t.Context(), ndjsonOf(t, organizations), database, "import", "-", "--json")
	if second.code != exitOK || second.stdout != `{"created":0,"unchanged":1200,"updated":0}`+"\n" {
		t.Errorf("second import: %+v", second)
	}
	if n := query(t, url, "SELECT max(desired_version) FROM outbox"); n != 1 {
		t.Error("the second import marked organizations")
	}

	id := organizations[0].ID
	for _, args := range [][]string{{"--all"}, {id, organizations[1].ID, id}} {
		got := runApp(t, t.Context(), "", database, append([]string{"recalculate"}, args...)...)
		if got.code != exitOK || !strings.HasSuffix(got.stdout, " calculated, 0 changed\n") {
			t.Errorf("recalculate %s: %+v", args, got)
		}
	}
	missing := runApp(t, t.Context(), "", database, "recalculate", id, "nobody")
	if missing.code != exitFailed || !strings.Contains(missing.stderr, "no such organization: nobody") {
		t.Errorf("recalculating nobody: %+v", missing)
	}

	status := runApp(t, t.Context(), "", database, "status")
	for _, want := range []string{
		"No process is alive", "organizations 1200", "dirty 1080", "unlinked 120", "oldest change has waited", "processes none",
	} {
		if !strings.Contains(strings.Join(strings.Fields(status.stdout), " "), want) {
			t.Errorf("status does not say %q:\n%s", want, status.stdout)
		}
	}
}

// A file with anything wrong in it is not imported at all.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	database := []string{"DATABASE_URL=" + url}
	existing := `{"id":"taken","name":"Taken","clerk_org_id":"org_Taken","certification_tier":"CERTIFIED"}`
	if got := runApp(t, t.Context(), existing, database, "import", "-"); got.code != exitOK {
		t.Fatalf("%+v", got)
	}
	line := func(id, clerk, rest string) string {
		return fmt.Sprintf(`{"id":%q,"name":"N","clerk_org_id":%s,"certification_tier":"CERTIFIED"%s}`, id, clerk, rest)
	}
	tests := map[string]struct {
		input []string
		want  []string
	}{
		"malformed":          {[]string{line("a", "null", ""), `{"id":`}, []string{"line 2: "}},
		"unknown field":      {[]string{line("a", "null", `,"colour":"red"`)}, []string{"line 1: colour: "}},
		"now is no field":    {[]string{line("a", "null", `,"now":"2026-01-01T00:00:00Z"`)}, []string{"line 1: now: "}},
		"wrong type":         {[]string{line("a", "7", "")}, []string{"line 1: clerk_org_id: "}},
		"id missing":         {[]string{`{"name":"N","clerk_org_id":null,"certification_tier":"CERTIFIED"}`}, []string{"line 1: id: is required"}},
		"id with a slash":    {[]string{line("a/b", "null", "")}, []string{"line 1: id: "}},
		"Clerk id":           {[]string{line("a", `"org_1#f"`, "")}, []string{"line 1: clerk_org_id: "}},
		"id twice":           {[]string{line("a", "null", ""), "", line("a", "null", "")}, []string{"line 3: id: a is also on line 1"}},
		"Clerk id twice":     {[]string{line("a", `"org_1"`, ""), line("b", `"org_1"`, "")}, []string{"line 2: clerk_org_id: org_1 is also on line 1"}},
		"Clerk id elsewhere": {[]string{line("a", `"org_Taken"`, "")}, []string{"line 1: clerk_org_id: org_Taken is linked to organization taken"}},
		"several on a line": {
			[]string{line("a", "null", `,"assessments":[{"iso_element":"PURCHASING","status":"PARTIAL","score":-1},{"iso_element":"PURCHASING","status":"PARTIAL","score":101}]`)},
			[]string{"line 1: assessments[0].score: ", "line 1: assessments[1].score: ", "line 1: assessments[1].iso_element: "},
		},
		"many": {slices.Repeat([]string{`{}`}, 30), []string{"line 1: id: is required", "and 70 more"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input := append(slices.Clone(test.input), line("fine", `"org_Fine"`, ""))
			got := runApp(t, t.Context(), strings.Join(input, "\n"), database, "import", "-")
			if got.code != exitFailed || !strings.Contains(got.stderr, "Nothing was imported.") {
				t.Errorf("%+v", got)
			}
			for _, want := range test.want {
				if !strings.Contains(got.stderr, want) {
					t.Errorf("stderr does not say %q:\n%s", want, got.stderr)
				}
			}
			if shown := strings.Count(got.stderr, "line "); shown > maxProblemsShown {
				t.Errorf("%d problems shown, at most %d wanted", shown, maxProblemsShown)
			}
		})
	}
	t.Cleanup(func() {
		if n := query(t, url, "SELECT count(*) FROM organizations"); n != 1 {
			t.Errorf("%d organizations, want the one from before", n)
		}
	})
}
