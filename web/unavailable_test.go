package web_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/web"
)

// switchboard is a way to Postgres that can be cut.
type switchboard struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex
	cut   bool
	calls map[net.Conn]bool
}

func newSwitchboard(t *testing.T, target string) *switchboard {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &switchboard{listener: listener, target: target, calls: make(map[net.Conn]bool)}
	s.running.Go(s.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		s.setCut(true)
		s.running.Wait()
	})
	return s
}

func (s *switchboard) accept() {
	for {
		client, err := s.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", s.target)
		if err != nil || !s.connect(client, server) {
			_ = client.Close()
		}
	}
}

// connect puts a call through unless the line is cut.
func (s *switchboard) connect(client, server net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut {
		_ = server.Close()
		return false
	}
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		s.calls[from] = true
		s.running.Go(func() {
			_, _ = io.Copy(to, from)
			_, _ = from.Close(), to.Close()
		})
	}
	return true
}

// setCut true hangs up all calls and takes no more.
func (s *switchboard) setCut(cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = cut
	if cut {
		for conn := range s.calls {
			_ = conn.Close()
		}
		clear(s.calls)
	}
}

// newCuttableAPI serves from a pool whose connections go over a switchboard.
func newCuttableAPI(t *testing.T, adjust ...func(*pgxpool.Pool) func(*web.Config)) (*api, *switchboard) {
	t.Helper()
	target, err := url.Parse(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	line := newSwitchboard(t, target.Host)
	target.Host = line.listener.Addr().String()
	pool, err := db.Open(t.Context(), target.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	var adjusted []func(*web.Config)
	for _, f := range adjust {
		adjusted = append(adjusted, f(pool))
	}
	return newAPI(t, pool, adjusted...), line
}

func TestPostgresGoesAndComesBack(t *testing.T) {
	t.Parallel()
	a, line := newCuttableAPI(t)
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O"}`)
	a.must(200, "GET", "/readyz", "")

	line.setCut(true)
	for range 2 { // first a connection that breaks, then none to be had
		for _, request := range [][2]string{
			{"GET", "/v1/organizations"}, {"GET", "/v1/organizations/o"}, {"POST", "/v1/organizations/o/recalculate"},
			{"DELETE", "/v1/organizations/o"},
		} {
			got := a.do(request[0], request[1], "")
			checkProblem(t, got, 503, "")
			if got.header.Get("Retry-After") == "" {
				t.Errorf("%s: no Retry-After", request)
			}
		}
		ready := a.do("GET", "/readyz", "")
		if ready.status != 503 || ready.json(t)["status"] != "unavailable" || ready.json(t)["reasons"] == nil {
			t.Errorf("readyz: %d %s", ready.status, ready.body)
		}
		diff(t, "causes", any([]any{"database"}), ready.json(t)["causes"])
		a.must(200, "GET", "/livez", "")
	}

	line.setCut(false)
	deadline := time.Now().Add(10 * time.Second)
	for a.do("GET", "/readyz", "").status != 200 {
		if time.Now().After(deadline) {
			t.Fatal("not ready 10 s after the database is back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	a.must(200, "GET", "/v1/organizations/o", "")
	a.must(200, "POST", "/v1/organizations/o/recalculate", "")
}

func TestTerminatedConnection(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	a := newAPI(t, pool)
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O"}`)
	// Postgres tells each client 57P01 before it hangs up, as at a shutdown.
	other := dbtest.NewEmpty(t)
	if _, err := other.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1`,
		pool.Config().ConnConfig.Database); err != nil {
		t.Fatal(err)
	}
	if got := a.do("GET", "/v1/organizations/o", ""); got.status != 503 && got.status != 200 {
		t.Errorf("after termination: %d %s", got.status, got.body)
	}
}

// TestWaitIsBounded: a request that waits for a lock, or for a connection, gives up in time.
func TestWaitIsBounded(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t), func(config *web.Config) { config.RequestTimeout = 100 * time.Millisecond })
	a.exec(`INSERT INTO organizations (id, name) VALUES ('o', 'O')`)
	tx, err := a.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `SELECT FROM organizations FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	checkProblem(t, a.do("POST", "/v1/organizations/o/recalculate", ""), 503, "")

	for range int(a.pool.Config().MaxConns) - 1 {
		conn, err := a.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
	}
	checkProblem(t, a.do("GET", "/v1/organizations", ""), 503, "")
}
