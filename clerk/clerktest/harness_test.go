package clerktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// emulator is a started emulator with a raw HTTP client: what the emulator does must not be seen through an SDK.
type emulator struct {
	*clerktest.Server
	t      *testing.T
	client *http.Client
}

func start(t *testing.T, config clerktest.Config) *emulator {
	t.Helper()
	server, err := clerktest.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &emulator{server, t, &http.Client{Transport: transport, CheckRedirect: noRedirect, Timeout: 20 * time.Second}}
}

// reply is an answer, with the usual errors already taken out of its body.
type reply struct {
	status int
	header http.Header
	body   string
	code   string // of the first error
	param  string // that error's meta.param_name
	trace  string // clerk_trace_id in the body
}

// request makes an authenticated request; edits may change it.
func (e *emulator) request(
	ctx context.Context, method, path, body string, edits ...func(*http.Request),
) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, e.URL()+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+clerktest.DefaultSecretKey)
	request.Header.Set("Clerk-API-Version", clerktest.APIVersion)
	request.Header.Set("Content-Type", "application/json")
	for _, edit := range edits {
		edit(request)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	got := reply{status: response.StatusCode, header: response.Header, body: string(read)}
	var errors struct {
		Errors []struct {
			Code        string `json:"code"`
			Message     string `json:"message"`
			LongMessage string `json:"long_message"`
			Meta        struct {
				ParamName string `json:"param_name"`
			} `json:"meta"`
		} `json:"errors"`
		TraceID string `json:"clerk_trace_id"`
	}
	if json.Unmarshal(read, &errors) == nil && len(errors.Errors) > 0 {
		first := errors.Errors[0]
		got.code, got.param, got.trace = first.Code, first.Meta.ParamName, errors.TraceID
		if first.Message == "" || first.LongMessage == "" {
			e.t.Errorf("%s %s: error %q lacks a message", method, path, first.Code)
		}
	}
	return got, err
}

// do is request for what must be answered.
func (e *emulator) do(method, path, body string, edits ...func(*http.Request)) reply {
	e.t.Helper()
	got, err := e.request(e.t.Context(), method, path, body, edits...)
	if err != nil {
		e.t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// decode takes a 200's body apart, numbers kept as written.
func (r reply) decode(t *testing.T) map[string]any {
	t.Helper()
	if r.status != http.StatusOK {
		t.Fatalf("status %d: %s", r.status, r.body)
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(r.body)))
	decoder.UseNumber()
	var decoded map[string]any
	if err := decoder.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

// shortly bounds a wait for what should happen at once.
func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

var unlimited = clerktest.Limit{Requests: clerktest.Unlimited}
