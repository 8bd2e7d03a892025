package torture

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/internal/proctest"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/scoring"
)

const adminToken = "token-of-the-test"

// fleet is an installation under attack: a database, Clerk, and processes of the real program. The tests' own writers
// are a monolith that embeds claimsync: they write with its store, in transactions of their own.
type fleet struct {
	t     *testing.T
	url   string // of the database, without a proxy
	pool  *pgxpool.Pool
	clerk *clerktest.Server
	sync  *claimsync.Sync
	store *scoring.Store
	river *river.Client[pgx.Tx] // inserts only
	keys  []string              // the Clerk organizations, in the order of the organizations o0, o1, …

	announce announcer // how the writers announce a change
	attacked timeline
}

// newFleet makes a fleet on a database of the shared server, without processes yet.
func newFleet(t *testing.T, organizations int) *fleet {
	t.Helper()
	return newFleetOn(t, dbtest.URL(t), organizations)
}

// newFleetOn makes a fleet on a migrated database.
func newFleetOn(t *testing.T, url string, organizations int) *fleet {
	t.Helper()
	f := &fleet{t: t, url: url, clerk: startClerk(t)}
	var err error
	if f.pool, err = db.Open(t.Context(), url, patiently); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.pool.Close)
	discard := slog.New(slog.DiscardHandler)
	if f.sync, err = claimsync.New(claimsync.Config{Pool: f.pool}); err != nil {
		t.Fatal(err)
	}
	if f.river, err = river.NewClient(riverpgxv5.New(f.pool), jobs.InsertConfig(db.DefaultRiverSchema, discard)); err != nil {
		t.Fatal(err)
	}
	f.store = f.sync.Store(jobs.NewWaker(f.river))
	f.announce = f.mark
	f.prepare(organizations)
	return f
}

// usual is Clerk on a good day.
var usual = clerktest.Fault{Latency: 30 * time.Millisecond}

func startClerk(t *testing.T) *clerktest.Server {
	t.Helper()
	clerk, err := clerktest.Start(clerktest.WithoutLimits())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := clerk.Close(); err != nil {
			t.Error(err)
		}
	})
	return clerk
}

// prepare makes the organizations, and the tables in which the writers keep the commit order.
func (f *fleet) prepare(organizations int) {
	f.t.Helper()
	for i := range organizations {
		f.keys = append(f.keys, fmt.Sprintf("org_%d", i))
		f.clerk.AddOrganization(f.keys[i], f.keys[i])
	}
	f.exec(schema)
	f.exec(`INSERT INTO organizations (id, name, clerk_org_id) SELECT 'o' || i, 'Organization ' || i, 'org_' || i
		FROM generate_series(0, $1 - 1) AS i`, organizations)
	f.exec(`INSERT INTO tally SELECT clerk_org_id, 0 FROM organizations`)
}

// processConfig is how a process differs from an operator's usual one.
type processConfig struct {
	path        string // of the program; default: program
	databaseURL string // default: the fleet's
	flags       []string
	environment []string
}

// process is a process of the program.
type process struct {
	*proctest.Process
	api string // its base URL, without a slash
}

// start starts a process and returns when it is ready.
func (f *fleet) start(config processConfig) *process {
	f.t.Helper()
	p := &process{Process: f.launch(config)}
	p.api = p.WaitFor(`"api":"([^"]+)/v1"`)
	return p
}

// launch starts a process.
func (f *fleet) launch(config processConfig) *proctest.Process {
	f.t.Helper()
	if config.path == "" {
		config.path = program(f.t)
	}
	if config.databaseURL == "" {
		config.databaseURL = f.url
	}
	environment := append([]string{
		"DATABASE_URL=" + config.databaseURL, "HTTP_ADDR=127.0.0.1:0", "ADMIN_TOKEN=" + adminToken,
		"CLERK_SECRET_KEY=" + clerktest.DefaultSecretKey, "CLERK_API_URL=" + f.clerk.BaseURL(),
		// What keeps calls apart would only spare the protocol: budgets have tests of their own.
		"CLERK_RATE_LIMIT=-1", "CLERK_ORGANIZATION_RATE_LIMIT=-1",
	}, config.environment...)
	return proctest.Start(f.t, config.path, environment, append([]string{"serve"}, config.flags...)...)
}

// startMany starts n processes.
func (f *fleet) startMany(n int, config processConfig) []*process {
	f.t.Helper()
	processes := make([]*process, n)
	for i := range processes {
		processes[i] = &process{Process: f.launch(config)}
	}
	for _, p := range processes {
		p.api = p.WaitFor(`"api":"([^"]+)/v1"`)
	}
	return processes
}

func (f *fleet) exec(sql string, args ...any) {
	f.t.Helper()
	if _, err := f.pool.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

// query returns the one value that a query answers with.
func query[T any](f *fleet, sql string, args ...any) (value T) {
	f.t.Helper()
	if err := f.pool.QueryRow(f.t.Context(), sql, args...).Scan(&value); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// until waits for a condition, for as long as it may take, and returns how long it took.
func (f *fleet) until(what string, patience time.Duration, condition func() bool) time.Duration {
	f.t.Helper()
	begun := time.Now()
	for !condition() {
		if time.Since(begun) > patience {
			f.logUnsettled()
			f.t.Fatalf("after %s still not: %s", patience, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begun)
}

// untilClerk waits for a condition on what Clerk was asked.
func (f *fleet) untilClerk(what string, patience time.Duration, condition func() bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := f.clerk.WaitFor(ctx, condition); err != nil {
		f.t.Fatalf("after %s still not: %s", patience, what)
	}
}

// timeline remembers what was done to the fleet, for the history of a key that is wrong.
type timeline struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	at   time.Time
	what string
}

func (l *timeline) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event{time.Now(), fmt.Sprintf(format, args...)})
}

func (l *timeline) all() []event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]event(nil), l.events...)
}

// swept is how many rows the processes' sweeps found that had no live job.
func swept(processes []*process) (rows int) {
	for _, p := range processes {
		for _, match := range sweptLine.FindAllStringSubmatch(p.Log(), -1) {
			n, _ := strconv.Atoi(match[1]) // digits
			rows += n
		}
	}
	return rows
}

var sweptLine = regexp.MustCompile(`"Woke rows that had no live job".*"rows":(\d+)`)

// patiently has the callers wait for a connection for as long as a busy machine takes: what is tested is not that.
func patiently(config *pgxpool.Config) { config.ConnConfig.ConnectTimeout = time.Minute }
