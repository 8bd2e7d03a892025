package clerktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
)

// jwkJSON is one RSA key of the set.
//
// https://www.rfc-editor.org/rfc/rfc7517
type jwkJSON struct {
	Use       string `json:"use"`
	KeyType   string `json:"kty"`
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
	N         string `json:"n"`
	E         string `json:"e"`
}

// GET /jwks, the only endpoint that needs no key and has no limit.
func (s *Server) jwks(*call) (any, error) {
	public := &s.signing().PublicKey
	return map[string][]jwkJSON{"keys": {{
		Use: "sig", KeyType: "RSA", KeyID: keyID(public), Algorithm: "RS256",
		N: base64URL(public.N.Bytes()), E: base64URL(big.NewInt(int64(public.E)).Bytes()),
	}}}, nil
}

// newSigningKey makes the instance's key, when it is first asked for: that takes a tenth of a second.
func newSigningKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // only without randomness
	}
	return key
}

func keyID(public *rsa.PublicKey) string {
	sum := sha256.Sum256(public.N.Bytes())
	return "ins_" + hex.EncodeToString(sum[:12])
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
