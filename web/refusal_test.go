package web_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// TestRefusals: each request is refused with the status, names the field, and leaves the database as it was.
func TestRefusals(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	a.must(201, "POST", "/v1/organizations", `{"id": "one", "name": "One", "clerk_org_id": "org_1"}`)
	a.must(201, "POST", "/v1/organizations", `{"id": "two", "name": "Two"}`)
	a.must(200, "PUT", "/v1/organizations/one/facts", `{"documents": [{"iso_element": "PURCHASING", "status": "DRAFT"}]}`)
	before := a.contents()

	const (
		collection = "/v1/organizations"
		one        = "/v1/organizations/one"
		facts      = "/v1/organizations/one/facts"
	)
	policy := func(coverage, expiry string) string {
		return `{"insurance_policies": [{"policy_type": "MOTOR_VEHICLE", "coverage_amount": ` + coverage +
			`, "expiry_date": "` + expiry + `"}]}`
	}
	assessment := func(score string) string {
		return `{"assessments": [{"iso_element": "SERVICING", "status": "PARTIAL", "score": ` + score + `}]}`
	}
	const (
		later    = "2030-01-01T00:00:00Z"
		coverage = "insurance_policies[0].coverage_amount"
		expiry   = "insurance_policies[0].expiry_date"
		status   = "documents[0].status"
	)
	huge := `{"name": "` + strings.Repeat("x", 2<<20) + `"}`

	for _, test := range []struct {
		name, method, path, body string
		status                   int
		field                    string
	}{
		{"empty body", "POST", collection, ``, 400, ""},
		{"malformed", "POST", collection, `{"name": `, 400, ""},
		{"trailing garbage", "POST", collection, `{"name": "x"} x`, 400, ""},
		{"second value", "POST", collection, `{"name": "x"}{}`, 400, ""},
		{"not UTF-8", "POST", collection, "{\"name\": \"\xff\"}", 400, ""},
		{"NaN", "PUT", facts, assessment("NaN"), 400, ""},
		{"not an object", "POST", collection, `[]`, 422, ""},
		{"null", "POST", collection, `null`, 422, ""},
		{"unknown field", "POST", collection, `{"name": "x", "nam": 1}`, 422, "nam"},
		{"field of another case", "POST", collection, `{"Name": "x"}`, 422, "Name"},
		{"field given twice", "POST", collection, `{"name": "x", "name": "y"}`, 422, "name"},
		{"wrong type", "POST", collection, `{"name": 1}`, 422, "name"},
		{"null name", "POST", collection, `{"name": null}`, 422, "name"},
		{"no name", "POST", collection, `{}`, 422, "name"},
		{"empty name", "POST", collection, `{"name": ""}`, 422, "name"},
		{"long name", "POST", collection, `{"name": "` + strings.Repeat("ü", 257) + `"}`, 422, "name"},
		{"control character", "POST", collection, `{"name": "a\nb"}`, 422, "name"},
		{"NUL", "POST", collection, `{"name": "a\u0000b"}`, 422, "name"},
		{"empty id", "POST", collection, `{"id": "", "name": "x"}`, 422, "id"},
		{"null id", "POST", collection, `{"id": null, "name": "x"}`, 422, "id"},
		{"id with a slash", "POST", collection, `{"id": "a/b", "name": "x"}`, 422, "id"},
		{"id with a newline", "POST", collection, `{"id": "a\n", "name": "x"}`, 422, "id"},
		{"long id", "POST", collection, `{"id": "` + strings.Repeat("x", 129) + `", "name": "x"}`, 422, "id"},
		{"Clerk id with a fragment", "POST", collection, `{"name": "x", "clerk_org_id": "org_1#f"}`, 422, "clerk_org_id"},
		{"empty Clerk id", "POST", collection, `{"name": "x", "clerk_org_id": ""}`, 422, "clerk_org_id"},
		{"unknown tier", "POST", collection, `{"name": "x", "certification_tier": "GOLD"}`, 422, "certification_tier"},
		{"null tier", "POST", collection, `{"name": "x", "certification_tier": null}`, 422, "certification_tier"},
		{"taken id", "POST", collection, `{"id": "one", "name": "x"}`, 409, "id"},
		{"taken Clerk id", "POST", collection, `{"id": "new", "name": "x", "clerk_org_id": "org_1"}`, 409, "clerk_org_id"},
		{"too long", "POST", collection, huge, 413, ""},

		{"PATCH name null", "PATCH", one, `{"name": null}`, 422, "name"},
		{"PATCH name empty", "PATCH", one, `{"name": ""}`, 422, "name"},
		{"PATCH tier null", "PATCH", one, `{"certification_tier": null}`, 422, "certification_tier"},
		{"PATCH tier a number", "PATCH", one, `{"certification_tier": 1}`, 422, "certification_tier"},
		{"PATCH Clerk id invalid", "PATCH", one, `{"clerk_org_id": "org_"}`, 422, "clerk_org_id"},
		{"PATCH id", "PATCH", one, `{"id": "other"}`, 422, "id"},
		{"PATCH score", "PATCH", one, `{"compliance_score": 100}`, 422, "compliance_score"},
		{"PATCH Clerk id taken", "PATCH", collection + "/two", `{"clerk_org_id": "org_1"}`, 409, "clerk_org_id"},
		{"PATCH too long", "PATCH", one, huge, 413, ""},

		{"null list", "PUT", facts, `{"documents": null}`, 422, "documents"},
		{"list of another type", "PUT", facts, `{"documents": {}}`, 422, "documents"},
		{"null fact", "PUT", facts, `{"documents": [null]}`, 422, "documents[0]"},
		{"unknown list", "PUT", facts, `{"document": []}`, 422, "document"},
		{"unknown enum", "PUT", facts, `{"documents": [{"iso_element": "PURCHASING", "status": "DONE"}]}`, 422, status},
		{"no enum", "PUT", facts, `{"documents": [{"iso_element": "PURCHASING"}]}`, 422, status},
		{"unknown field of a fact", "PUT", facts, `{"capa_records": [{"status": "OPEN", "id": 1}]}`, 422, "capa_records[0].id"},
		{"negative coverage", "PUT", facts, policy(`-1`, later), 422, coverage},
		{"absurd coverage", "PUT", facts, policy(`1e99`, later), 422, coverage},
		{"three decimals", "PUT", facts, policy(`1.001`, later), 422, coverage},
		{"coverage as a string", "PUT", facts, policy(`"1"`, later), 422, coverage},
		{"expiry in the year 10000", "PUT", facts, policy(`1`, "10000-01-01T00:00:00Z"), 422, expiry},
		{"expiry without a zone", "PUT", facts, policy(`1`, "2030-01-01T00:00:00"), 422, expiry},
		{"score above 100", "PUT", facts, assessment("100.01"), 422, "assessments[0].score"},
		{"score below 0", "PUT", facts, assessment("-0.1"), 422, "assessments[0].score"},
		{"score beyond numbers", "PUT", facts, assessment("1e999"), 422, "assessments[0].score"},
		{"facts too long", "PUT", facts, huge, 413, ""},

		{"recalculate with a body", "POST", one + "/recalculate", `{"now": "2030-01-01T00:00:00Z"}`, 422, "now"},
		{"sync with a body", "POST", one + "/sync", `{"force": true}`, 422, "force"},
		{"sync of what is not linked", "POST", collection + "/two/sync", ``, 409, "clerk_org_id"},

		{"GET unknown", "GET", collection + "/none", ``, 404, ""},
		{"GET impossible id", "GET", collection + "/a%00b", ``, 404, ""},
		{"GET id with a slash", "GET", collection + "/a%2Fb", ``, 404, ""},
		{"PATCH unknown", "PATCH", collection + "/none", `{"name": "x"}`, 404, ""},
		{"PUT facts of unknown", "PUT", collection + "/none/facts", `{}`, 404, ""},
		{"recalculate unknown", "POST", collection + "/none/recalculate", ``, 404, ""},
		{"sync unknown", "POST", collection + "/none/sync", ``, 404, ""},
		{"DELETE unknown", "DELETE", collection + "/none", ``, 404, ""},
		{"DELETE impossible id", "DELETE", collection + "/%ff", ``, 404, ""},

		{"limit 0", "GET", collection + "?limit=0", ``, 400, "limit"},
		{"limit 501", "GET", collection + "?limit=501", ``, 400, "limit"},
		{"limit no number", "GET", collection + "?limit=ten", ``, 400, "limit"},
		{"limit twice", "GET", collection + "?limit=1&limit=2", ``, 400, "limit"},
		{"unknown filter", "GET", collection + "?sync=broken", ``, 400, "sync"},
		{"unknown parameter", "GET", collection + "?synk=dirty", ``, 400, "synk"},
		{"damaged cursor", "GET", collection + "?cursor=abc", ``, 400, "cursor"},
		{"cursor no base64", "GET", collection + "?cursor=!", ``, 400, "cursor"},
		{"malformed query", "GET", collection + "?limit=%zz", ``, 400, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := a.do(test.method, test.path, test.body)
			checkProblem(t, got, test.status, test.field)
			diff(t, "the database", before, a.contents())
		})
	}
}

// checkProblem wants a problem with the status that names the field; "" for none.
func checkProblem(t *testing.T, got reply, status int, field string) {
	t.Helper()
	if got.status != status || got.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %s %s, want a problem with %d", got.status, got.header.Get("Content-Type"), got.body, status)
	}
	problem := got.json(t)
	if problem["status"] != float64(status) || problem["title"] == "" {
		t.Errorf("problem: %s", got.body)
	}
	faults, _ := problem["errors"].([]any)
	if field == "" {
		return
	}
	for _, fault := range faults {
		if fault := fault.(object); fault["field"] == field && fault["message"] != "" {
			return
		}
	}
	t.Errorf("no error names the field %s: %s", field, got.body)
}

func TestAllFaultsAreListed(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	problem := a.must(422, "POST", "/v1/organizations", `{"id": "/", "name": "", "clerk_org_id": "x"}`)
	if faults := problem["errors"].([]any); len(faults) != 3 {
		t.Errorf("%d faults, want id, name and clerk_org_id: %v", len(faults), faults)
	}
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O"}`)
	many := a.must(422, "PUT", "/v1/organizations/o/facts", `{"documents": [`+strings.Repeat(`{},`, 999)+`{}]}`)
	if faults := many["errors"].([]any); len(faults) != 100 || !strings.Contains(many["detail"].(string), "100 of 2000") {
		t.Errorf("%d faults, want the first 100 of 2000: %s", len(faults), many["detail"])
	}
}
