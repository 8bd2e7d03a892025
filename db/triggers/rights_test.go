package triggers_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
)

// migrationDown is the way back of the migration that makes the queue.
func migrationDown(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../migrations/00014_foreign_writers.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, down, found := strings.Cut(string(text), "-- +goose Down")
	if !found {
		t.Fatal("the migration has no way back")
	}
	return down
}

// role gives a transaction of one that may only write facts, with a search_path of its own.
func (d *desk) role(grants string) (tx pgx.Tx) {
	d.t.Helper()
	var name string
	if err := d.pool.QueryRow(d.t.Context(), "SELECT 'writer_' || substr(md5(random()::text), 1, 12)").Scan(&name); err != nil {
		d.t.Fatal(err)
	}
	d.exec(fmt.Sprintf(`CREATE ROLE %s; CREATE SCHEMA theirs AUTHORIZATION %[1]s; GRANT %s TO %[1]s`, name, grants))
	d.t.Cleanup(func() {
		gone := fmt.Sprintf("REASSIGN OWNED BY %s TO CURRENT_USER; DROP OWNED BY %[1]s; DROP ROLE %[1]s", name)
		if _, err := d.pool.Exec(context.Background(), gone, pgx.QueryExecModeSimpleProtocol); err != nil {
			d.t.Error(err)
		}
	})
	tx = d.hasty()
	d.run(tx, fmt.Sprintf("SET LOCAL ROLE %s", name))
	d.run(tx, "SET LOCAL search_path = theirs")
	return tx
}

// Who may write facts needs no other right, and no schema in his search_path. Nor does the trigger's owner lend him any:
// what he puts in the way of the names that it uses is not used.
func TestWriterNeedsNoRights(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tx := d.role("SELECT, INSERT, UPDATE, DELETE ON documents")
	for _, hostile := range []string{
		"CREATE TEMP TABLE organization_change (bulk boolean, organization_id text, clerk_org_id text) ON COMMIT DROP",
		"CREATE TEMP TABLE organizations (id text) ON COMMIT DROP",
		"CREATE FUNCTION theirs.mine(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$",
		"CREATE OPERATOR theirs.= (LEFTARG = text, RIGHTARG = text, FUNCTION = theirs.mine)",
		"CREATE FUNCTION theirs.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$",
		"CREATE FUNCTION theirs.statement_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$",
		"CREATE OPERATOR theirs.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = theirs.mine)",
		"CREATE FUNCTION theirs.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$",
		"CREATE DOMAIN theirs.text AS pg_catalog.text CHECK (false)",
		"CREATE TEMP TABLE claimsync_written (organization_id pg_catalog.text) ON COMMIT DROP",
		"SET LOCAL claimsync.statement = 'something'", // so that all conditions are looked at
		"SET LOCAL search_path = theirs, pg_temp, pg_catalog",
	} {
		d.run(tx, hostile)
	}
	d.run(tx, "INSERT INTO public.documents (organization_id, iso_element, status) VALUES ('a', 'SERVICING', 'DRAFT')")
	d.run(tx, "UPDATE public.documents SET status = 'APPROVED' WHERE organization_id OPERATOR(pg_catalog.=) 'b'")
	d.run(tx, "DELETE FROM public.documents WHERE organization_id OPERATOR(pg_catalog.=) 'c'")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.expect("by a role without rights", change{Organization: "a"}, change{Organization: "b"}, change{Organization: "c"})
}

// Nobody can have a trigger of his own run what ours do, with the rights of the queue's owner and with rows that he makes up.
func TestFunctionsAreNotLent(t *testing.T) {
	t.Parallel()
	for _, function := range []string{
		"claimsync_documents_written", "claimsync_documents_changed", "claimsync_audits_written", "claimsync_organizations_changed",
	} {
		d := newDesk(t)
		tx := d.role("USAGE ON SCHEMA public")
		d.run(tx, "CREATE TEMP TABLE mine (id text, organization_id text, clerk_org_id text) ON COMMIT DROP")
		_, err := tx.Exec(t.Context(), fmt.Sprintf(`CREATE TRIGGER mine AFTER INSERT ON mine REFERENCING NEW TABLE AS claimsync_written
			FOR EACH STATEMENT EXECUTE FUNCTION public.%s()`, function))
		if db.Code(err) != "42501" { // insufficient_privilege
			t.Errorf("%s: %v", function, err)
		}
		_ = tx.Rollback(t.Context())
	}
}

// Nor do default privileges lend them, which nobody takes back by revoking from PUBLIC; and whom somebody has granted one to
// by hand loses it with the next installation that has something to do.
func TestDefaultPrivilegesLendNothing(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, pool: dbtest.New(t)}
	tx := d.role("USAGE ON SCHEMA public")
	var role string
	if err := tx.QueryRow(t.Context(), "SELECT current_user::text").Scan(&role); err != nil {
		t.Fatal(err)
	}
	d.exec("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO " + role)
	d.exec("CREATE FUNCTION lent() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
	lent := func() (functions []string) {
		t.Helper()
		rows, err := d.pool.Query(t.Context(), `SELECT proname::text FROM pg_proc
			WHERE proname ~ '^(claimsync_|lent$)' AND has_function_privilege($1, oid, 'EXECUTE') ORDER BY 1`, role)
		if err != nil {
			t.Fatal(err)
		}
		if functions, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		return functions
	}
	d.install()
	same(t, "what the role may call", lent(), []string{"lent"})
	d.exec("GRANT EXECUTE ON FUNCTION claimsync_documents_written TO " + role + "; DROP TRIGGER claimsync_insert ON documents")
	d.install()
	same(t, "what the role may call, after another installation", lent(), []string{"lent"})
}

// The functions are for those whom they are granted to, wherever their search_path leads.
func TestFunctionsAreGranted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	tx := d.role("USAGE ON SCHEMA public")
	_, err := tx.Exec(t.Context(), "SELECT public.claimsync_recalculate('a')")
	if db.Code(err) != "42501" { // insufficient_privilege
		t.Errorf("without a grant: %v", err)
	}
	_ = tx.Rollback(t.Context())

	d = newDesk(t)
	tx = d.role("USAGE ON SCHEMA public")
	d.exec("GRANT EXECUTE ON FUNCTION claimsync_recalculate, claimsync_push TO PUBLIC")
	count := func(sql string, args ...any) (n int64) {
		t.Helper()
		if err := tx.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	d.run(tx, "CREATE TEMP TABLE organization_change (bulk boolean, organization_id text) ON COMMIT DROP")
	same(t, "known", count("SELECT public.claimsync_recalculate('a')"), int64(1))
	same(t, "unknown", count("SELECT public.claimsync_recalculate('x')"), int64(0))
	same(t, "pushed", count("SELECT public.claimsync_push(VARIADIC $1)", []string{"b", "d", "org_Gone", "org_", "nobody", "b"}), int64(2))
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.expect("asked for", change{Clerk: "org_B"}, change{Clerk: "org_Gone"}, change{Organization: "a"})

	d.exec("SELECT claimsync_recalculate('a', 'b', 'x', 'a'), claimsync_push('a')")
	d.expect("asked for by the owner", change{Clerk: "org_A"}, change{Organization: "a"}, change{Organization: "b"})
	d.exec("BEGIN; SELECT claimsync_recalculate('a'); ROLLBACK")
	d.expect("rolled back")
}

// Whatever we hold, a writer waits for none of it, and whatever he holds we wait for none: so there is no deadlock to come.
func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ours := d.hasty()
	d.run(ours, "SELECT FROM organizations ORDER BY id FOR NO KEY UPDATE")
	d.run(ours, "INSERT INTO outbox (topic, key, dirty_since) VALUES ('clerk_organization', 'org_A', now())")
	d.run(ours, "INSERT INTO organization_change (bulk, organization_id) VALUES (false, 'a')")
	theirs, others := d.hasty(), d.hasty()
	d.run(theirs, "UPDATE documents SET deleted = true WHERE organization_id = 'a'")
	d.run(others, "INSERT INTO documents (organization_id, iso_element, status) VALUES ('a', 'SERVICING', 'DRAFT')")
	d.run(others, "UPDATE audits SET rating = 'FAIL' WHERE organization_id = 'a'")
	d.run(ours, "UPDATE organizations SET name = 'Ours' WHERE id = 'a'")
	d.run(ours, "SELECT FROM organization_change FOR UPDATE SKIP LOCKED")
	for _, tx := range []pgx.Tx{others, ours, theirs} {
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "rows of the queue", len(d.noticed()), 4)
}
