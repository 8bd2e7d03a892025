package clerktest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestTokenClaims(t *testing.T) {
	t.Parallel()
	e := certified(t)
	template := map[string]any{
		"constant": "x", "number": 5, "name": "{{org.name}}", "deep": "{{ org.public_metadata.deep.a }}",
		"whole": "{{org.public_metadata.deep}}", "role": "{{org.role}}", "user": map[string]any{"id": "{{user.id}}"},
		"beyond":   "{{org.public_metadata.certification_tier.more}}",
		"fallback": "{{org.public_metadata.nothing || 'none'}}", "second": "{{user.nothing || org.id || 1}}",
		"fails_open": "{{org.public_metadata.insurance_valid || true}}", "last": "{{user.nothing || false}}",
	}
	_, custom, err := e.verify(e.mint(clerktest.TokenRequest{Organization: "org_1", Claims: template}))
	if err != nil {
		t.Fatal(err)
	}
	for claim, want := range map[string]any{
		"constant": "x", "number": 5.0, "name": "Acme", "deep": "x", "whole": map[string]any{"a": "x"}, "role": "org:member",
		"user": map[string]any{"id": "user_clerktest"}, "beyond": nil,
		"fallback": "none", "second": "org_1", "fails_open": true, "last": false,
	} {
		if diff := cmp.Diff(want, custom[claim]); diff != "" {
			t.Errorf("%s: %s", claim, diff)
		}
	}
	for name, bad := range map[string]map[string]any{
		"reserved": {"sub": "x"}, "in a text": {"a": "Hi {{user.id}}"}, "two": {"a": "{{user.id}}{{org.id}}"},
		"inside": {"a": map[string]any{"b": "{{"}}, "over 1.2 KB": {"a": strings.Repeat("x", 1229)},
	} {
		if _, err := e.MintToken(clerktest.TokenRequest{Organization: "org_1", Claims: bad}); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
}
