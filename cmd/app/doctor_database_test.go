package main

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
)

// edited returns the connection string with something else in it.
func edited(t *testing.T, text string, edit func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	edit(u)
	return u.String()
}

// Without a database, each of the reasons has its own remedy, and Clerk is examined all the same.
func TestDoctorWithoutDatabase(t *testing.T) {
	t.Parallel()
	migrated := dbtest.URL(t)
	tests := map[string]struct {
		url  string
		want []string
	}{
		"none":       {"", []string{"no database", "Set DATABASE_URL"}},
		"not a URL":  {"postgres://%zz:hunter2@x", []string{"Set DATABASE_URL"}},
		"not there":  {"postgres://x:hunter2@127.0.0.1:1/x", []string{"does not answer", "Does PostgreSQL run"}},
		"no such db": {edited(t, migrated, func(u *url.URL) { u.Path = "/nothing_here" }), []string{"3D000", "Create the database"}},
		"no such user": {edited(t, migrated, func(u *url.URL) {
			u.User = url.UserPassword("nobody_here", "hunter2")
		}), []string{"nobody_here", "Check user and password"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPatient(t, test.url)
			found := p.findings()
			found["database"].is(t, failed, test.want...)
			for _, step := range []string{"PostgreSQL", "rights", "migrations", "River", "clock", "processes", "queue", "breaker", "round trip"} {
				found[step].is(t, skipped, "not without the database")
			}
			found["Clerk"].is(t, passed, "development instance ins_clerktest")
			found["organizations"].is(t, passed)
			found["webhook secret"].is(t, passed)
		})
	}
}

func TestDoctorMigrations(t *testing.T) {
	t.Parallel()
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t, dbtest.EmptyURL(t))
		found := p.findings()
		found["migrations"].is(t, failed, "no tables of claimsync", "app migrate")
		found["River"].is(t, failed, "no tables of River in schema river", "app migrate")
		found["rights"].is(t, passed, "may migrate")
		found["processes"].is(t, skipped, "not before the database is migrated")
	})
	t.Run("one missing", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t, dbtest.URL(t))
		p.exec("DELETE FROM claimsync_migration WHERE version_id = 11")
		found := p.findings()
		found["migrations"].is(t, failed, "missing: 00011", "app migrate")
		found["River"].is(t, passed)
		found["breaker"].is(t, skipped, "not before the database is migrated")
		p.exec("INSERT INTO claimsync_migration (version_id, is_applied) VALUES (11, true)", "DELETE FROM river.river_migration WHERE version = 6")
		found = p.findings()
		found["migrations"].is(t, passed)
		found["River"].is(t, failed, "missing: 00006", "app migrate")
		found["breaker"].is(t, skipped, "not before the database is migrated")
	})
	t.Run("newer", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t, dbtest.URL(t))
		p.exec("INSERT INTO claimsync_migration (version_id, is_applied) VALUES (9001, true)",
			"INSERT INTO river.river_migration (line, version) VALUES ('main', 9001)")
		found := p.findings()
		found["migrations"].is(t, failed, "does not know 09001", "newer version")
		found["River"].is(t, warned, "newer River", "09001")
		found["processes"].is(t, warned, "none")
	})
	t.Run("River elsewhere", func(t *testing.T) {
		t.Parallel()
		p := newPatient(t, dbtest.URL(t))
		p.set["RIVER_SCHEMA"] = "jobs"
		p.finds("River", failed, "no tables of River in schema jobs", "some in river", "RIVER_SCHEMA")
		p.set["RIVER_SCHEMA"] = "river"
		p.finds("River", passed, "schema river")
	})
}

// newRole makes a role without any rights, and returns its name and the connection string with it.
func newRole(t *testing.T, admin string) (role, as string) {
	t.Helper()
	role = "doctor_" + strings.ToLower(rand.Text()[:12])
	execOn(t, admin, "CREATE ROLE "+role+" LOGIN PASSWORD '"+testPassword+"'")
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.Background(), admin)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close(context.Background()) }()
		if _, err := conn.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	return role, edited(t, admin, func(u *url.URL) { u.User = url.UserPassword(role, testPassword) })
}

// A role that may do nothing is told what to grant, and that is enough.
func TestDoctorRights(t *testing.T) {
	t.Parallel()
	admin := dbtest.URL(t)
	role, as := newRole(t, admin)
	p := newPatient(t, as)
	f := p.finds("rights", failed, role+" may not use", "and ", "more", "As the owner: GRANT")
	grants, found := strings.CutPrefix(f.Remedy, "As the owner: ")
	if !found {
		t.Fatalf("%+v", f)
	}
	p.finds("migrations", failed, "42501", "Grant the role")
	execOn(t, admin, grants)
	after := p.findings()
	after["rights"].is(t, passed, role+" may read and write, and not migrate", "--no-migrate")
	after["migrations"].is(t, passed)
	after["processes"].is(t, warned, "none")

	config, err := pgx.ParseConfig(admin)
	if err != nil {
		t.Fatal(err)
	}
	execOn(t, admin, "GRANT CREATE ON DATABASE "+config.Database+" TO "+role, "GRANT CREATE ON SCHEMA public TO "+role)
	p.finds("rights", passed, "not migrate") // what another role owns it may not alter

	execOn(t, admin, "REVOKE UPDATE ON outbox FROM "+role, "REVOKE USAGE ON SEQUENCE river.river_job_id_seq FROM "+role)
	p.finds("rights", failed, role+" may not use public.outbox, river.river_job_id_seq")
}

func TestDoctorRightsToMigrate(t *testing.T) {
	t.Parallel()
	admin := dbtest.EmptyURL(t)
	role, as := newRole(t, admin)
	execOn(t, admin, "REVOKE CREATE ON SCHEMA public FROM PUBLIC") // as from PostgreSQL 15 on
	newPatient(t, as).finds("rights", failed, role+" may not create tables and schemas", "GRANT CREATE ON DATABASE")
}

// What no test has a server for.
func TestDoctorServer(t *testing.T) {
	t.Parallel()
	fine := dbsqlc.ServerInspectRow{Version: "14.2 (Debian)", VersionNumber: 140002}
	old, standby := fine, fine
	old.VersionNumber = 139999
	standby.Standby = true
	serverFinding(fine).is(t, passed, "14.2")
	serverFinding(old).is(t, failed, "too old", "PostgreSQL 14 or newer")
	serverFinding(standby).is(t, failed, "standby", "primary")
}

func TestDoctorEncryption(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]verdict{
		"db.example.com": warned, "10.0.0.7": warned, "127.0.0.1": passed, "localhost": passed, "/run/postgresql": passed, "::1": passed,
	} {
		config, err := pgx.ParseConfig("user=u password=hunter2 dbname=d host=" + host)
		if err != nil {
			t.Fatal(err)
		}
		connected(config, true).is(t, passed, "d on "+host+" answers u")
		f := connected(config, false)
		if f.is(t, want); strings.Contains(f.Found, "hunter2") {
			t.Errorf("%s: %s", host, f.Found)
		}
	}
}
