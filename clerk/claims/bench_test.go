package claims_test

import (
	"testing"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// What a request pays for its token, most of it for the signature.
func BenchmarkVerify(b *testing.B) {
	server := clerktest.New(clerktest.Config{})
	b.Cleanup(func() { _ = server.Close() })
	keys := serveKeys(b, server)
	server.AddOrganization("org_1", "Acme Roofing")
	server.EditMetadata("org_1", []byte(standing), nil)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: clerktest.Issuer, AuthorizedParties: []string{"http://localhost:3000"},
		Keys: claims.JWKS(keys.URL + "/v1/jwks"), HTTPClient: keys.Client(),
	})
	if err != nil {
		b.Fatal(err)
	}
	token, err := server.MintToken(clerktest.TokenRequest{Organization: "org_1"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := verifier.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
