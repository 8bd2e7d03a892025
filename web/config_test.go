package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/db/dbtest"
	"github.com/claimsync/claimsync/web"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	complete := newConfig(t, dbtest.New(t))
	if _, err := web.NewHandler(complete); err != nil {
		t.Fatalf("NewHandler refuses a complete configuration: %v", err)
	}
	if _, err := web.NewHandler(web.Config{}); err == nil {
		t.Error("NewHandler accepts an empty configuration")
	}
	for _, test := range []struct {
		field string
		spoil func(*web.Config)
	}{
		{"Pool", func(c *web.Config) { c.Pool = nil }},
		{"Store", func(c *web.Config) { c.Store = nil }},
		{"Sync", func(c *web.Config) { c.Sync = nil }},
		{"AdminToken", func(c *web.Config) { c.AdminToken = "" }},
		{"AdminToken", func(c *web.Config) { c.AdminToken = " " }},
		{"AdminToken", func(c *web.Config) { c.AdminToken += "\n" }},
		{"Authorize", func(c *web.Config) { c.Authorize = func(*http.Request) (string, bool) { return "", true } }}, // and a token
		{"Prefix", func(c *web.Config) { c.Prefix = "internal/claimsync" }},
		{"Prefix", func(c *web.Config) { c.Prefix = "/internal/claimsync/" }},
		{"Prefix", func(c *web.Config) { c.Prefix = "/internal/../claimsync" }},
		{"Prefix", func(c *web.Config) { c.Prefix = "//elsewhere.example" }},
		{"Prefix", func(c *web.Config) { c.Prefix = "/{tenant}" }},
	} {
		config := complete
		test.spoil(&config)
		if _, err := web.NewHandler(config); err == nil || !strings.Contains(err.Error(), test.field) {
			t.Errorf("without a usable %s: %v", test.field, err)
		}
	}
}

// However a configuration is printed, the token is not.
func TestTokenIsNotPrinted(t *testing.T) {
	t.Parallel()
	config := web.Config{AdminToken: "topsecret", RequestTimeout: 7 * time.Second}
	var said bytes.Buffer
	for _, value := range []any{config, &config, []web.Config{config}} {
		_, _ = fmt.Fprintf(&said, "%v %+v %#v %s %q", value, value, value, value, value)
		slog.New(slog.NewJSONHandler(&said, nil)).Info("", "value", value)
		slog.New(slog.NewTextHandler(&said, nil)).Info("", "value", value)
	}
	if strings.Contains(said.String(), "topsecret") || !strings.Contains(said.String(), "RequestTimeout: 7s") {
		t.Errorf("printed: %s", &said)
	}
}
