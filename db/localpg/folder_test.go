//go:build unix

package localpg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDataDirIsKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableDir(t), "data")

	first := start(t, Config{DataDir: dir})
	if _, err := connect(t, first).Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "postmaster.pid") {
		t.Errorf("a second server in the same folder: %v, want the lock file's error", err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}

	var n int
	second := connect(t, start(t, Config{DataDir: dir}))
	if err := second.QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 7 {
		t.Errorf("after a restart: %d, %v, want 7", n, err)
	}
}

func TestDataDirAfterACreationCutShort(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	writeFile(t, filepath.Join(dir, passwordName), "kept-password\n")
	writeFile(t, filepath.Join(dir, newDataName, "half"), "")
	giveToServer(t, dir)
	connect(t, start(t, Config{DataDir: dir}))
}

func TestDataDirRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"something else":          {map[string]string{"letter.txt": "Dear"}, "other contents"},
		"another server's data":   {map[string]string{"PG_VERSION": "15\n"}, "other contents"},
		"an older major version":  {map[string]string{passwordName: "x\n", dataName + "/PG_VERSION": "11\n"}, "PostgreSQL 11"},
		"a version never reached": {map[string]string{passwordName: "x\n", dataName + "/PG_VERSION": "1500\n"}, "PostgreSQL 1500"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := reachableDir(t)
			for file, content := range test.files {
				writeFile(t, filepath.Join(dir, file), content)
			}
			if _, err := Start(t.Context(), Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Start: %v, want an error with %q", err, test.want)
			}
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// giveToServer makes the folder what an earlier start left.
func giveToServer(t *testing.T, dir string) {
	t.Helper()
	account, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return account.own(path)
	})
	if err != nil {
		t.Fatal(err)
	}
}
