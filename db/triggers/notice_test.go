package triggers_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/db/dbtest"
)

// Whatever a writer does to facts is noticed for the organizations that they are of, and for no others.
func TestFactsAreNoticed(t *testing.T) {
	t.Parallel()
	a, b := change{Organization: "a"}, change{Organization: "b"}
	everybody := []change{{"a", "", true}, {"b", "", true}, {"c", "", true}, {"d", "", true}}
	tests := []struct {
		name, sql string
		want      []change
	}{
		{"an update", "UPDATE insurance_policies SET expiry_date = '2027-01-01' WHERE organization_id = 'a'", []change{a}},
		{"an update of each column", `UPDATE organization_members SET lbp_number = 'X' WHERE organization_id = 'a';
			UPDATE audits SET rating = NULL WHERE organization_id = 'b'`, []change{a, b}},
		{"an update that says as whose", "UPDATE audits SET organization_id = 'a', rating = 'FAIL' WHERE organization_id = 'a'", []change{a}},
		{"a move to another organization", "UPDATE documents SET organization_id = 'b' WHERE organization_id = 'a'", []change{a, b}},
		{"an insert", "INSERT INTO capa_records (organization_id, status) VALUES ('a', 'OPEN'), ('a', 'OPEN'), ('b', 'CLOSED')", []change{a, a, b}},
		{"a delete", "DELETE FROM audits WHERE organization_id IN ('a', 'b')", []change{a, b}},
		{"what finds nothing", "DELETE FROM audits WHERE organization_id = 'x'; UPDATE audits SET rating = 'FAIL' WHERE false", nil},
		{"an upsert that updates", `INSERT INTO compliance_assessments VALUES ('a', 'SERVICING', 'COMPLIANT', 100), ('b', 'TRACEABILITY', 'PARTIAL', 1)
			ON CONFLICT (organization_id, iso_element) DO UPDATE SET status = EXCLUDED.status, score = EXCLUDED.score`, []change{a, b}},
		{"an upsert that does nothing", "INSERT INTO compliance_assessments VALUES ('a', 'SERVICING', 'PARTIAL', 50) ON CONFLICT DO NOTHING", nil},
		{"a truncation", "TRUNCATE documents", everybody},
		{"a writable CTE", "WITH gone AS (DELETE FROM audits WHERE organization_id = 'b') UPDATE documents SET deleted = true WHERE organization_id = 'a'", []change{a, b}},
		{"through a view", `CREATE VIEW drafts AS SELECT organization_id, iso_element, status FROM documents WHERE status = 'DRAFT' WITH CHECK OPTION;
			INSERT INTO drafts VALUES ('a', 'SERVICING', 'DRAFT'); UPDATE drafts SET iso_element = 'TRACEABILITY' WHERE organization_id = 'b';
			DELETE FROM drafts WHERE organization_id = 'c'`, []change{a, b, {Organization: "c"}}},
		{"a rollback", "BEGIN; DELETE FROM documents; ROLLBACK", nil},
		{"a savepoint", "BEGIN; DELETE FROM audits WHERE organization_id = 'a'; SAVEPOINT s; DELETE FROM audits; ROLLBACK TO s; COMMIT", []change{a}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.exec(test.sql)
			d.expect(test.name, test.want...)
		})
	}
}

// What is pushed of an organization is pushed again, also what Clerk has to forget; what is not pushed is not.
func TestOrganizationsAreNoticed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, sql string
		want      []change
	}{
		{"the tier", "UPDATE organizations SET certification_tier = 'CERTIFIED' WHERE id IN ('a', 'd')", []change{{"a", "org_A", false}, {"d", "", false}}},
		{"a name", "UPDATE organizations SET name = 'Another'", nil},
		{"the same again", "UPDATE organizations SET certification_tier = 'ACCREDITED', clerk_org_id = clerk_org_id", nil},
		{"unlinked", "UPDATE organizations SET clerk_org_id = NULL WHERE id = 'a'", []change{{"a", "", false}, {"a", "org_A", false}}},
		{"linked", "UPDATE organizations SET clerk_org_id = 'org_D' WHERE id = 'd'", []change{{"d", "", false}, {"d", "org_D", false}}},
		{"linked elsewhere", "UPDATE organizations SET clerk_org_id = 'org_N' WHERE id = 'a'", []change{{"a", "org_A", false}, {"a", "org_N", false}}},
		{"a link that moves", `BEGIN; UPDATE organizations SET clerk_org_id = NULL WHERE id = 'a'; DELETE FROM organization_change;
			UPDATE organizations SET clerk_org_id = 'org_A' WHERE id = 'b'; COMMIT`, []change{{"b", "org_A", false}, {"b", "org_B", false}}},
		{"a score by hand", `UPDATE organizations SET compliance_score = 99, documentation_score = 1, insurance_score = 1, personnel_score = 1,
			audit_score = 1, insurance_valid = true, calculated_at = now() WHERE id = 'a'`, []change{{"a", "org_A", false}}},
		{"an insert", "INSERT INTO organizations (id, name, clerk_org_id) VALUES ('e', 'E', 'org_E'), ('f', 'F', NULL)", []change{{"e", "org_E", false}, {"f", "", false}}},
		{"a delete, with its facts", "DELETE FROM organizations WHERE id IN ('a', 'd')", []change{{"a", "org_A", false}, {"d", "", false}}},
		{"another id", "DELETE FROM documents; DELETE FROM insurance_policies; DELETE FROM compliance_assessments; DELETE FROM organization_members;" +
			"DELETE FROM audits; DELETE FROM capa_records; DELETE FROM organization_change; UPDATE organizations SET id = 'z' WHERE id = 'a'",
			[]change{{"a", "org_A", false}, {"z", "org_A", false}}},
		{"a truncation, with the facts", "TRUNCATE organizations CASCADE", []change{{"a", "org_A", true}, {"b", "org_B", true}, {"c", "org_C", true}, {"d", "", true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.exec(test.sql)
			d.expect(test.name, test.want...)
		})
	}
}

func TestCopyIsNoticed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rows := pgx.CopyFromRows([][]any{{"a", "OPEN"}, {"b", "OPEN"}, {"a", "CLOSED"}})
	conn, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	// By text: the driver does not know the enum.
	var text strings.Builder
	for rows.Next() {
		values, _ := rows.Values()
		fmt.Fprintf(&text, "%s\t%s\n", values...)
	}
	_, err = conn.Conn().PgConn().CopyFrom(t.Context(), strings.NewReader(text.String()), "COPY capa_records (organization_id, status) FROM STDIN")
	if err != nil {
		t.Fatal(err)
	}
	d.expect("copied", change{Organization: "a"}, change{Organization: "a"}, change{Organization: "b"})
}

func TestMergeIsNoticed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if d.setting("server_version_num") < 150000 {
		t.Skip("MERGE is there from PostgreSQL 15")
	}
	d.exec(`MERGE INTO compliance_assessments AS c
		USING (VALUES ('a', 60), ('b', 0), ('x', 50)) AS given (id, score)
		ON c.organization_id = given.id AND c.iso_element = 'SERVICING'
		WHEN MATCHED AND given.score = 0 THEN DELETE
		WHEN MATCHED THEN UPDATE SET score = given.score
		WHEN NOT MATCHED THEN DO NOTHING`)
	d.expect("merged", change{Organization: "a"}, change{Organization: "b"})
}

func (d *desk) setting(name string) (value int) {
	d.t.Helper()
	if err := d.pool.QueryRow(d.t.Context(), "SELECT current_setting($1)::integer", name).Scan(&value); err != nil {
		d.t.Fatal(err)
	}
	return value
}

// A prepared transaction counts once it is committed, by whichever session; one that is rolled back does not.
func TestPreparedTransactionsAreNoticed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if d.setting("max_prepared_transactions") == 0 {
		t.Skip("this server takes no prepared transactions: max_prepared_transactions is 0")
	}
	prepare := func(sql string) (name string) {
		t.Helper()
		name = rand.Text() // the server's, not the database's
		d.exec(fmt.Sprintf("BEGIN; %s; PREPARE TRANSACTION '%s'", sql, name))
		return name
	}
	kept := prepare("UPDATE documents SET deleted = true WHERE organization_id = 'a'")
	dropped := prepare("UPDATE documents SET deleted = true WHERE organization_id = 'b'")
	d.expect("prepared")
	d.exec("COMMIT PREPARED '" + kept + "'")
	d.exec("ROLLBACK PREPARED '" + dropped + "'")
	d.expect("committed", change{Organization: "a"})
}

// What docs/foreign-writers.md says is not noticed. Were it, that would have to say so.
func TestLimits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.exec("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM documents; COMMIT")
	d.expect("in a replica's role")

	d.exec(`DROP TABLE documents;
		CREATE TABLE documents (id bigint GENERATED BY DEFAULT AS IDENTITY, organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
			iso_element iso_element NOT NULL, status document_status NOT NULL, deleted boolean NOT NULL DEFAULT false) PARTITION BY LIST (organization_id);
		CREATE TABLE documents_a PARTITION OF documents FOR VALUES IN ('a');
		CREATE TABLE documents_b PARTITION OF documents FOR VALUES IN ('b')`)
	d.install()
	const values = "(id, organization_id, iso_element, status) VALUES (1, 'a', 'SERVICING', 'DRAFT')"
	d.exec("INSERT INTO documents " + values + "; UPDATE documents SET organization_id = 'b'")
	d.expect("through the partitioned table, but not where a row has left", change{Organization: "a"}, change{Organization: "b"})
	d.exec("INSERT INTO documents_a " + values)
	d.expect("straight into a partition")
}

// Our own statements notice themselves: the trigger leaves them alone, and what others write in the same transaction, or by
// triggers of their own within our statement, it does not.
func TestOwnStatementsAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	queries := dbsqlc.New()
	write := func(fn func(tx pgx.Tx) error) {
		t.Helper()
		if err := pgx.BeginFunc(t.Context(), d.pool, fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx pgx.Tx) error {
		err := queries.OrganizationInsert(t.Context(), tx, dbsqlc.OrganizationInsertParams{ID: "o", Name: "O", ClerkOrgID: new("org_O"), CertificationTier: "CERTIFIED"})
		if err != nil {
			return err
		}
		return queries.OrganizationUpdate(t.Context(), tx, dbsqlc.OrganizationUpdateParams{ID: "o", Name: "P", CertificationTier: "ACCREDITED"})
	})
	d.expect("ours")
	clear := func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), dbsqlc.FactsDeleteDocuments, []string{"a"})
		return err
	}
	foreign := func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM documents WHERE organization_id = 'b'")
		return err
	}
	write(func(tx pgx.Tx) error {
		if err := clear(tx); err != nil {
			return err
		}
		return foreign(tx)
	})
	d.expect("beside ours", change{Organization: "b"})

	batch := &pgx.Batch{}
	batch.Queue(dbsqlc.FactsDeleteAssessments, []string{"a"})
	batch.Queue("DELETE FROM compliance_assessments WHERE organization_id = 'b'")
	batch.Queue(dbsqlc.FactsDeleteAssessments, []string{"c"})
	write(func(tx pgx.Tx) error { return tx.SendBatch(t.Context(), batch).Close() })
	d.expect("between two of ours in a batch", change{Organization: "b"})

	d.exec(`CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			UPDATE capa_records SET status = 'OVERDUE' WHERE organization_id = 'c' AND status <> 'OVERDUE'; RETURN NULL; END $$;
		CREATE TRIGGER theirs AFTER DELETE ON insurance_policies FOR EACH STATEMENT EXECUTE FUNCTION theirs()`)
	write(func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), dbsqlc.FactsDeletePolicies, []string{"a"})
		return err
	})
	d.expect("by their trigger, in a statement of ours", change{Organization: "c"})
	write(func(tx pgx.Tx) error { _, err := queries.OrganizationDelete(t.Context(), tx, "d"); return err })
	d.expect("facts that go with an organization")
}

// Every statement of ours that writes one of the tables says that it is ours.
func TestOwnStatementsSaySo(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, pool: dbtest.New(t)}
	watched := map[string]bool{}
	for _, trigger := range d.status().Triggers {
		watched[trigger.Table] = false
	}
	tables := strings.Join(slices.Sorted(maps.Keys(watched)), "|")
	writes := regexp.MustCompile(`(?i)\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(` + tables + `)\b`)
	const own = "set_config('claimsync.statement', statement_timestamp()::text, true)"
	for name, sql := range ownStatements(t) {
		for _, write := range writes.FindAllStringSubmatch(sql, -1) {
			if watched[write[1]] = true; !strings.Contains(sql, own) {
				t.Errorf("%s writes %s, and does not say so: %s", name, write[1], sql)
			}
		}
	}
	for table, written := range watched {
		if !written {
			t.Errorf("no statement was found that writes %s", table)
		}
	}
}

// ownStatements are those of queries, by name, without comments.
func ownStatements(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../queries/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	statements := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(text), "\n-- name: ")[1:] {
			name, sql, _ := strings.Cut(part, "\n")
			statements[name] = regexp.MustCompile("--.*").ReplaceAllString(sql, "")
		}
	}
	return statements
}

// A statement that changes very many rows calls each trigger once, and the queue gets a row per organization, behind those
// of statements that change few.
func TestBulkIsOneStatement(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const many = 5000
	d.exec(fmt.Sprintf(`
		INSERT INTO organizations (id, name) SELECT 'n' || n, 'N' FROM generate_series(1, %d) AS n;
		INSERT INTO audits (organization_id, completed_at) SELECT 'n' || n, now() FROM generate_series(1, %[1]d) AS n, generate_series(1, 3);
		DELETE FROM organization_change`, many))
	// A session that has planned the trigger's query for one row plans it for the next as well.
	conn, err := d.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "UPDATE audits SET rating = 'FAIL' WHERE organization_id = 'a'"); err != nil {
		t.Fatal(err)
	}
	var plan []struct {
		Triggers []struct {
			Name  string `json:"Trigger Name"`
			Calls int    `json:"Calls"`
		}
	}
	var text []byte
	if err := conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, FORMAT JSON) UPDATE audits SET rating = 'PASS'").Scan(&text); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, trigger := range plan[0].Triggers {
		calls[trigger.Name] = trigger.Calls
	}
	same(t, "calls of triggers", calls, map[string]int{"claimsync_update": 1})

	var single, bulk int
	err = d.pool.QueryRow(t.Context(), "SELECT count(*) FILTER (WHERE NOT bulk), count(*) FILTER (WHERE bulk) FROM organization_change").Scan(&single, &bulk)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "rows of the queue, few at once and many", [2]int{single, bulk}, [2]int{1 + 101, many + 4}) // with a to d
}
