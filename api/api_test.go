package api

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the listings anew")

const module = "github.com/claimsync/claimsync"

// unlisted packages can be imported, but are nobody's to build on.
var unlisted = map[string]string{
	"/api":               "these tests",
	"/db/dbsqlc":         "generated from our queries",
	"/db/dbtest":         "for our tests",
	"/db/dbtest/pgproxy": "for our tests",
	"/db/localpg":        "for our tests, and the demo",
	"/outbox/model":      "a model of the protocol",
	"/torture":           "tests",
}

// TestAPI: what is exported is what the listings have.
func TestAPI(t *testing.T) {
	t.Parallel()
	listings := listAll(t)
	for name, listing := range listings {
		if *update {
			if err := os.WriteFile(name, []byte(listing), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		checked, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Split(string(checked), "\n"), strings.Split(listing, "\n")); diff != "" {
			t.Errorf("%s: the API changed (-before +now). If that is meant: go test ./api -update, and the CHANGELOG.\n%s", name, diff)
		}
	}
	files, err := filepath.Glob("*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if _, known := listings[name]; !known {
			t.Errorf("%s lists a package that is not there, or not public", name)
		}
	}
}

// leaks are the types of unlisted and internal packages that a public signature names nevertheless.
var leaks = []string{
	"scoring.txt: func OrganizationOf(row dbsqlc.Organization) (Organization, error)", // package claimsync lists by its own queries
}

// TestNoLeaks: whoever sees a signature can name its types.
func TestNoLeaks(t *testing.T) {
	t.Parallel()
	var found []string
	for name, listing := range listAll(t) {
		for line := range strings.Lines(listing) {
			if strings.Contains(line, "dbsqlc.") || strings.Contains(line, "/internal/") {
				found = append(found, name+": "+strings.TrimSpace(line))
			}
		}
	}
	slices.Sort(found)
	if diff := cmp.Diff(leaks, found); diff != "" {
		t.Errorf("public signatures with types that nobody else can name (-known +found):\n%s", diff)
	}
}

// listAll returns the listings of the public packages, by the name of their file.
func listAll(t *testing.T) map[string]string {
	t.Helper()
	packages := goList(t)
	imports := packages.importer()
	public := packages.public()
	if len(public) < 8 {
		t.Fatalf("go list finds but %q", public)
	}
	listings := map[string]string{}
	for _, path := range public {
		pkg, err := imports.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		listings[fileOf(path)] = list(pkg)
	}
	return listings
}

func fileOf(path string) string {
	below := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	if below == "" {
		below = "claimsync"
	}
	return strings.ReplaceAll(below, "/", "_") + ".txt"
}
