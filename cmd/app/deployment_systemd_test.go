package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const unitFile = "../../ops/claimsync.service"

// readUnit returns the values of each setting of a systemd unit, in order.
func readUnit(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found && !strings.HasPrefix(line, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	return settings
}

func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	unit := readUnit(t)
	if command := commandLine(t, strings.Fields(unit["ExecStart"][0])[1:]...); command != "serve" {
		t.Errorf("the unit runs app %s", command)
	}
	if user := unit["DynamicUser"]; len(user) == 0 || user[0] != "yes" {
		t.Errorf("it has no user of its own: %s", user)
	}
	if want := fmt.Sprint(exitUsage); unit["RestartPreventExitStatus"][0] != want {
		t.Errorf("%s keeps it from being restarted, and not %s", unit["RestartPreventExitStatus"], want)
	}
	// Nor does a panic, which would end with the same.
	if !slices.ContainsFunc(unit["Environment"], func(set string) bool { return strings.Contains(set, "GOTRACEBACK=crash") }) {
		t.Error("a panic ends it for good")
	}
	if stop, err := time.ParseDuration(unit["TimeoutStopSec"][0]); err != nil || stop < longestStop+3*time.Second {
		t.Errorf("it is killed after %s, and may take %s to stop: %v", stop, longestStop, err)
	}
	credentials := map[string]bool{}
	for _, credential := range unit["LoadCredential"] {
		name, _, _ := strings.Cut(credential, ":")
		credentials[name] = true
	}
	variables := variablesOf(t, "serve")
	for _, line := range unit["Environment"] {
		for _, variable := range strings.Fields(line) {
			name, value, _ := strings.Cut(variable, "=")
			if _, known := variables[strings.TrimSuffix(name, fileSuffix)]; !known && !notOurs(name) {
				t.Errorf("%s is no variable of app serve", name)
			}
			if credential, loaded := strings.CutPrefix(value, "%d/"); loaded {
				if !strings.HasSuffix(name, fileSuffix) || !credentials[credential] {
					t.Errorf("%s: %s is not loaded", variable, credential)
				}
				delete(credentials, credential)
			}
		}
	}
	if len(credentials) > 0 {
		t.Errorf("credentials that nothing reads: %v", credentials)
	}
}

// systemd has an opinion of its own: of the spelling, and of how exposed the service is. Without its tool the test is left
// out, unless CLAIMSYNC_SYSTEMD is "required", as in CI.
func TestSystemdAnalyze(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CLAIMSYNC_SYSTEMD") == "required" {
			t.Fatal(err)
		}
		t.Skip("no systemd-analyze (Debian: apt-get install systemd): not tried")
	}
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable() // it has to be there
	if err != nil {
		t.Fatal(err)
	}
	installed := strings.Fields(readUnit(t)["ExecStart"][0])[0]
	unit := filepath.Join(t.TempDir(), filepath.Base(unitFile))
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), installed, program)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", unit},
		{"security", "--offline=true", "--no-pager", "--threshold=20", unit}, // of 100, at which nothing is confined
	} {
		output, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		if err != nil || args[0] == "verify" && strings.Contains(string(output), filepath.Base(unitFile)+":") {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, output)
		}
	}
}
