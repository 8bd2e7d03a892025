package main

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
)

// The program: it needs no secret, says where it is, and stops gracefully.
func TestSatellite(t *testing.T) {
	t.Parallel()
	r := newReader(t, 0)
	p := startApp(t, []string{
		"CLERK_ISSUER=" + clerktest.Issuer, "CLERK_AUTHORIZED_PARTIES=https://other.example.com," + demoParty,
		"CLERK_JWKS_URL=" + r.clerk.BaseURL() + "/jwks",
	}, "satellite", "--addr=127.0.0.1:0")
	r.url = p.WaitFor(`"reports":"([^"]+)/reports"`)
	r.has(`{"insurance_valid":true}`)
	if status, body := r.get("/reports/insured-work", "org_1"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	r.http.CloseIdleConnections()
	p.Signal(syscall.SIGTERM)
	if code := p.Exit(); code != exitOK {
		t.Errorf("exit code after SIGTERM %d, want 0", code)
	}
}

// With Clerk's public key at hand none is fetched.
func TestSatelliteWithKey(t *testing.T) {
	t.Parallel()
	r := newReader(t, 0)
	r.has(`{"insurance_valid":true}`)
	key := r.publicKey()
	before := len(r.clerk.Requests())
	p := startApp(t, []string{
		"CLERK_ISSUER=" + clerktest.Issuer, "CLERK_AUTHORIZED_PARTIES=" + demoParty, "CLERK_JWT_KEY=" + key,
	}, "satellite", "--addr=127.0.0.1:0")
	r.url = p.WaitFor(`"reports":"([^"]+)/reports"`)
	if status, body := r.get("/reports/insured-work", "org_1"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if n := len(r.clerk.Requests()) - before; n > 0 {
		t.Errorf("%d requests to Clerk", n)
	}
}

// publicKey is the first of the JWKS, in PEM.
func (r *reader) publicKey() string {
	r.t.Helper()
	response, err := r.http.Get(r.clerk.BaseURL() + "/jwks")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var set struct {
		Keys []struct{ N, E string } `json:"keys"`
	}
	if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
		r.t.Fatal(err)
	}
	number := func(text string) *big.Int {
		bytes, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			r.t.Fatal(err)
		}
		return new(big.Int).SetBytes(bytes)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: number(set.Keys[0].N), E: int(number(set.Keys[0].E).Int64())})
	if err != nil {
		r.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// What is missing is said, with the variable to set.
func TestSatelliteUsage(t *testing.T) {
	t.Parallel()
	const issuer, party = "CLERK_ISSUER=https://clerk.example.com", "CLERK_AUTHORIZED_PARTIES=https://reports.example.com"
	for name, environment := range map[string][]string{
		"nothing":         nil,
		"no party":        {issuer},
		"no issuer":       {party},
		"a party's path":  {issuer, party + "/reports"},
		"not a key":       {issuer, party, "CLERK_JWT_KEY=hunter2"},
		"no URL of keys":  {issuer, party, "CLERK_JWKS_URL=jwks.json"},
		"issuer's domain": {"CLERK_ISSUER=clerk.example.com", party},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for one that starts
		got := runApp(t, ctx, "", environment, "satellite", "--addr=127.0.0.1:0")
		cancel()
		if got.code != exitUsage || !strings.Contains(got.stderr, "CLERK_ISSUER, CLERK_AUTHORIZED_PARTIES") || strings.Contains(got.stderr, "hunter2") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
