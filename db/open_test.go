package db_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/db"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url   string
		conns int32
		name  string
	}{
		"defaults": {"postgres://u:p@h/d", 20, "claimsync"},
		"chosen":   {"postgres://u:p@h/d?pool_max_conns=7&application_name=shop", 7, "shop"},
		"keywords": {"host=h user=u pool_max_conns=3", 3, "claimsync"},
	}
	for name, test := range tests {
		config, err := db.Config(test.url)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := config.ConnConfig.RuntimeParams["application_name"]; config.MaxConns != test.conns || got != test.name {
			t.Errorf("%s: %d connections as %s, want %d as %s", name, config.MaxConns, got, test.conns, test.name)
		}
	}
	if _, err := db.Config("postgres://u:hunter2@h:port/d"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unusable URL: %v", err)
	}
}
