package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// oldestPostgres is the oldest version that is supported, as server_version_num has it.
const oldestPostgres = 140000

func (x *examination) database(ctx context.Context) finding {
	pool, err := x.flags.open(ctx)
	if err != nil {
		return fail(inShort(err), databaseRemedy(err))
	}
	x.pool = pool
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return broken(err)
	}
	defer conn.Release()
	// What the URL asks for is not what it gets, unless it insists.
	_, encrypted := conn.Conn().PgConn().Conn().(*tls.Conn)
	return connected(conn.Conn().Config(), encrypted)
}

// connected says where to, without the password.
func connected(to *pgx.ConnConfig, encrypted bool) finding {
	where := fmt.Sprintf("%s on %s answers %s", to.Database, to.Host, to.User)
	if !encrypted && !isNear(to.Host) {
		return warn(where+", and nothing is encrypted", "Set sslmode=verify-full in DATABASE_URL.")
	}
	return ok("%s", where)
}

// isNear reports whether what is sent to the host stays on this machine.
func isNear(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// inShort is an error for people, on one line.
func inShort(err error) string { return shortened(err.Error(), 300) }

func databaseRemedy(err error) string {
	var misused usageError
	if errors.As(err, &misused) {
		return "Set DATABASE_URL to what app serve has."
	}
	switch code := db.Code(err); code {
	case pgerrcode.InvalidPassword, pgerrcode.InvalidAuthorizationSpecification:
		return "Check user and password in DATABASE_URL, and pg_hba.conf on the server."
	case pgerrcode.InvalidCatalogName:
		return "Create the database, or name another one in DATABASE_URL."
	case pgerrcode.TooManyConnections:
		return "Raise max_connections on the server, or lower pool_max_conns in DATABASE_URL for all who share it."
	case pgerrcode.CannotConnectNow:
		return "The server is starting or stopping: wait, and check again."
	case pgerrcode.InsufficientPrivilege:
		return "Grant the role what it lacks, as the owner of the database."
	}
	return "Does PostgreSQL run, and can it be reached from here? Check host and port in DATABASE_URL, and firewalls."
}

// broken is a step that failed for another reason than it looks for.
func broken(err error) finding { return fail(inShort(err), databaseRemedy(err)) }

func (x *examination) postgres(ctx context.Context) finding {
	before := x.now()
	server, err := dbsqlc.New().ServerInspect(ctx, x.pool)
	if err != nil {
		return broken(err)
	}
	x.server, x.skew = server, halfway(before, x.now()).Sub(server.Now)
	return serverFinding(server)
}

func serverFinding(server dbsqlc.ServerInspectRow) finding {
	switch {
	case server.VersionNumber < oldestPostgres:
		return fail("version "+server.Version+" is too old", "Move to PostgreSQL 14 or newer.")
	case server.Standby:
		return fail("version "+server.Version+" is a standby, on which nothing can be written",
			"Name the primary in DATABASE_URL; of several hosts, target_session_attrs=read-write finds it.")
	}
	if server.ReadOnly {
		return fail("version "+server.Version+" is read-only for "+server.Role,
			"Unset default_transaction_read_only, for the server, the database or the role. Hosted servers set it when their disk is full.")
	}
	return ok("version %s", server.Version)
}

func (x *examination) rights(ctx context.Context) finding {
	names, err := db.Tables()
	if err != nil {
		return broken(err)
	}
	relations, err := dbsqlc.New().RelationRights(ctx, x.pool, dbsqlc.RelationRightsParams{
		Tables: names, RiverSchema: x.flags.RiverSchema,
	})
	if err != nil {
		return broken(err)
	}
	return rightsFinding(x.server, x.flags.RiverSchema, relations)
}

// rightsFinding tells what the role may not do. One that may do everything but migrate is how it should be done.
func rightsFinding(server dbsqlc.ServerInspectRow, riverSchema string, relations []dbsqlc.RelationRightsRow) finding {
	var refused []string
	migrates := server.CreatesSchemas && server.CreatesTables
	for _, relation := range relations {
		if !relation.Usable {
			refused = append(refused, relation.Name)
		}
		migrates = migrates && relation.Owned
	}
	role := pgx.Identifier{server.Role}.Sanitize()
	switch {
	case len(refused) > 0:
		return fail(fmt.Sprintf("%s may not use %s", server.Role, listed(refused)), granting(server.Schema, riverSchema, role))
	case migrates:
		return ok("%s may migrate, read and write", server.Role)
	case len(relations) == 0:
		return fail(server.Role+" may not create tables and schemas", fmt.Sprintf(
			"As the owner: GRANT CREATE ON DATABASE … TO %s; GRANT USAGE, CREATE ON SCHEMA %s TO %s; or run app migrate as the owner.",
			role, orPublic(server.Schema), role))
	}
	return ok("%s may read and write, and not migrate: start app serve with --no-migrate", server.Role)
}

func granting(schema, riverSchema, role string) string {
	schemas := fmt.Sprintf("%s, %s", orPublic(schema), pgx.Identifier{riverSchema}.Sanitize())
	return fmt.Sprintf("As the owner: GRANT USAGE ON SCHEMA %[1]s TO %[2]s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES "+
		"IN SCHEMA %[1]s TO %[2]s; GRANT USAGE ON ALL SEQUENCES IN SCHEMA %[1]s TO %[2]s;", schemas, role)
}

func orPublic(schema string) string {
	if schema == "" {
		schema = "public"
	}
	return pgx.Identifier{schema}.Sanitize()
}

// listed is the beginning of a list.
func listed(names []string) string {
	const most = 4
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
