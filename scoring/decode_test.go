package scoring

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// snapshotWith is a valid snapshot with the given members appended.
func snapshotWith(members string) string {
	return `{"now":"2026-05-22T14:15:41Z","certification_tier":"CERTIFIED",` + members + `}`
}

func TestDecodeSnapshotRefuses(t *testing.T) {
	t.Parallel()
	policy := func(amount string) string {
		return snapshotWith(`"insurance_policies":[{"policy_type":"PUBLIC_LIABILITY","coverage_amount":` + amount +
			`,"expiry_date":"2027-01-01T00:00:00Z"}]`)
	}
	assessment := func(score string) string {
		return snapshotWith(`"assessments":[{"iso_element":"TRACEABILITY","status":"PARTIAL","score":` + score + `}]`)
	}
	now := func(now string) string { return `{"now":` + now + `,"certification_tier":"CERTIFIED"}` }
	expiry := func(expiry string) string {
		return snapshotWith(`"members":[{"role":"OWNER"},{"role":"STAFF","lbp_expiry":` + expiry + `}]`)
	}
	const (
		tiersAllowed = "must be one of ACCREDITED, CERTIFIED, MASTER_ROOFER"
		timeWanted   = "must be a date and time such as 2026-05-22T14:15:41Z, in the years 1 to 9999, got "
		amountField  = "insurance_policies[0].coverage_amount: "
	)
	tests := []struct{ name, input, want string }{
		{"empty object", `{}`, "now: is required; certification_tier: is required"},
		{"not an object", `[]`, "must be an object, got a list"},
		{"null", `null`, "must not be null"},

		{"unknown field", snapshotWith(`"nmae":"x"`), "nmae: is not a known field"},
		{"unknown nested field", snapshotWith(`"audits":[{},{"raiting":"PASS"}]`), "audits[1].raiting: is not a known field"},
		{"unknown numeric field", snapshotWith(`"17":1`), "17: is not a known field"},
		{"wrong case", `{"NOW":"2026-05-22T14:15:41Z"}`, "NOW: is not a known field"},
		{"duplicate name", now(`"2026-05-22T14:15:41Z","now":"2026-05-22T14:15:41Z"`), "now: is given twice"},
		{"duplicate nested name", snapshotWith(`"capa_records":[{"status":"OPEN","status":"OPEN"}]`),
			"capa_records[0].status: is given twice"},

		{"null list", snapshotWith(`"documents":null`), "documents: must not be null"},
		{"null in a list", snapshotWith(`"audits":[{},null]`), "audits[1]: must not be null"},
		{"null flag", snapshotWith(`"members":[{"role":"OWNER","lbp_verified":null}]`),
			"members[0].lbp_verified: must not be null"},
		{"null word", snapshotWith(`"capa_records":[{"status":null}]`), "capa_records[0].status: must not be null"},
		{"null score", assessment(`null`), "assessments[0].score: must not be null"},
		{"null amount", policy(`null`), amountField + "must not be null"},
		{"null time", now(`null`), "now: must not be null"},
		{"object for a list", snapshotWith(`"documents":{}`), "documents: must be a list, got an object"},
		{"string for an object", snapshotWith(`"documents":["x"]`), "documents[0]: must be an object, got a string"},
		{"string for a flag", snapshotWith(`"documents":[{"deleted":"no"}]`),
			"documents[0].deleted: must be true or false, got a string"},
		{"number for text", snapshotWith(`"members":[{"role":"OWNER","lbp_number":12}]`),
			"members[0].lbp_number: must be a string, got a number"},
		{"number for a word", `{"certification_tier":1}`, "certification_tier: must be a string, got a number"},

		{"unknown word", `{"certification_tier":"GOLD"}`,
			`certification_tier: unknown certification tier "GOLD", ` + tiersAllowed},
		{"word in lower case", `{"certification_tier":"certified"}`,
			`certification_tier: unknown certification tier "certified", ` + tiersAllowed},
		{"endless word", `{"certification_tier":"` + strings.Repeat("é", 5000) + `"}`,
			`certification_tier: unknown certification tier "` + strings.Repeat("é", 64) + `…", ` + tiersAllowed},

		{"text for an amount", policy(`"1000000"`), amountField + "must be a number, got a string"},
		{"negative amount", policy(`-0.01`), amountField + "must not be negative"},
		{"three decimals", policy(`1000000.001`), amountField + "must have at most two decimals"},
		{"hidden third decimal", policy(`1e-3`), amountField + "must have at most two decimals"},
		{"too large", policy(`10000000000`), amountField + "must be at most 9999999999.99"},
		{"absurdly large", policy(`1e999999999999999999999`), amountField + "must be at most 9999999999.99"},
		{"absurdly small", policy(`1e-999999999999999999999`), amountField + "must have at most two decimals"},
		{"absent amount", snapshotWith(`"insurance_policies":[{}]`), "insurance_policies[0].policy_type: is required; " +
			amountField + "is required; insurance_policies[0].expiry_date: is required"},

		{"score above", assessment(`250`), "assessments[0].score: must be between 0 and 100, got 250"},
		{"score below", assessment(`-0.5`), "assessments[0].score: must be between 0 and 100, got -0.5"},
		{"score beyond floats", assessment(`1e400`), "assessments[0].score: is out of range"},
		{"score as text", assessment(`"NaN"`), "assessments[0].score: must be a number, got a string"},
		{"all that is absent", snapshotWith(`"assessments":[{}],"documents":[{}],"members":[{}],"capa_records":[{}]`),
			"documents[0].iso_element: is required; documents[0].status: is required; " +
				"assessments[0].iso_element: is required; assessments[0].status: is required; " +
				"assessments[0].score: is required; members[0].role: is required; capa_records[0].status: is required"},
		{"assessed twice", snapshotWith(`"assessments":[
			{"iso_element":"SERVICING","status":"PARTIAL","score":1},
			{"iso_element":"PURCHASING","status":"PARTIAL","score":1},
			{"iso_element":"SERVICING","status":"PARTIAL","score":101}]`),
			"assessments[2].score: must be between 0 and 100, got 101; " +
				"assessments[2].iso_element: must be assessed only once, but SERVICING is also in assessments[0]"},

		{"year 10000", now(`"10000-01-01T00:00:00Z"`), "now: " + timeWanted + `"10000-01-01T00:00:00Z"`},
		{"year 10000 in UTC", now(`"9999-12-31T23:59:59-01:00"`), "now: must be in the years 1 to 9999"},
		{"year 0", expiry(`"0000-12-31T23:59:59Z"`), "members[1].lbp_expiry: must be in the years 1 to 9999"},
		{"date without time", expiry(`"2026-05-22"`), "members[1].lbp_expiry: " + timeWanted + `"2026-05-22"`},
		{"time without zone", expiry(`"2026-05-22T14:15:41"`),
			"members[1].lbp_expiry: " + timeWanted + `"2026-05-22T14:15:41"`},
		{"30 February", expiry(`"2026-02-30T00:00:00Z"`), "members[1].lbp_expiry: " + timeWanted + `"2026-02-30T00:00:00Z"`},
		{"seconds for a time", expiry(`1779459341`),
			"members[1].lbp_expiry: must be a date and time as a string, got a number"},

		{"long number", snapshotWith(`"members":[{"role":"OWNER","lbp_number":"` + strings.Repeat("ā", 65) + `"}]`),
			"members[0].lbp_number: must have at most 64 characters"},
		{"NUL", snapshotWith(`"members":[{"role":"OWNER","lbp_number":"BP\u0000"}]`),
			"members[0].lbp_number: must not contain the NUL character"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeSnapshot([]byte(test.input))
			if _, ok := errors.AsType[Problems](err); !ok {
				t.Fatalf("got %v (%T), want Problems", err, err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, input, want string }{
		{"empty", ``, "malformed JSON at byte 0: unexpected end"},
		{"cut off", `{"now":`, "malformed JSON at byte 7: unexpected end"},
		{"not JSON", `hello`, "malformed JSON at byte 0: invalid character 'h' at start of value"},
		{"NaN", `{"now":NaN}`, "malformed JSON at byte 7: invalid character 'N' at start of value"},
		{"two values", `{} {}`, "malformed JSON at byte 3: invalid character '{' after top-level value"},
		{"trailing comma", `{"documents":[],}`, "malformed JSON at byte 15: invalid character ',' at start of value"},
		{"not UTF-8", "{\"now\":\"\xff\"}", "malformed JSON at byte 8: invalid UTF-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeSnapshot([]byte(test.input))
			if _, ok := errors.AsType[*MalformedError](err); !ok {
				t.Fatalf("got %v (%T), want a MalformedError", err, err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeSnapshotAccepts(t *testing.T) {
	t.Parallel()
	expiry := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	status, number := LBPCurrent, strings.Repeat("ā", 64)
	input := ` {"certification_tier":"MASTER_ROOFER","now":"2026-05-23T02:15:41.1234569+12:00",
		"insurance_policies":[{"policy_type":"CONTRACT_WORKS","coverage_amount":1.5e6,"expiry_date":"0001-01-01T00:00:00Z"}],
		"members":[{"role":"ADMIN","lbp_number":"` + number + `","lbp_status":"CURRENT",
			"lbp_expiry":"9999-12-31T23:59:59.999999999Z"},
			{"role":"STAFF","lbp_number":null,"lbp_verified":true,"lbp_status":null,"lbp_expiry":null}],
		"audits":[{}],"capa_records":[]} ` + "\r\n"
	want := &Snapshot{
		Now:               time.Date(2026, 5, 22, 14, 15, 41, 123_456_000, time.UTC),
		CertificationTier: MasterRoofer,
		Facts: Facts{
			InsurancePolicies: []InsurancePolicy{{ContractWorks, Dollars(1_500_000), time.Time{}}},
			Members:           []Member{{Admin, &number, false, &status, &expiry}, {Role: Staff, LBPVerified: true}},
			Audits:            []Audit{{}},
			CAPARecords:       []CAPARecord{},
		},
	}
	got, err := DecodeSnapshot([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Other bodies embed Facts among members of their own.
func TestDecodeEmbeddedFacts(t *testing.T) {
	t.Parallel()
	type organization struct {
		ID   string  `json:"id"`
		Name *string `json:"name"`
		Facts
	}
	var got organization
	if err := Decode([]byte(`{"id":"a","name":null,"capa_records":[{"status":"CLOSED"}]}`), &got); err != nil {
		t.Fatal(err)
	}
	want := organization{ID: "a", Facts: Facts{CAPARecords: []CAPARecord{{CAPAClosed}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	err := Decode([]byte(`{"id":null}`), &got)
	if diff := cmp.Diff(Problems{{"id", "must not be null"}}, err); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzDecodeSnapshot checks that no input makes decoding or scoring panic, and that what is accepted survives a round
// trip.
func FuzzDecodeSnapshot(f *testing.F) {
	// Short seeds: the fuzzer spends minutes on shrinking a long one.
	for _, members := range []string{
		`"documents":[{"iso_element":"SERVICING","status":"DRAFT","deleted":true}]`,
		`"assessments":[{"iso_element":"SERVICING","status":"PARTIAL","score":49.99}]`,
		`"insurance_policies":[{"policy_type":"MOTOR_VEHICLE","coverage_amount":1.5e2,"expiry_date":"2027-01-01T00:00:00Z"}]`,
		`"members":[{"role":"OWNER","lbp_number":"BP1","lbp_status":"CURRENT","lbp_expiry":"2027-01-01T00:00:00.1+12:00"}]`,
		`"audits":[{"completed_at":"2025-01-01T00:00:00Z","rating":"FAIL"}],"capa_records":[{"status":"OVERDUE"}]`,
		`"documents":null`,
	} {
		f.Add([]byte(snapshotWith(members)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeSnapshot(data)
		if err != nil {
			return
		}
		s.Calculate()
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("encoding: %v", err)
		}
		again, err := DecodeSnapshot(encoded)
		if err != nil {
			t.Fatalf("decoding %s: %v", encoded, err)
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("changed by a round trip (-before +after):\n%s", diff)
		}
	})
}
