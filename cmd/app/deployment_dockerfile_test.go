package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// instructions returns the Dockerfile's, with continued lines joined, in order.
func instructions(t *testing.T) (lines []string) {
	t.Helper()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	for line := range strings.Lines(joined) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// lastInstruction returns the text of the last instruction of a kind.
func lastInstruction(t *testing.T, lines []string, kind string) (text string) {
	t.Helper()
	for _, line := range lines {
		if rest, found := strings.CutPrefix(line, kind+" "); found {
			text = strings.TrimSpace(rest)
		}
	}
	if text == "" {
		t.Errorf("the Dockerfile has no %s", kind)
	}
	return text
}

// arguments are those of an instruction in its exec form: there is no shell.
func arguments(t *testing.T, text string) (args []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text[strings.Index(text, "["):]), &args); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return args
}

func TestDockerfile(t *testing.T) {
	t.Parallel()
	lines := instructions(t)
	entry := arguments(t, lastInstruction(t, lines, "ENTRYPOINT"))
	if command := commandLine(t, arguments(t, lastInstruction(t, lines, "CMD"))...); command != "serve" {
		t.Errorf("the container runs app %s", command)
	}
	check := lastInstruction(t, lines, "HEALTHCHECK")
	checked := arguments(t, check)
	if checked[0] != entry[0] || commandLine(t, checked[1:]...) != "healthcheck" {
		t.Errorf("the container's health is checked by %s", checked)
	}
	timeout, err := time.ParseDuration(regexp.MustCompile(`--timeout=(\S+)`).FindStringSubmatch(check)[1])
	if err != nil || timeout <= healthcheckTimeout {
		t.Errorf("the health check is killed after %s, before it says why it fails: %v", timeout, err)
	}
	if user := lastInstruction(t, lines, "USER"); !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("the container runs as %s", user)
	}
	name, value, _ := strings.Cut(lastInstruction(t, lines, "ENV"), "=")
	if _, known := variablesOf(t, "serve")[name]; !known || isLoopback(value) {
		t.Errorf("the image sets %s to %s", name, value)
	}
}

// The linker is silent about a variable that is not there.
func TestDockerfileLinksTheVersion(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`-X (\S+)=\$VERSION`).FindStringSubmatch(strings.Join(instructions(t), "\n"))
	if variable == nil {
		t.Fatal("no version is linked")
	}
	program := filepath.Join(t.TempDir(), "main.go")
	const source = `package main

import "github.com/claimsync/claimsync"

func main() { print(claimsync.BuiltVersion()) }
`
	if err := os.WriteFile(program, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), "go", "run", "-ldflags=-X "+variable[1]+"=v1.2.3", program).CombinedOutput()
	if err != nil || string(said) != "v1.2.3" {
		t.Errorf("a program that is linked as v1.2.3 says it is %s, %v", said, err)
	}
}
