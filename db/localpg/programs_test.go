//go:build unix

package localpg

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// install makes a bin folder whose postgres prints a version.
func install(t *testing.T, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s (Debian %s-1)'\n", version, version)
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindProgramsPrefersTheNewest(t *testing.T) {
	t.Setenv("PATH", "/bin")
	root := t.TempDir()
	for _, version := range []string{"9.6.24", "13.2", "14.1", "100.1", "16.4"} {
		install(t, filepath.Join(root, "postgresql", version[:len(version)-2], "bin"), version)
	}
	found, err := findPrograms(t.Context(), []string{filepath.Join(root, "postgresql/*/bin")})
	if err != nil || found.version != "100.1" || found.major != 100 {
		t.Errorf("found %+v, %v, want 100.1", found, err)
	}
}

func TestFindProgramsFollowsLinksOnPath(t *testing.T) {
	root := t.TempDir()
	installed := install(t, filepath.Join(root, "pg/15/bin"), "15beta2")
	other := filepath.Join(root, "pg/16/bin")
	install(t, other, "16.1")
	linked := filepath.Join(root, "linked")
	if err := os.Mkdir(linked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(installed, "postgres"), filepath.Join(linked, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", linked+":/bin")

	want, err := filepath.EvalSymlinks(installed)
	if err != nil {
		t.Fatal(err)
	}
	found, err := findPrograms(t.Context(), []string{filepath.Join(root, "pg/*/bin")})
	if err != nil || found.dir != want || found.major != 15 {
		t.Errorf("found %+v, %v, want 15 in %s", found, err, want)
	}
}

func TestFindProgramsRefusesOldOnes(t *testing.T) {
	root := t.TempDir()
	t.Setenv("PATH", install(t, filepath.Join(root, "13"), "13.9"))
	if found, err := findPrograms(t.Context(), nil); err == nil {
		t.Errorf("found %+v, want none", found)
	}
}
