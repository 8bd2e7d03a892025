package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// A variable's value may be in a file, which is how secrets are handed over.
func TestVariablesFromFiles(t *testing.T) {
	t.Parallel()
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	url := dbtest.URL(t)
	files := []string{"DATABASE_URL_FILE=" + file(url+"\n"), "LOG_LEVEL_FILE=" + file("warn\r\n")}
	if got := runApp(t, t.Context(), "", files, "status"); got.code != exitOK {
		t.Errorf("from files: %+v", got)
	}
	key := "CLERK_SECRET_KEY_FILE=" + file("pk_test_hunter2")
	database := "DATABASE_URL=postgres://nobody:hunter2@127.0.0.1:1/none"
	for name, test := range map[string]struct {
		environment []string
		stderr      string
	}{
		"not there":    {[]string{"DATABASE_URL_FILE=/nonexistent/file"}, "DATABASE_URL_FILE: open /nonexistent/file"},
		"empty":        {[]string{"DATABASE_URL_FILE=" + file("\n")}, "is empty"},
		"both":         {[]string{database, "DATABASE_URL_FILE=" + file(url)}, "DATABASE_URL and DATABASE_URL_FILE are both set"},
		"another form": {[]string{database, key}, "CLERK_SECRET_KEY"},
	} {
		got := runApp(t, t.Context(), "", test.environment, "serve")
		if got.code != exitUsage || !strings.Contains(got.stderr, test.stderr) || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("%s: exit code %d, stderr without %q: %s", name, got.code, test.stderr, got.stderr)
		}
	}
}
