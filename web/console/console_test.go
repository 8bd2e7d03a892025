package console_test

import (
	"context"
	"errors"
	"flag"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/logtest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
	"github.com/claimsync/claimsync/web"
)

func TestMain(m *testing.M) {
	flag.Parse()
	dbtest.Main(m)
}

const (
	token    = "s3cret-of-the-test"
	operator = "ada"
)

// stage is a console as app serve has it, on a database and a Clerk of its own.
type stage struct {
	t     *testing.T
	pool  *pgxpool.Pool
	clerk *clerktest.Server
	sync  *claimsync.Sync
	river *river.Client[pgx.Tx]
	waker jobs.Waker
	store *scoring.Store
	log   *logtest.Journal
	url   string // with the prefix
	base  string // the prefix
}

func newStage(t *testing.T, edits ...func(*web.Config)) *stage {
	t.Helper()
	return newStageOn(t, dbtest.New(t), edits...)
}

func newStageOn(t *testing.T, pool *pgxpool.Pool, edits ...func(*web.Config)) *stage {
	t.Helper()
	server, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	client, err := clerk.New(clerk.Config{SecretKey: clerktest.DefaultSecretKey, BaseURL: server.BaseURL(), Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{t: t, pool: pool, clerk: server, log: &logtest.Journal{}}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	s.sync, err = claimsync.New(claimsync.Config{
		Pool: pool, Clerk: client, RateLimit: claimsync.Unlimited, OrganizationRateLimit: claimsync.Unlimited,
		DriftEvery: claimsync.Never, Version: "v1.2.3", Logger: logger,
	})
	s.must(err)
	config, err := jobs.RiverConfig(s.sync.Jobs(), db.DefaultRiverSchema)
	s.must(err)
	s.river, err = river.NewClient(riverpgxv5.New(pool), config)
	s.must(err)
	s.waker = jobs.NewWaker(s.river)
	s.store = s.sync.Store(s.waker)
	s.serve(logger, edits)
	return s
}

func (s *stage) serve(logger *slog.Logger, edits []func(*web.Config)) {
	s.t.Helper()
	config := web.Config{Pool: s.pool, Store: s.store, Sync: s.sync, River: s.river, AdminToken: token, Logger: logger}
	for _, edit := range edits {
		edit(&config)
	}
	handler, err := web.NewHandler(config)
	s.must(err)
	s.must(handler.Start(s.t.Context()))
	mux := http.NewServeMux() // of an application
	mux.Handle(config.Prefix+"/", handler)
	listening := httptest.NewServer(mux)
	s.t.Cleanup(listening.Close)
	s.url, s.base = listening.URL+config.Prefix, config.Prefix
}

// work starts a process's worker and all that is beside it, for as long as the test lasts.
func (s *stage) work() {
	s.t.Helper()
	s.must(s.river.Start(context.Background()))
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.sync.Run(ctx, s.waker) })
	s.t.Cleanup(func() {
		stop()
		running.Wait()
		if err := s.river.Stop(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			s.t.Error(err)
		}
	})
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) exec(sql string, args ...any) {
	s.t.Helper()
	_, err := s.pool.Exec(s.t.Context(), sql, args...)
	s.must(err)
}

func (s *stage) count(sql string, args ...any) (n int) {
	s.t.Helper()
	s.must(s.pool.QueryRow(s.t.Context(), sql, args...).Scan(&n))
	return n
}

// until waits for a condition.
func (s *stage) until(what string, condition func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("in vain: until %s", what)
		}
	}
}

// create makes an organization that is linked to org_ and its id, and has Clerk know it.
func (s *stage) create(id, name string) {
	s.t.Helper()
	s.clerk.AddOrganization("org_"+id, name)
	s.must(pgx.BeginFunc(s.t.Context(), s.pool, func(tx pgx.Tx) error {
		_, err := s.store.ImportTx(s.t.Context(), tx, []scoring.OrganizationFacts{{
			ID: id, Name: name, ClerkOrgID: new("org_" + id), CertificationTier: scoring.Certified,
			Facts: scoring.Facts{InsurancePolicies: []scoring.InsurancePolicy{
				{Type: scoring.PublicLiability, ExpiryDate: time.Now().Add(400 * 24 * time.Hour)},
			}},
		}}, time.Time{})
		return err
	}))
}

// park makes organizations that were given up on for the reason: those named.
func (s *stage) park(reason string, ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		s.create(id, "Organization "+id)
		// Also if a worker was faster: then there is a newer version, which was given up on.
		s.exec(`UPDATE outbox SET desired_version = GREATEST(desired_version, synced_version + 1),
				dirty_since = COALESCE(dirty_since, clock_timestamp()), job_id = NULL,
				lease_token = NULL, lease_version = NULL, leased_at = NULL, lease_expires_at = NULL,
				parked_at = clock_timestamp(), parked_reason = $2, last_error = 'Clerk said: '||$2, failures = 1
			WHERE key = 'org_'||$1`, id, reason)
	}
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// request sends one as a browser whose user has logged in as operator; headers are given as pairs.
func (s *stage) request(method, path string, form url.Values, headers ...string) reply {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	s.must(err)
	request.SetBasicAuth(operator, token)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	s.must(err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	s.must(err)
	return reply{response.StatusCode, response.Header, string(data)}
}

// get returns a page that has to be there.
func (s *stage) get(path string) string {
	s.t.Helper()
	got := s.request("GET", path, nil)
	if got.status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, got.status, got.body)
	}
	return got.body
}

// post does something that has to succeed, and returns what the page says to which it leads.
func (s *stage) post(path string, form url.Values) (page string) {
	s.t.Helper()
	got := s.request("POST", path, form)
	if got.status != http.StatusSeeOther {
		s.t.Fatalf("POST %s: %d %s", path, got.status, got.body)
	}
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	location := strings.TrimPrefix(got.header.Get("Location"), s.base)
	after := s.request("GET", location, nil, "Cookie", cookie)
	if after.status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", location, after.status, after.body)
	}
	return after.body
}

// answers are the fields of the page's question, with the answer yes.
func (s *stage) answers(question string) url.Values {
	s.t.Helper()
	form := url.Values{}
	for part := range strings.SplitSeq(question, `<input type="hidden" name="`) {
		name, rest, _ := strings.Cut(part, `" value="`)
		value, _, found := strings.Cut(rest, `">`)
		if found && !strings.Contains(name, "<") {
			form.Set(name, html.UnescapeString(value))
		}
	}
	if form.Get("confirm") != "yes" {
		s.t.Fatalf("the page asks nothing:\n%s", textOf(question))
	}
	return form
}

// confirm asks, and says yes; it returns what the page says to which that leads.
func (s *stage) confirm(path string, query ...string) (page string) {
	s.t.Helper()
	return s.post(path, s.answers(s.get(path+strings.Join(query, ""))))
}

// has checks that the page has the texts, tags and the spaces at them aside.
func (s *stage) has(page string, texts ...string) {
	s.t.Helper()
	seen := textOf(page)
	for _, text := range texts {
		if !strings.Contains(seen, text) {
			s.t.Errorf("the page lacks %q:\n%s", text, seen)
		}
	}
}

// textOf is what a person reads of a page.
func textOf(page string) string {
	_, page, _ = strings.Cut(page, "<body>")
	var text strings.Builder
	for part := range strings.SplitSeq(page, "<") {
		_, after, _ := strings.Cut(part, ">")
		text.WriteString(after)
		if strings.HasPrefix(part, "/") || strings.HasPrefix(part, "br") {
			text.WriteString(" ")
		}
	}
	unescaped := strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&", "&lt;", "<", "&gt;", ">", "&#43;", "+").Replace(text.String())
	return strings.Join(strings.Fields(unescaped), " ")
}
