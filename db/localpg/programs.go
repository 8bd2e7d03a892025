//go:build unix

package localpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// minMajor is the oldest PostgreSQL that this project supports.
const minMajor = 14

// installedPatterns are where systems install PostgreSQL outside of PATH.
var installedPatterns = []string{
	"/usr/lib/postgresql/*/bin",   // Debian, Ubuntu
	"/usr/pgsql-*/bin",            // PostgreSQL's own packages for Red Hat and relatives
	"/usr/lib/postgresql*/bin",    // SUSE
	"/usr/lib64/postgresql-*/bin", // Gentoo
	"/usr/libexec/postgresql*",    // Alpine
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin", // Homebrew on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/opt/local/lib/postgresql*/bin", // MacPorts
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// programs is a folder that holds PostgreSQL's server programs, all of one version.
type programs struct {
	dir     string
	version string // as it says itself, such as "17.5" or "18beta1"
	major   int
}

// findPrograms prefers what PATH has to the newest version elsewhere.
func findPrograms(ctx context.Context, patterns []string) (programs, error) {
	refusals := []error{errors.New("none on PATH or in the usual places")}
	for _, dir := range append(pathFolders(), installedFolders(patterns)...) {
		found, err := inspect(ctx, dir)
		if err == nil {
			return found, nil
		}
		refusals = append(refusals, err)
	}
	return programs{}, errors.Join(refusals...)
}

// pathFolders follows links to where the programs are installed: initdb has to be the one next to postgres, and not
// every installation links both.
func pathFolders() []string {
	var dirs []string
	for _, name := range []string{"postgres", "initdb"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	return slices.Compact(dirs)
}

// installedFolders are the matches of the patterns, newest version first.
func installedFolders(patterns []string) []string {
	var dirs []string
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(pattern) // fails for a malformed pattern only
		dirs = append(dirs, matches...)
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
	return dirs
}

var number = regexp.MustCompile(`\d+`)

// versionIn is the last number in a folder's name: the major version, except for versions too old to matter.
func versionIn(dir string) int {
	numbers := number.FindAllString(dir, -1)
	if len(numbers) == 0 {
		return 0
	}
	version, _ := strconv.Atoi(numbers[len(numbers)-1])
	return version
}

// versionLine is what "postgres --version" prints: "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)".
var versionLine = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`)

func inspect(ctx context.Context, dir string) (programs, error) {
	if _, err := exec.LookPath(filepath.Join(dir, "initdb")); err != nil {
		return programs{}, err
	}
	output, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return programs{}, fmt.Errorf("asking %s/postgres for its version: %w", dir, err)
	}
	match := versionLine.FindSubmatch(output)
	if match == nil {
		return programs{}, fmt.Errorf("%s/postgres names its version as %q", dir, output)
	}
	major, err := strconv.Atoi(string(match[2]))
	if err != nil {
		return programs{}, fmt.Errorf("%s/postgres names its version as %q", dir, output)
	}
	if major < minMajor {
		return programs{}, fmt.Errorf("%s has PostgreSQL %s, older than %d", dir, match[1], minMajor)
	}
	return programs{dir: dir, version: string(match[1]), major: major}, nil
}
