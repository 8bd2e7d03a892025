package clerktest_test

import (
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

func TestJWKS(t *testing.T) {
	t.Parallel()
	e := start(t, clerktest.Config{})
	anonymous := func(r *http.Request) { r.Header = http.Header{} }
	first := e.do("GET", "/v1/jwks", "", anonymous)
	keys := first.decode(t)["keys"].([]any)
	key := keys[0].(map[string]any)
	if len(keys) != 1 || key["kty"] != "RSA" || key["alg"] != "RS256" || key["use"] != "sig" ||
		!strings.HasPrefix(key["kid"].(string), "ins_") || key["e"] != "AQAB" {
		t.Errorf("%v", keys)
	}
	modulus, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
	if bits := new(big.Int).SetBytes(modulus).BitLen(); err != nil || bits != 2048 {
		t.Errorf("%d bits, %v", bits, err)
	}
	if again := e.do("GET", "/v1/jwks", ""); again.body != first.body {
		t.Error("the key changes")
	}
}

func TestRotateSigningKey(t *testing.T) {
	t.Parallel()
	e := certified(t)
	verifies := func(token string) bool { _, _, err := e.verify(token); return err == nil }
	first := e.mint(clerktest.TokenRequest{})
	e.RotateSigningKey(true)
	second := e.mint(clerktest.TokenRequest{})
	if !verifies(first) || !verifies(second) {
		t.Error("with the old key kept, one of the tokens fails")
	}
	e.RotateSigningKey(false)
	if third := e.mint(clerktest.TokenRequest{}); verifies(first) || verifies(second) || !verifies(third) {
		t.Error("with the old keys gone, not only the newest token verifies")
	}
}
