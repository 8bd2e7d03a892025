package clerk_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// status is a fault that answers with it.
func status(code int) clerktest.Fault { return clerktest.Fault{Effect: clerktest.Answer, Status: code} }

func statusBody(code int, body string) clerktest.Fault {
	return clerktest.Fault{Effect: clerktest.Answer, Status: code, Body: body}
}

func statusWait(code int, wait time.Duration) clerktest.Fault {
	return clerktest.Fault{Effect: clerktest.Answer, Status: code, RetryAfter: wait}
}

// What is to be done about every answer, when writing and when reading.
func TestActionByAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault clerktest.Fault
		write clerk.Error
		read  clerk.Action // the write's if empty
	}{
		"400": {fault: status(400), write: clerk.Error{Action: clerk.Park, Code: "request_body_invalid"}},
		"400 for the version": {fault: statusBody(400, `{"errors":[{"code":"api_version_invalid"}]}`),
			write: clerk.Error{Action: clerk.Stop, Code: "api_version_invalid"}},
		"401": {fault: status(401), write: clerk.Error{Action: clerk.Stop, Code: "clerk_key_invalid"}},
		"402": {fault: status(402), write: clerk.Error{Action: clerk.Park}},
		"403": {fault: status(403), write: clerk.Error{Action: clerk.Stop, Code: "organization_not_enabled_in_instance"}},
		"404": {fault: status(404), write: clerk.Error{Action: clerk.Missing, Code: "resource_not_found"}},
		"408": {fault: status(408), write: clerk.Error{Action: clerk.Retry}},
		"409": {fault: status(409), write: clerk.Error{Action: clerk.Retry, Code: "resource_locked"}},
		"413": {fault: status(413), write: clerk.Error{Action: clerk.Park, Code: "request_body_too_large"}},
		"422": {fault: status(422), write: clerk.Error{Action: clerk.Park, Code: "form_param_value_invalid"}},
		"429": {fault: statusWait(429, 7*time.Second),
			write: clerk.Error{Action: clerk.Wait, Code: "too_many_requests", RetryAfter: 7 * time.Second, RetryAfterHeader: "7"}},
		"429 without a time": {fault: status(429),
			write: clerk.Error{Action: clerk.Wait, Code: "too_many_requests", RetryAfter: 10 * time.Second}},
		"500": {fault: status(500), write: clerk.Error{Action: clerk.Outage, Code: "internal_clerk_error", MaybeApplied: true}},
		"502": {fault: status(502), write: clerk.Error{Action: clerk.Outage, MaybeApplied: true}},
		"503": {fault: status(503), write: clerk.Error{Action: clerk.Outage}},
		"503 with a time": {fault: statusWait(503, time.Minute),
			write: clerk.Error{Action: clerk.Outage, RetryAfter: time.Minute, RetryAfterHeader: "60"}},
		"504": {fault: status(504), write: clerk.Error{Action: clerk.Outage, Code: "gateway_timeout", MaybeApplied: true}},
		"599": {fault: status(599), write: clerk.Error{Action: clerk.Outage, MaybeApplied: true}},

		"204": {fault: status(204), write: clerk.Error{Action: clerk.Ambiguous, MaybeApplied: true}, read: clerk.Retry},
		"202": {fault: statusBody(202, `{"id":"org_1"}`), write: clerk.Error{Action: clerk.Ambiguous, MaybeApplied: true}, read: clerk.Retry},
		"301": {fault: status(301), write: clerk.Error{Action: clerk.Ambiguous, MaybeApplied: true}, read: clerk.Retry},
		"304": {fault: status(304), write: clerk.Error{Action: clerk.Ambiguous, MaybeApplied: true}, read: clerk.Retry},
		"307": {fault: status(307), write: clerk.Error{Action: clerk.Ambiguous, MaybeApplied: true}, read: clerk.Retry},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.SetFaults(test.fault)
			client := connect(t, server.BaseURL())

			receipt, err := client.PushMetadata(t.Context(), "org_1", full(1))
			written := failure(t, err)
			test.write.Status = test.fault.Status
			ignore := cmpopts.IgnoreFields(clerk.Error{}, "Message", "TraceID", "Err")
			if diff := cmp.Diff(&test.write, written, ignore); diff != "" {
				t.Error(diff)
			}
			if receipt.Status != test.fault.Status || receipt.TraceID == "" || receipt.TraceID != written.TraceID {
				t.Errorf("receipt %+v, trace %q", receipt, written.TraceID)
			}

			_, _, err = client.Organization(t.Context(), "org_1")
			read := failure(t, err)
			if test.read == "" {
				test.read = test.write.Action
			}
			if read.Action != test.read || read.MaybeApplied {
				t.Errorf("read: %s, maybe applied %t; want %s", read.Action, read.MaybeApplied, test.read)
			}
			if got := len(server.Requests()); got != 2 {
				t.Errorf("%d requests for two calls: something was followed or repeated", got)
			}
		})
	}
}

// The emulator's own refusals, not those set as a fault.
func TestRefusedByClerk(t *testing.T) {
	t.Parallel()
	server := start(t)
	stranger := connect(t, server.BaseURL(), func(c *clerk.Config) { c.SecretKey = "sk_test_other" })
	client := connect(t, server.BaseURL())

	_, err := stranger.PushMetadata(t.Context(), "org_1", full(1))
	if failed := failure(t, err); failed.Action != clerk.Stop || failed.Code != "clerk_key_invalid" {
		t.Errorf("wrong key: %v", err)
	}
	_, err = client.PushMetadata(t.Context(), "org_2", full(1))
	if failed := failure(t, err); failed.Action != clerk.Missing || failed.Message != "Given organization not found." {
		t.Errorf("no such organization: %v", err)
	}
	_, err = client.PushMetadata(t.Context(), "org_1", clerk.Metadata{CertificationTier: new(strings.Repeat("x", 8<<10))})
	if failed := failure(t, err); failed.Action != clerk.Park || failed.Code != "form_param_exceeds_allowed_size" {
		t.Errorf("more than 8 KB: %v", err)
	}
}

func TestRateLimited(t *testing.T) {
	t.Parallel()
	server, err := clerktest.Start(clerktest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.AddOrganization("org_1", "Acme")
	client := connect(t, server.BaseURL())
	for version := range int64(10) {
		if _, err := client.PushMetadata(t.Context(), "org_1", full(version)); err != nil {
			t.Fatal(err)
		}
	}
	_, err = client.PushMetadata(t.Context(), "org_1", full(10))
	failed := failure(t, err)
	if failed.Action != clerk.Wait || failed.RetryAfter < 9*time.Second || failed.RetryAfter > 10*time.Second {
		t.Errorf("%v", err)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, failed := range map[string]*clerk.Error{
		"clerk: wait: status 429: too_many_requests: Slow down. (retry after 7s) (trace abc)": {
			Action: clerk.Wait, Status: http.StatusTooManyRequests, Code: "too_many_requests", Message: "Slow down.",
			RetryAfter: 7 * time.Second, RetryAfterHeader: "7", TraceID: "abc"},
		"clerk: wait: status 429 (retry after 10s, no time was named)": {
			Action: clerk.Wait, Status: http.StatusTooManyRequests, RetryAfter: 10 * time.Second},
		`clerk: wait: status 429 (retry after 1h0m0s, what was named is "86400")`: {
			Action: clerk.Wait, Status: http.StatusTooManyRequests, RetryAfter: time.Hour, RetryAfterHeader: "86400"},
		"clerk: outage: status 503":       {Action: clerk.Outage, Status: http.StatusServiceUnavailable},
		"clerk: ambiguous: broken in two": {Action: clerk.Ambiguous, Err: errors.New("broken\r\n in two")},
	} {
		if got := failed.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
