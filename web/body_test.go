package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// TestBodyOfUnknownLength: the limit also holds for a body whose length is not announced.
func TestBodyOfUnknownLength(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	for length, status := range map[int]int{1 << 10: 422, 1 << 20: 422, 1<<20 + 1: 413, 4 << 20: 413} {
		body := `{"name": "` + strings.Repeat("x", length-12) + `"}`
		unannounced := struct{ io.Reader }{strings.NewReader(body)}
		request, err := http.NewRequestWithContext(t.Context(), "POST", a.url+"/v1/organizations", unannounced)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := a.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			t.Errorf("%d bytes: %d, want %d", len(body), response.StatusCode, status)
		}
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.New(t))
	for contentType, status := range map[string]int{
		"":                                  201,
		"application/json":                  201,
		"application/json; charset=utf-8":   201,
		"Application/JSON":                  201,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"application/json-patch+json":       415,
		"nonsense;;":                        415,
	} {
		got := a.do("POST", "/v1/organizations", `{"name": "x"}`, "Content-Type", contentType)
		if got.status != status {
			t.Errorf("Content-Type %q: %d %s, want %d", contentType, got.status, got.body, status)
		}
	}
	a.must(201, "POST", "/v1/organizations", `{"id": "o", "name": "O"}`)
	if got := a.do("POST", "/v1/organizations/o/recalculate", "", "Content-Type", "text/plain"); got.status != 200 {
		t.Errorf("no body, of any type: %d %s", got.status, got.body)
	}
}
