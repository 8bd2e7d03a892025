package web_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/web"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const token = "s3cret"

// api is a running handler on a database of its own.
type api struct {
	t    *testing.T
	pool *pgxpool.Pool
	url  string
	http *http.Client
}

// newConfig is what is required, and no more.
func newConfig(t *testing.T, pool *pgxpool.Pool) web.Config {
	t.Helper()
	sync, err := claimsync.New(claimsync.Config{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	return web.Config{
		Pool:       pool,
		Store:      sync.Store(jobs.NewWaker(insertOnly(t, pool))),
		Sync:       sync,
		AdminToken: token,
	}
}

// newAPI serves on pool; adjust may change the configuration.
func newAPI(t *testing.T, pool *pgxpool.Pool, adjust ...func(*web.Config)) *api {
	t.Helper()
	config := newConfig(t, pool)
	for _, f := range adjust {
		f(&config)
	}
	handler, err := web.NewHandler(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := handler.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &api{t: t, pool: pool, url: server.URL, http: client}
}

func insertOnly(t *testing.T, pool *pgxpool.Pool) *river.Client[pgx.Tx] {
	t.Helper()
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: db.DefaultRiverSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request with the token, and with headers given as pairs; "Authorization", "" sends it without.
func (a *api) do(method, path, body string, headers ...string) reply {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := a.http.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply{response.StatusCode, response.Header, string(data)}
}

// must is do for a request that has to be answered with status; it returns the body.
func (a *api) must(status int, method, path, body string) object {
	a.t.Helper()
	got := a.do(method, path, body)
	if got.status != status {
		a.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, got.status, got.body, status)
	}
	return got.json(a.t)
}

// object is decoded JSON.
type object = map[string]any

func (r reply) json(t *testing.T) (decoded object) {
	t.Helper()
	if r.body == "" {
		return nil
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(r.body))).Decode(&decoded); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return decoded
}

func syncOf(organization object) object { return organization["sync"].(object) }

// contents is everything in the database that a request could change, and what cannot be undone by a rollback: so
// sequences are left out.
func (a *api) contents() string {
	a.t.Helper()
	var all strings.Builder
	for _, table := range []string{
		"organizations", "documents", "compliance_assessments", "insurance_policies", "organization_members", "audits",
		"capa_records", "outbox", "outbox_delivery", "destination", "clerk_event", "river.river_job",
	} {
		rows, err := a.pool.Query(a.t.Context(), "SELECT t::text FROM "+table+" AS t ORDER BY 1")
		if err != nil {
			a.t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			a.t.Fatal(err)
		}
		all.WriteString(table + "\n" + strings.Join(lines, "\n") + "\n")
	}
	return all.String()
}

func (a *api) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.pool.Exec(a.t.Context(), sql, args...); err != nil {
		a.t.Fatal(err)
	}
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
