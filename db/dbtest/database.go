package dbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
)

const (
	// emptyTemplate, unlike template1, is the same on every server, and nobody is ever connected to it.
	emptyTemplate = "template0"

	// migrateTimeout and createTimeout are what a busy machine may need.
	migrateTimeout = 2 * time.Minute
	createTimeout  = time.Minute
)

// randomName begins with what to look for if test binaries were killed on a server that stayed.
func randomName() string { return "claimsync_test_" + strings.ToLower(rand.Text()[:16]) }

// makeTemplate makes the migrated database that is copied. It then refuses connections, because copying fails while
// there is one; so copies can be made in parallel.
func (s *server) makeTemplate() error {
	ctx, cancel := context.WithTimeout(context.Background(), migrateTimeout)
	defer cancel()
	if err := s.create(ctx, s.templateName, emptyTemplate); err != nil {
		return err
	}
	pool, err := db.Open(ctx, s.url(s.templateName))
	if err != nil {
		return err
	}
	err = db.Migrate(ctx, pool, db.MigrateConfig{})
	pool.Close()
	if err != nil {
		return fmt.Errorf("migrating the template: %w", err)
	}
	_, err = s.admin.Exec(ctx, "ALTER DATABASE "+quote(s.templateName)+" ALLOW_CONNECTIONS false")
	return err
}

// newDatabase copies a template for one test and returns the copy's URL.
func (s *server) newDatabase(t testing.TB, template string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), createTimeout)
	defer cancel()
	name := randomName()
	if err := s.create(ctx, name, template); err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.drop(name); err != nil {
			t.Errorf("dbtest: %v", err)
		}
	})
	return s.url(name)
}

// create leaves the STRATEGY to the server: from 15 on that is wal_log, which takes 15 to 40 ms and, unlike file_copy,
// no checkpoint.
func (s *server) create(ctx context.Context, name, template string) error {
	_, err := s.admin.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template))
	if err != nil {
		return fmt.Errorf("creating a test's database: %w", err)
	}
	return nil
}

// drop disconnects whoever is left. It is not an error if there is no such database.
func (s *server) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), createTimeout)
	defer cancel()
	if _, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("dropping a test's database: %w", err)
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
