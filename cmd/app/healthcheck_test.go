package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status       int
		body         string
		code         int
		stdout, fail string
	}{
		"ready":           {200, `{"status":"ready"}`, exitOK, "ready\n", ""},
		"degraded":        {200, `{"status":"degraded","reasons":["Clerk is away"]}`, exitOK, "degraded: Clerk is away\n", ""},
		"unavailable":     {503, `{"status":"unavailable","reasons":["no database"]}`, exitFailed, "", "unavailable: no database"},
		"another program": {404, `<html>`, exitFailed, "", "404 Not Found"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			got := runApp(t, t.Context(), "", nil, "healthcheck", "--addr="+server.Listener.Addr().String())
			if got.code != test.code || got.stdout != test.stdout || !strings.Contains(got.stderr, test.fail) {
				t.Errorf("%+v", got)
			}
		})
	}
}
