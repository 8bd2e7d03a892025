package claimsync_test

import (
	"context"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/db/triggers"
	"github.com/claimsync/claimsync/jobs"
)

// sqlBlocks are those of a document, in their order.
func sqlBlocks(t *testing.T, file string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("(?s)\n```sql\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// along opens the database with a search_path.
func along(t *testing.T, databaseURL, path string) *pgxpool.Pool {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", path)
	u.RawQuery = query.Encode()
	pool, err := db.Open(context.Background(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// adopted does what docs/adopting.md says, with a company that is there before. Returns the team's pool and ours.
func adopted(t *testing.T) (team, ours *pgxpool.Pool) {
	t.Helper()
	database := dbtest.EmptyURL(t)
	team, ours = along(t, database, "public"), along(t, database, "adopted,claimsync")
	exec := func(sql string) {
		t.Helper()
		if _, err := team.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%v\n%s", err, sql)
		}
	}
	blocks := sqlBlocks(t, "docs/adopting.md")
	if len(blocks) != 5 {
		t.Fatalf("docs/adopting.md has %d blocks of SQL, want the tables, the organizations, the facts, the triggers, the rest", len(blocks))
	}
	exec(blocks[0])
	exec(`INSERT INTO companies (trading_name, clerk_organization, grade) VALUES ('Roofs', 'org_A', 'silver');
		INSERT INTO cover_notes (company_no, kind, sum_insured_cents, ends_on) SELECT company_no, 'liability', 500000000, current_date - 10 FROM companies`)
	exec("CREATE SCHEMA claimsync; CREATE SCHEMA adopted")
	if err := db.Migrate(t.Context(), along(t, database, "claimsync"), db.MigrateConfig{}); err != nil {
		t.Fatal(err)
	}
	exec(blocks[1])
	exec(blocks[2])
	changes, err := triggers.Install(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	done := map[triggers.Action]int{}
	for _, change := range changes {
		done[change.Action]++
	}
	if done[triggers.ActionInstalled] != 5 || done[triggers.ActionSkipped] != 2 {
		t.Fatalf("triggers: %v", changes)
	}
	exec(blocks[3])
	exec(blocks[4])
	return team, ours
}

// adoptedForeign is the team beside a process of ours, with Clerk behind it.
func adoptedForeign(t *testing.T, edits ...func(*claimsync.Config)) *foreign {
	t.Helper()
	server, client := newClerk(t, 5*time.Second)
	for _, id := range []string{"org_A", "org_B"} {
		server.AddOrganization(id, id)
	}
	team, ours := adopted(t)
	f := &foreign{hooked: &hooked{decider: decider{t: t, pool: ours}, clerk: server}, writer: team}
	edits = append(edits, func(c *claimsync.Config) { c.LinkKey = claimsync.NoLink })
	f.sync = newSyncOf(t, ours, client, edits...)
	config, err := jobs.RiverConfig(f.sync.Jobs(), db.DefaultRiverSchema)
	f.must(err)
	f.river, err = river.NewClient(riverpgxv5.New(ours), config)
	f.must(err)
	f.waker = jobs.NewWaker(f.river)
	return f
}

// A team with other tables adopts claimsync by its document alone, and goes on writing its own tables.
func TestAdopting(t *testing.T) {
	t.Parallel()
	f := adoptedForeign(t)
	f.work()

	const insured, tier, score = "insurance_valid", "certification_tier", "compliance_score"
	f.follows("a company that was there before", time.Now(), f.has("org_A", insured, false))
	f.follows("with its tier", time.Now(), f.has("org_A", tier, "CERTIFIED"))
	written := f.write("UPDATE cover_notes SET ends_on = current_date + 300, updated_at = now()")
	f.follows("the cover renewed", written, f.has("org_A", insured, true))
	before := f.claim("org_A", score)
	written = f.write(`INSERT INTO staff (company_no, is_director, licence, licence_checked, licence_ends_on)
		SELECT company_no, true, 'BP123456', true, current_date + 300 FROM companies`)
	f.follows("staff with a licence", written, func() bool { return f.claim("org_A", score) != before })
	written = f.write("DELETE FROM staff")
	f.follows("staff without", written, f.has("org_A", score, before))
	written = f.write("TRUNCATE cover_notes")
	f.follows("no cover at all", written, f.has("org_A", insured, false))
	written = f.write("UPDATE companies SET grade = 'gold'")
	f.follows("another grade", written, f.has("org_A", tier, "MASTER_ROOFER"))
	written = f.write("UPDATE companies SET clerk_organization = 'org_B'")
	f.follows("linked elsewhere: there", written, f.has("org_B", tier, "MASTER_ROOFER"))
	f.follows("linked elsewhere: not here", written, f.has("org_A", tier, nil))
	written = f.write("DELETE FROM companies")
	f.follows("deleted", written, f.has("org_B", tier, nil))
	f.clean()
	if !f.is("SELECT count(*) = 0 FROM organizations") {
		t.Error("the organization is still there")
	}
	written = f.write("INSERT INTO companies (trading_name, clerk_organization) VALUES ('Tiles', 'org_A')")
	f.follows("another company", written, f.has("org_A", tier, "ACCREDITED"))
	written = f.write("TRUNCATE companies CASCADE")
	f.follows("all companies gone", written, f.has("org_A", tier, nil))
	f.clean()
}

// One organization's facts are found by an index, through the view.
func TestAdoptedFactsAreFoundByIndex(t *testing.T) {
	t.Parallel()
	_, ours := adopted(t)
	for _, view := range []string{"insurance_policies", "organization_members"} {
		err := pgx.BeginFunc(t.Context(), ours, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "SET LOCAL enable_seqscan = off"); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), "EXPLAIN SELECT * FROM "+view+" WHERE organization_id = ANY($1::text[]) ORDER BY organization_id, id", []string{"a", "b"})
			if err != nil {
				return err
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Cond") {
				t.Errorf("%s:\n%s", view, text)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (f *foreign) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}
