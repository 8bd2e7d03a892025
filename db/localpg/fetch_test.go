//go:build unix

package localpg

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// archive is a PostgreSQL to download, of three shell scripts in bin: "postgres" prints a version, "initdb" does
// nothing, "pg_ctl" fails. Made with: tar -cf - bin | xz -9 > testdata/postgres.txz
//
//go:embed testdata/postgres.txz
var archive []byte

// repository serves the archive as the Maven repository does: in a jar, with a checksum beside it.
func repository(t *testing.T, downloads *atomic.Int32) string {
	t.Helper()
	var jar bytes.Buffer
	writer := zip.NewWriter(&jar)
	file, err := writer.Create("postgres.txz")
	if err == nil {
		_, err = file.Write(archive)
	}
	if err := errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			fmt.Fprintf(w, "%x", sha256.Sum256(jar.Bytes()))
			return
		}
		downloads.Add(1)
		_, _ = w.Write(jar.Bytes())
	}))
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections() // the module's client
	})
	return server.URL
}

func TestFetchUnpacksOnce(t *testing.T) {
	var downloads atomic.Int32
	url, cache := repository(t, &downloads), t.TempDir()
	t.Setenv("TMPDIR", t.TempDir()) // the module leaves its log there

	var group sync.WaitGroup
	for range 3 { // processes that need it at once
		group.Go(func() {
			dir, err := fetch(t.Context(), url, cache)
			if err != nil {
				t.Error(err)
				return
			}
			if found, err := inspect(t.Context(), dir); err != nil || found.version != "18.3" {
				t.Errorf("in %s: %+v, %v", dir, found, err)
			}
		})
	}
	group.Wait()
	first := downloads.Load()
	if _, err := fetch(t.Context(), url, cache); err != nil || downloads.Load() != first {
		t.Errorf("with PostgreSQL in the cache: %d more downloads, error %v", downloads.Load()-first, err)
	}
}

func TestFetchWithoutNetworkSaysWhatToDo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, notFound := findPrograms(t.Context(), nil)
	_, err := fetch(t.Context(), server.URL, t.TempDir())
	if err == nil {
		t.Fatal("fetch succeeded from a closed server")
	}
	err = missing(notFound, err)
	if !errors.Is(err, ErrNotFound) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("the error is %q, want one line with the remedies", err)
	}
}

func TestFetchIsCancelled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fetch(ctx, "http://127.0.0.1:1", t.TempDir()); !errors.Is(err, context.Canceled) {
		t.Errorf("fetch: %v, want %v", err, context.Canceled)
	}
}
