package claimsync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/scoring"
)

// 50 of 5000 are edited by hand: exactly those are found, with few calls, and pushed over; after that all is well.
func TestDriftFiftyOfFiveThousand(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	all := numbered("o", 5000)
	d.create(all...)
	d.asPushed()
	for _, id := range all {
		d.edit(id, `{"certification_tier":"CERTIFIED","compliance_score":5,"insurance_valid":false}`)
	}
	d.work()
	want := map[string][]claimsync.DriftKind{}
	for i := range 50 {
		id := fmt.Sprint("o", i*97)
		d.edit(id, `{"certification_tier":"MASTER_ROOFER","compliance_score":99,"insurance_valid":true,"theirs":1}`)
		want["org_"+id] = []claimsync.DriftKind{claimsync.DriftChanged}
	}
	writes := len(d.clerk.Writes())

	var done, total int
	report := d.check(claimsync.DriftOptions{Repair: true, Progress: func(d, t int) { done, total = d, t }})
	d.expectKinds(report, want)
	if n := len(d.listRequests()); n > 12 || n != report.ListCalls {
		t.Errorf("%d list calls, %d reported; want at most 12", n, report.ListCalls)
	}
	if report.Listed != 5000 || report.Compared != 5000 || report.InStep != 4950 || report.Drifted != 50 ||
		report.Repaired != 50 || report.Pending != 0 || report.Kinds[claimsync.DriftChanged] != 50 || done != 5000 || total != 5000 {
		t.Errorf("progress %d of %d; report %+v", done, total, *report)
	}
	d.synced()
	if n := len(d.clerk.Writes()) - writes; n != 50 {
		t.Errorf("%d writes to repair 50", n)
	}

	if report = d.check(repairing); report.Drifted != 0 || report.InStep != 5000 || report.ListCalls != 10 {
		t.Errorf("the second time: %+v", *report)
	}
	if n := len(d.clerk.Writes()) - writes; n != 50 {
		t.Errorf("%d writes after nothing was found", n-50)
	}
}

// Each kind, what is repaired of it, and what is not.
func TestDriftKinds(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	ids := []string{"same", "changed", "missing", "type", "several", "unlinked", "foreign", "deleted", "gone"}
	d.create(ids...)
	d.exec("UPDATE organizations SET clerk_org_id = NULL WHERE id = 'foreign'")
	d.exec("DELETE FROM outbox WHERE key = 'org_foreign'")
	d.work()
	d.synced()
	insert := "INSERT INTO organizations (id, name, clerk_org_id) VALUES ($1, $1, $2)"
	d.exec("UPDATE organizations SET clerk_org_id = 'org_foreign' WHERE id = 'foreign'") // by a foreign writer, that marks nothing
	d.clerk.AddOrganization("org_agreeing", "agreeing")
	d.edit("agreeing", `{"certification_tier":"ACCREDITED"}`)
	d.exec(insert, "agreeing", "org_agreeing")
	d.exec(insert, "nowhere", "org_nowhere")
	for _, id := range []string{"unlinked", "gone"} {
		d.must(pgx.BeginFunc(t.Context(), d.pool, func(tx pgx.Tx) error { return d.store.DeleteTx(t.Context(), tx, id) }))
	}
	d.synced()
	d.clerk.AddOrganization("org_stranger", "stranger")
	d.clerk.RemoveOrganization("org_deleted")
	d.clerk.RemoveOrganization("org_gone")
	const rest = `"compliance_score":15,"insurance_valid":false`
	score := d.text("SELECT compliance_score::text FROM organizations WHERE id = 'same'")
	as := func(public string) string { return strings.ReplaceAll(public, "15", score) }
	d.edit("changed", as(`{"certification_tier":"ACCREDITED",`+rest+`}`))
	d.edit("missing", as(`{"certification_tier":null,`+rest+`}`))
	d.edit("type", `{"certification_tier":"CERTIFIED","compliance_score":"`+score+`","insurance_valid":false}`)
	d.edit("several", `{"certification_tier":["CERTIFIED"],"insurance_valid":true}`)
	d.edit("unlinked", `{"insurance_valid":true}`)

	const changed, missing, wrong, unexpected = claimsync.DriftChanged, claimsync.DriftMissingKey, claimsync.DriftWrongType,
		claimsync.DriftUnexpectedKey
	all := map[string][]claimsync.DriftKind{
		"org_changed": {changed}, "org_missing": {missing}, "org_type": {wrong}, "org_several": {wrong, missing, changed},
		"org_unlinked": {unexpected}, "org_foreign": {missing},
		"org_deleted": {claimsync.DriftMissing}, "org_nowhere": {claimsync.DriftMissing}, "org_stranger": {claimsync.DriftUnknown},
	}
	report := d.check(looking)
	d.expectKinds(report, all)
	wantDrift := claimsync.Drift{
		ClerkOrgID: "org_type", OrganizationID: "type", Kinds: []claimsync.DriftKind{wrong},
		Differences: []clerk.Difference{{Kind: clerk.WrongType, Key: "compliance_score", Clerk: `"` + score + `"`, Want: score}},
	}
	i := slices.IndexFunc(report.Drifts, func(drift claimsync.Drift) bool { return drift.ClerkOrgID == "org_type" })
	if diff := cmp.Diff(wantDrift, report.Drifts[i], cmpopts.IgnoreUnexported(claimsync.Drift{})); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if report.Repaired != 0 || report.Drifted != 9 || report.Compared != 10 || report.InStep != 2 || report.Listed != 9 {
		t.Errorf("report: %+v", *report)
	}
	if d.is("SELECT count(*) > 0 FROM outbox WHERE verify_at IS NOT NULL OR dirty_since IS NOT NULL") {
		t.Error("only looked at, and yet something was marked")
	}

	report = d.check(claimsync.DriftOptions{Repair: true, KnownOnly: true})
	delete(all, "org_stranger")
	d.expectKinds(report, all)
	if report.Repaired != 6 || report.Drifted != 8 || !report.KnownOnly {
		t.Errorf("report: %+v", *report)
	}
	d.synced()
	report = d.check(looking)
	d.expectKinds(report, map[string][]claimsync.DriftKind{
		"org_deleted": {claimsync.DriftMissing}, "org_nowhere": {claimsync.DriftMissing}, "org_stranger": {claimsync.DriftUnknown},
	})
	if unlinked, _ := d.clerk.Organization("org_unlinked"); string(unlinked.PublicMetadata) != "{}" {
		t.Errorf("claims of what was unlinked: %s", unlinked.PublicMetadata)
	}
}

// What is on its way, parked or in doubt says nothing, whatever Clerk has. That it does not have the organization at all
// does: nothing that is on its way changes that.
func TestDriftLeavesWhatIsPending(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	ids := []string{"dirty", "parked", "doubted", "leased", "still"}
	d.create(ids...)
	d.asPushed()
	d.exec(`UPDATE outbox SET dirty_since = now(), desired_version = 2 WHERE key IN ('org_dirty', 'org_parked')`)
	d.exec(`UPDATE outbox SET parked_at = now(), parked_reason = 'park 422' WHERE key = 'org_parked'`)
	d.exec(`UPDATE outbox SET doubted_at = now(), verify_at = now() + interval '1 h' WHERE key = 'org_doubted'`)
	d.exec(`UPDATE outbox SET lease_token = gen_random_uuid(), lease_version = 1, leased_at = now(), lease_expires_at = now()
		WHERE key = 'org_leased'`)
	report := d.check(repairing)
	d.expectKinds(report, map[string][]claimsync.DriftKind{"org_still": {claimsync.DriftMissingKey}})
	if report.Pending != 4 || report.Compared != 1 || report.Repaired != 1 {
		t.Errorf("report: %+v", *report)
	}
	for _, id := range ids[:4] {
		d.clerk.RemoveOrganization("org_" + id)
	}
	if report := d.check(looking); report.Kinds[claimsync.DriftMissing] != 4 || report.Pending != 1 {
		t.Errorf("not there: %+v", *report)
	}
}

// An organization that changes while the check runs, again and again, is never called drift: Clerk's answer is of before.
func TestDriftWhileChanging(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.create("busy", "edited")
	d.work()
	d.synced()
	d.edit("edited", `{}`)
	tiers := []scoring.Tier{scoring.Accredited, scoring.MasterRoofer}
	d.lists.after = func(n int) {
		d.tier("busy", tiers[n%2])
		d.synced()
	}
	report := d.check(looking)
	d.expectKinds(report, map[string][]claimsync.DriftKind{"org_edited": {claimsync.DriftMissingKey}})
	if report.Pending != 1 || report.ListCalls != 2 {
		t.Errorf("report: %+v", *report)
	}
}

// What seemed to differ is looked at a second time: linked, unlinked or mended meanwhile, it does not.
func TestDriftIsConfirmed(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.create("mended", "unlinked", "deleted", "same")
	d.clerk.AddOrganization("org_new", "new")
	d.work()
	d.synced()
	d.edit("mended", `{}`)
	d.edit("unlinked", `{}`)
	d.clerk.RemoveOrganization("org_deleted")
	d.lists.after = func(n int) {
		if n == 1 {
			same, _ := d.clerk.Organization("org_same")
			d.edit("mended", string(same.PublicMetadata))
			d.exec("UPDATE organizations SET clerk_org_id = NULL WHERE id IN ('unlinked', 'deleted')")
		} else {
			d.exec("INSERT INTO organizations (id, name, clerk_org_id) VALUES ('new', 'New', 'org_new')")
		}
	}
	if report := d.check(looking); report.Drifted != 0 || report.ListCalls != 2 {
		t.Errorf("report: %+v", *report)
	}
}

// When one is deleted at Clerk while pages are read, the next page misses another one, which is not missing.
func TestDriftWhilePagesMove(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	d.clerk.AddOrganization("org_first", "first") // nobody's
	d.create(numbered("o", 501)...)
	d.asPushed()
	d.exec(`UPDATE organizations SET compliance_score = NULL, documentation_score = NULL, insurance_score = NULL,
		personnel_score = NULL, audit_score = NULL, insurance_valid = NULL, calculated_at = NULL, recalculate_at = NULL`)
	for _, id := range numbered("o", 501) {
		d.edit(id, `{"certification_tier":"CERTIFIED"}`)
	}
	d.lists.after = func(n int) {
		if n == 1 {
			d.clerk.RemoveOrganization("org_first")
		}
	}
	report := d.check(claimsync.DriftOptions{KnownOnly: true})
	if report.Drifted != 0 || report.InStep != 501 {
		t.Errorf("report: %+v", *report)
	}
	if report.ListCalls != 3 || report.Listed != 501 {
		t.Errorf("%d calls, %d listed: no page moved, and the test proves nothing", report.ListCalls, report.Listed)
	}
}

// A report is returned whole, and kept as far as people will read it: what concerns ours first.
func TestDriftReportKept(t *testing.T) {
	t.Parallel()
	d := newDrifting(t)
	for _, id := range numbered("stranger", 1100) {
		d.clerk.AddOrganization("org_"+id, id)
	}
	d.create("zz")
	d.asPushed()
	report := d.check(looking)
	last, err := d.sync.LastDriftCheck(t.Context())
	d.must(err)
	if len(report.Drifts) != 1101 || report.Drifted != 1101 || last.Report.Drifted != 1101 || len(last.Report.Drifts) != 1000 {
		t.Fatalf("found %d of %d, kept %d of %d", len(report.Drifts), report.Drifted, len(last.Report.Drifts), last.Report.Drifted)
	}
	unexported := cmpopts.IgnoreUnexported(claimsync.Drift{})
	diff := cmp.Diff(report.Drifts[:1000], last.Report.Drifts, unexported)
	if diff != "" || last.Report.Drifts[0].ClerkOrgID != "org_zz" {
		t.Errorf("kept (-found +kept):\n%s", diff)
	}
	d.exec("UPDATE drift_check SET reported_at = now() + interval '1 h'")
	d.check(looking)
	if again, err := d.sync.LastDriftCheck(t.Context()); err != nil || !again.Report.FinishedAt.Equal(last.Report.FinishedAt) {
		t.Errorf("a newer report was replaced: %v", err)
	}
}
