package db_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// TestMigrateWithoutCreateOnTheDatabase: River's schema is there, made for a role that may create none.
func TestMigrateWithoutCreateOnTheDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	admin := withSearchPath(t, url, "public")
	role := "claimsync_test_" + strings.ToLower(rand.Text()[:16])
	exec(t, admin, "CREATE ROLE "+role)
	t.Cleanup(func() {
		for _, sql := range []string{"DROP OWNED BY ", "DROP ROLE "} {
			if _, err := admin.Exec(context.Background(), sql+role); err != nil {
				t.Error(err)
			}
		}
	})
	exec(t, admin, "CREATE SCHEMA river; CREATE SCHEMA claimsync; GRANT ALL ON SCHEMA river, claimsync TO "+role)
	pool, err := db.Open(t.Context(), url, func(config *pgxpool.Config) {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET ROLE "+role+"; SET search_path = claimsync")
			return err
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "CREATE SCHEMA another"); db.Code(err) != "42501" {
		t.Fatalf("the role may create schemas: %v", err)
	}
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Error(err)
	}
}

// TestMigrateConnectsAsThePool: which may do something before, and after.
func TestMigrateConnectsAsThePool(t *testing.T) {
	t.Parallel()
	config, err := db.Config(dbtest.EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	password := config.ConnConfig.Password
	user := config.ConnConfig.User
	config.ConnConfig.User = "nobody_of_that_name"
	config.BeforeConnect = func(_ context.Context, conn *pgx.ConnConfig) error {
		conn.User, conn.Password = user, password
		return nil
	}
	settled := 0
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		settled++
		_, err := conn.Exec(ctx, "SET application_name = 'after'")
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := db.Migrate(t.Context(), pool, db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
	if settled < 3 {
		t.Errorf("%d connections were set up as the pool's are, want those of the locks too", settled)
	}
}
