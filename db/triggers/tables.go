package triggers

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db"
)

// many is from how many rows on a statement writes as a batch job does, rather than as a person.
const many = 101

var (
	//go:embed own.sql
	ownSQL string
	//go:embed facts.sql
	factsSQL string
	//go:embed organizations.sql
	organizationsSQL string

	factsTemplate         = template.Must(template.New("facts").Parse(ownSQL + factsSQL))
	organizationsTemplate = template.Must(template.New("organizations").Parse(ownSQL + organizationsSQL))
)

// table is one that has triggers.
type table struct {
	name      string
	sql       *template.Template
	triggers  []string
	functions []string // the ends of their names
}

var (
	organizationsTriggers = []string{"claimsync_insert", "claimsync_update", "claimsync_delete", "claimsync_truncate"}
	factsTriggers         = append([]string{"claimsync_move"}, organizationsTriggers...) // all that there are
)

var tables = []table{
	{"organizations", organizationsTemplate, organizationsTriggers, []string{"changed"}},
	{"documents", factsTemplate, factsTriggers, []string{"written", "changed"}},
	{"compliance_assessments", factsTemplate, factsTriggers, []string{"written", "changed"}},
	{"insurance_policies", factsTemplate, factsTriggers, []string{"written", "changed"}},
	{"organization_members", factsTemplate, factsTriggers, []string{"written", "changed"}},
	{"audits", factsTemplate, factsTriggers, []string{"written", "changed"}},
	{"capa_records", factsTemplate, factsTriggers, []string{"written", "changed"}},
}

// names are what a template has to be told. All are quoted.
type names struct {
	Table, Function, Written, Changes, Organizations string
	Many                                             int
}

// place is where a table was found.
type place struct {
	table
	oid      uint32
	schema   string
	ordinary bool   // not a view, which can have no such triggers
	owner    string // of the queue
	queue    string
	parents  string // the table organizations
}

// errNoTables: the database is not migrated.
var errNoTables = errors.New("the database has no claimsync tables with a queue for foreign writers: run app migrate")

// find looks the tables up, by the search_path as all of claimsync's queries do.
func find(ctx context.Context, conn db.Querier) ([]place, error) {
	const query = `
		SELECT c.oid, n.nspname, c.relname, c.relkind IN ('r', 'p'), pg_get_userbyid(c.relowner)
		FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, position)
		JOIN pg_class AS c ON c.oid = to_regclass(wanted.name)
		JOIN pg_namespace AS n ON n.oid = c.relnamespace
		ORDER BY wanted.position`
	wanted := []string{"organization_change"}
	for _, t := range tables {
		wanted = append(wanted, t.name)
	}
	rows, err := conn.Query(ctx, query, wanted)
	if err != nil {
		return nil, fmt.Errorf("looking for the tables: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p place, err error) {
		return p, row.Scan(&p.oid, &p.schema, &p.name, &p.ordinary, &p.owner)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("looking for the tables: %w", err)
	case len(found) != len(wanted):
		return nil, errNoTables
	}
	queue, places := found[0], found[1:]
	for i := range places {
		places[i].table = tables[i]
		places[i].owner, places[i].queue, places[i].parents = queue.owner, queue.qualified(), places[0].qualified()
	}
	return places, nil
}

func (p *place) qualified() string { return pgx.Identifier{p.schema, p.name}.Sanitize() }

// function is next to the table: two installations in one database do not meet.
func (p *place) function(what string) string {
	return pgx.Identifier{p.schema, "claimsync_" + p.name + "_" + what}.Sanitize()
}

// render returns the SQL that makes the table's function and triggers, and what it says of its version.
func (p *place) render() (sql, version string, err error) {
	var b bytes.Buffer
	err = p.sql.Execute(&b, names{
		Table: p.qualified(), Function: p.function("changed"), Written: p.function("written"),
		Changes: p.queue, Organizations: p.parents, Many: many,
	})
	if err != nil {
		return "", "", err
	}
	b.WriteString(p.revocation())
	version = fmt.Sprintf("claimsync %x", sha256.Sum256(b.Bytes()))[:len("claimsync ")+12]
	for _, what := range p.functions {
		fmt.Fprintf(&b, "\nALTER FUNCTION %s() OWNER TO %s;\n", p.function(what), pgx.Identifier{p.owner}.Sanitize())
	}
	for _, name := range p.triggers {
		fmt.Fprintf(&b, "COMMENT ON TRIGGER %s ON %s IS '%s';\n", name, p.qualified(), version)
	}
	return b.String(), version, nil
}

// revocation takes the functions from all others than their owner. Whom ALTER DEFAULT PRIVILEGES gives them to is not PUBLIC.
func (p *place) revocation() string {
	functions := make([]string, len(p.functions))
	for i, what := range p.functions {
		functions[i] = "'" + strings.ReplaceAll(p.function(what), "'", "''") + "()'"
	}
	return fmt.Sprintf(revocationSQL, strings.Join(functions, ", "))
}

const revocationSQL = `
-- Nor may those call them to whom ALTER DEFAULT PRIVILEGES gives whatever function is made.
DO $do$
DECLARE
    lent record;
BEGIN
    FOR lent IN
        SELECT DISTINCT p.oid::pg_catalog.regprocedure AS function, acl.grantee::pg_catalog.regrole AS role
        FROM pg_catalog.pg_proc AS p, pg_catalog.aclexplode(p.proacl) AS acl
        WHERE p.oid = ANY(ARRAY[%s]::pg_catalog.regprocedure[]) AND acl.grantee NOT IN (0, p.proowner)
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %%s FROM %%s CASCADE', lent.function, lent.role);
    END LOOP;
END
$do$;
`

// SQL returns what Install does where nothing is installed yet, to be reviewed, or to be put among the migrations of an
// application that keeps all of its schema there.
func SQL(ctx context.Context, conn db.Querier) (string, error) {
	places, err := find(ctx, conn)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, p := range places {
		if !p.ordinary {
			continue
		}
		sql, _, err := p.render()
		if err != nil {
			return "", err
		}
		parts = append(parts, sql)
	}
	return strings.Join(parts, "\n"), nil
}
