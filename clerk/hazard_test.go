package clerk_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// Each of these makes the SDK lose the status, invent one, or report success without an update.
func TestSDKHazards(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 2<<20)
	other := `{"object":"organization","id":"org_2","public_metadata":{"certification_tier":"MASTER_ROOFER",` +
		`"compliance_score":87,"insurance_valid":true},"private_metadata":{"claimsync":{"version":1}}}`
	ours := strings.Replace(other, "org_2", "org_1", 1)
	tests := map[string]struct {
		fault  clerktest.Fault
		action clerk.Action
		status int
		code   string
	}{
		"HTML":                 {statusBody(500, "<html>sorry</html>"), clerk.Outage, 500, ""},
		"empty 503":            {status(503), clerk.Outage, 503, ""},
		"JSON without errors":  {statusBody(503, `{"message":"down"}`), clerk.Outage, 503, ""},
		"errors of a string":   {statusBody(422, `{"errors":"none"}`), clerk.Park, 422, ""},
		"no errors":            {statusBody(404, `{"errors":[]}`), clerk.Missing, 404, ""},
		"status in the body":   {statusBody(503, `{"status":422,"errors":[{"code":"x"}]}`), clerk.Outage, 503, "x"},
		"status of no meaning": {statusBody(422, `{"status":"fine","errors":[{"code":"x"}]}`), clerk.Park, 422, "x"},
		"huge error":           {statusBody(422, `{"errors":[{"code":"`+huge+`"}]}`), clerk.Park, 422, ""},

		"empty 200":            {clerktest.Fault{Effect: clerktest.EmptyOK}, clerk.Ambiguous, 200, ""},
		"null 200":             {clerktest.Fault{Effect: clerktest.NullOK}, clerk.Ambiguous, 200, ""},
		"errors 200":           {clerktest.Fault{Effect: clerktest.ErrorsOK}, clerk.Ambiguous, 200, ""},
		"truncated 200":        {clerktest.Fault{Effect: clerktest.Truncate}, clerk.Ambiguous, 200, ""},
		"HTML 200":             {statusBody(200, "<html>log in</html>"), clerk.Ambiguous, 200, ""},
		"huge 200":             {statusBody(200, `{"id":"org_1","name":"`+huge+`"}`), clerk.Ambiguous, 200, ""},
		"another organization": {statusBody(200, other), clerk.Ambiguous, 200, ""},
		"another tier":         {statusBody(200, strings.Replace(ours, "MASTER_", "", 1)), clerk.Ambiguous, 200, ""},
		"another score":        {statusBody(200, strings.Replace(ours, "87", "86", 1)), clerk.Ambiguous, 200, ""},
		"score as text":        {statusBody(200, strings.Replace(ours, "87", `"87"`, 1)), clerk.Ambiguous, 200, ""},
		"insurance missing":    {statusBody(200, strings.Replace(ours, `,"insurance_valid":true`, "", 1)), clerk.Ambiguous, 200, ""},
		"another version":      {statusBody(200, strings.Replace(ours, `"version":1`, `"version":0`, 1)), clerk.Ambiguous, 200, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			server.SetFaults(test.fault)
			receipt, err := connect(t, server.BaseURL()).PushMetadata(t.Context(), "org_1", full(1))
			failed := failure(t, err)
			if failed.Action != test.action || failed.Status != test.status || failed.Code != test.code {
				t.Errorf("got %s %d %q: %v", failed.Action, failed.Status, failed.Code, err)
			}
			if failed.MaybeApplied != (test.action == clerk.Ambiguous || test.status == 500) || receipt.Status != test.status {
				t.Errorf("maybe applied: %t, receipt %+v", failed.MaybeApplied, receipt)
			}
			if len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("text: %s", err)
			}
		})
	}

	t.Run("the right answer", func(t *testing.T) { // so that the others fail for what is wrong in them
		t.Parallel()
		server := start(t)
		server.SetFaults(statusBody(200, ours))
		if _, err := connect(t, server.BaseURL()).PushMetadata(t.Context(), "org_1", full(1)); err != nil {
			t.Error(err)
		}
	})
}

// A read accepts no other organization either.
func TestReadOfAnotherOrganization(t *testing.T) {
	t.Parallel()
	server := start(t)
	server.SetFaults(statusBody(200, `{"id":"org_2"}`))
	_, _, err := connect(t, server.BaseURL()).Organization(t.Context(), "org_1")
	if failed := failure(t, err); failed.Action != clerk.Retry || failed.Status != http.StatusOK {
		t.Error(err)
	}
}

// Answers are read to their end, so that failures do not cost connections when there is least time for dialing.
func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	emulator := clerktest.New(clerktest.Config{})
	t.Cleanup(func() { _ = emulator.Close() })
	var dialed atomic.Int32
	server := httptest.NewUnstartedServer(emulator)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialed.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := connect(t, server.URL+"/v1")
	for _, code := range []int{301, 404, 429, 500, 502, 503} {
		emulator.SetFaults(statusBody(code, strings.Repeat("x", 100<<10)))
		if _, err := client.PushMetadata(t.Context(), "org_1", full(1)); err == nil {
			t.Error("no error")
		}
	}
	if got := dialed.Load(); got != 1 {
		t.Errorf("%d connections for six calls", got)
	}
}

// Whatever a server sends back, the key and what we sent stay out of the error.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	const key, tier = "sk_test_verysecretkey", "SECRET_TIER"
	echoes := map[string]string{
		"in a message":      "HTTP/1.1 422 X\r\nConnection: close\r\n\r\n" + `{"errors":[{"code":"` + key + `","message":"Bearer ` + key + `"}]}`,
		"in a body":         "HTTP/1.1 500 X\r\nConnection: close\r\n\r\n" + key + tier,
		"in a trace":        "HTTP/1.1 500 X\r\nConnection: close\r\nClerk-Trace-Id: " + key + "\r\n\r\n",
		"in no HTTP at all": key + "\r\n\r\n",
		"in a 200":          "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + `{"name":` + key + tier,
		"in a redirect":     "HTTP/1.1 301 X\r\nConnection: close\r\nLocation: http://a b/" + key + "\r\n\r\n",
	}
	for name, echo := range echoes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, serveRaw(t, echo), func(c *clerk.Config) { c.SecretKey = key })
			receipt, err := client.PushMetadata(t.Context(), "org_1", clerk.Metadata{CertificationTier: new(tier)})
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				if text := cause.Error(); strings.Contains(text, key) || strings.Contains(text, tier) {
					t.Errorf("%T tells: %s", cause, text)
				}
			}
			if err == nil || strings.Contains(receipt.TraceID, key) {
				t.Errorf("%v, %+v", err, receipt)
			}
		})
	}
}

// serveRaw answers every connection's request with the bytes given, and returns the URL to call.
func serveRaw(t *testing.T, answer string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 64<<10)
			_, _ = connection.Read(buffer)
			_, _ = connection.Write([]byte(answer))
			_ = connection.(*net.TCPConn).CloseWrite()
			for err == nil { // until the client closes: no RST that could overtake the answer
				_, err = connection.Read(buffer)
			}
			_ = connection.Close()
		}
	}()
	return "http://" + listener.Addr().String() + "/v1"
}
