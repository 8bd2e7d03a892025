package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/web"
)

func loggerTo(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestPanic(t *testing.T) {
	t.Parallel()
	var log logtest.Journal
	a := newAPI(t, dbtest.New(t), func(config *web.Config) {
		config.Logger = loggerTo(&log)
		config.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret cause") })
	})
	got := a.do("GET", "/metrics", "")
	checkProblem(t, got, 500, "")
	if strings.Contains(got.body, "secret") {
		t.Errorf("the answer tells the cause: %s", got.body)
	}
	if !strings.Contains(log.String(), "secret cause") {
		t.Errorf("the log does not tell the cause:\n%s", log.String())
	}
}

// TestPanicMidway: half an answer is not to be taken for a whole one.
func TestPanicMidway(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t), func(config *web.Config) {
		config.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			_ = http.NewResponseController(w).Flush()
			panic("midway")
		})
	})
	response, err := a.http.Get(a.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("the answer ends well: %q", body)
	}
}

func TestInternalFailure(t *testing.T) {
	t.Parallel()
	var log logtest.Journal
	a := newAPI(t, dbtest.New(t), func(config *web.Config) { config.Logger = loggerTo(&log) })
	a.exec("ALTER TABLE organizations RENAME TO elsewhere")
	got := a.do("GET", "/v1/organizations/o", "")
	checkProblem(t, got, 500, "")
	if strings.Contains(got.body, "organizations") {
		t.Errorf("the answer tells the cause: %s", got.body)
	}
	if text := log.String(); !strings.Contains(text, "42P01") || !strings.Contains(text, "level=ERROR") {
		t.Errorf("the log does not tell the cause:\n%s", text)
	}
}

func TestLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	var log logtest.Journal
	a := newAPI(t, dbtest.New(t), func(config *web.Config) { config.Logger = loggerTo(&log) })
	a.do("POST", "/v1/organizations?hush=1", `{"name": "hush"}`)
	a.do("GET", "/v1/organizations/hush", "", "Authorization", "Bearer hush")
	text := log.String()
	if strings.Contains(text, "hush") || strings.Contains(text, token) {
		t.Errorf("the log tells too much:\n%s", text)
	}
	if !strings.Contains(text, `route="GET /v1/organizations/{id}" status=401`) {
		t.Errorf("the log tells too little:\n%s", text)
	}
}
