package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/internal/logtest"
)

// startEmulator runs the command until the test ends, and returns where its control API is.
func startEmulator(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	var said logtest.Journal
	output := io.MultiWriter(&said, write)
	go func() {
		noEnvironment := func(string) string { return "" }
		args := append([]string{"clerk-emulator", "--addr=127.0.0.1:0"}, args...)
		ended <- run(ctx, args, strings.NewReader(""), output, output, noEnvironment)
		_ = write.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitOK {
			t.Errorf("exit code %d", code)
		}
		transcript.add(t, args, said.String())
	})
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		if url, found := strings.CutPrefix(lines.Text(), "CLERK_API_URL="); found {
			go func() { _, _ = io.Copy(io.Discard, read) }() // what it says after that
			return strings.TrimSuffix(url, "/v1") + "/_control/"
		}
	}
	t.Fatal("it does not say where it listens")
	return ""
}

func control(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode > 299 {
		t.Fatalf("%s %s: %d %s, %v", method, url, response.StatusCode, answer, err)
	}
	return string(answer)
}

// The faults of the file and of the command line are played, and can be replaced while it runs.
func TestClerkEmulator(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "outage.txt")
	if err := os.WriteFile(script, []byte("# an outage\n503 for org_1\nhang once\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := startEmulator(t, "--script", script, "--faults", `429 header "Retry-After: 1, 2"`, "--faults=latency 5ms",
		"--traffic=5/1m", "--webhook-url=http://127.0.0.1:1/hook")
	want := "503 for org_1\nhang 1 times\n429 header \"Retry-After: 1, 2\"\nlatency 5ms\n"
	if got := control(t, "GET", url+"script", ""); got != want {
		t.Errorf("played: %s", got)
	}
	if got := control(t, "GET", url+"traffic", ""); !strings.HasPrefix(got, `{"requests":5,"window":"1m0s"`) {
		t.Errorf("traffic: %s", got)
	}
	if got := control(t, "GET", url+"webhooks", ""); !strings.Contains(got, "http://127.0.0.1:1/hook") {
		t.Errorf("webhooks: %s", got)
	}
	if got := control(t, "PUT", url+"script", "truncate"); got != "truncate\n" {
		t.Errorf("replaced: %s", got)
	}
}

// A mistake in a script names its line, and nothing is started.
func TestClerkEmulatorUsage(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "outage.txt")
	if err := os.WriteFile(script, []byte("503\nhnag\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"--script=" + script:        `outage.txt: line 2: "hnag"`,
		"--faults=503 for 0 %":      `--faults: line 1: "for"`,
		"--traffic=lots":            `"lots" is not a traffic like 500/10s`,
		"--webhook-url=nowhere":     `webhooks cannot be sent to "nowhere"`,
		"--script=/nonexistent/one": "no such file",
	} {
		got := runApp(t, t.Context(), "", nil, "clerk-emulator", "--addr=127.0.0.1:0", arg)
		if got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %d %s", arg, got.code, got.stderr)
		}
	}
}
