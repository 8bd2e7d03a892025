package clerktest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"sync"
)

// signingKeys are the keys of the session tokens: the one that signs, and those that are only published any more.
type signingKeys struct {
	mu      sync.Mutex
	current *rsa.PrivateKey // nil until it is first needed: making it takes a tenth of a second
	retired []*rsa.PublicKey
}

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
	set := []jwkJSON{}
	for _, public := range s.signing.published() {
		set = append(set, jwkJSON{
			Use: "sig", KeyType: "RSA", KeyID: keyID(public), Algorithm: "RS256",
			N: base64URL(public.N.Bytes()), E: base64URL(big.NewInt(int64(public.E)).Bytes()),
		})
	}
	return map[string][]jwkJSON{"keys": set}, nil
}

// RotateSigningKey has all further session tokens signed by a new key. The old ones stay in the JWKS if so asked, so that
// tokens already minted keep verifying; else these fail from now on.
func (s *Server) RotateSigningKey(keepOld bool) {
	s.signing.rotate(newSigningKey(), keepOld)
}

func (k *signingKeys) rotate(key *rsa.PrivateKey, keepOld bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !keepOld:
		k.retired = nil
	case k.current != nil:
		k.retired = append(k.retired, &k.current.PublicKey)
	}
	k.current = key
}

func (k *signingKeys) signer() *rsa.PrivateKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.current == nil {
		k.current = newSigningKey()
	}
	return k.current
}

// published returns the public keys, the signer's first.
func (k *signingKeys) published() []*rsa.PublicKey {
	k.signer() // so that there is one
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]*rsa.PublicKey{&k.current.PublicKey}, k.retired...)
}

// sign makes a JSON Web Token of the claims.
//
// https://www.rfc-editor.org/rfc/rfc7515
func (k *signingKeys) sign(claims map[string]any) (string, error) {
	key := k.signer()
	header, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": keyID(&key.PublicKey)})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := base64URL(header) + "." + base64URL(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	return signed + "." + base64URL(signature), err
}

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
