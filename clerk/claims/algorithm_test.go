package claims_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/clerktest"
)

// forger makes tokens as Clerk would, and as it would not.
type forger struct {
	t   *testing.T
	key *rsa.PrivateKey
}

func newForger(t *testing.T, bits int) forger {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return forger{t, key}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token signs what a session's token says by the header, as sign does.
func (f forger) token(header map[string]any, sign func(signed []byte) ([]byte, error)) string {
	f.t.Helper()
	now := time.Now().Unix()
	payload, err := json.Marshal(map[string]any{
		"iss": clerktest.Issuer, "azp": satellite, "sub": "user_1", "sid": "sess_1", "iat": now, "exp": now + 60, "v": 2,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	head, err := json.Marshal(header)
	if err != nil {
		f.t.Fatal(err)
	}
	signed := encode(head) + "." + encode(payload)
	signature, err := sign([]byte(signed))
	if err != nil {
		f.t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func (f forger) rs256(signed []byte) ([]byte, error) {
	digest := sha256.Sum256(signed)
	return rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA256, digest[:])
}

func (f forger) ps256(signed []byte) ([]byte, error) {
	digest := sha256.Sum256(signed)
	return rsa.SignPSS(rand.Reader, f.key, crypto.SHA256, digest[:], nil)
}

func (f forger) rs512(signed []byte) ([]byte, error) {
	digest := sha512.Sum512(signed)
	return rsa.SignPKCS1v15(rand.Reader, f.key, crypto.SHA512, digest[:])
}

// hs256 takes what everybody knows for a secret.
func hs256(secret string) func([]byte) ([]byte, error) {
	return func(signed []byte) ([]byte, error) {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(signed)
		return mac.Sum(nil), nil
	}
}

func unsigned([]byte) ([]byte, error) { return nil, nil }

func (f forger) pem() string {
	der, err := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// jwk is the key as a JWKS has it.
func (f forger) jwk(id string, more map[string]any) map[string]any {
	jwk := map[string]any{
		"kty": "RSA", "kid": id, "n": encode(f.key.N.Bytes()), "e": encode(big.NewInt(int64(f.key.E)).Bytes()),
	}
	for name, value := range more {
		jwk[name] = value
	}
	return jwk
}

// publish has the keys published.
func (r *reader) publish(keys ...map[string]any) {
	r.t.Helper()
	set, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		r.t.Fatal(err)
	}
	r.keys.does(answers(200, string(set)))
}

// A token cannot choose how it is verified.
func TestAlgorithms(t *testing.T) {
	f := newForger(t, 2048)
	r := newReader(t)
	r.publish(f.jwk("ins_1", map[string]any{"alg": "RS256", "use": "sig"}))
	header := func(alg string) map[string]any { return map[string]any{"alg": alg, "kid": "ins_1", "typ": "JWT"} }
	der, _ := x509.MarshalPKIXPublicKey(&f.key.PublicKey)
	embedded := header("RS256")
	stranger := newForger(t, 2048)
	embedded["jwk"] = stranger.jwk("ins_1", nil)
	critical := header("RS256")
	critical["crit"], critical["b64x"] = []string{"b64x"}, true
	for name, test := range map[string]struct {
		token string
		want  claims.Reason
	}{
		"RS256":                      {f.token(header("RS256"), f.rs256), ""},
		"none":                       {f.token(header("none"), unsigned), claims.Invalid},
		"None":                       {f.token(header("None"), unsigned), claims.Invalid},
		"HS256 by the PEM":           {f.token(header("HS256"), hs256(f.pem())), claims.Invalid},
		"HS256 by the key":           {f.token(header("HS256"), hs256(string(der))), claims.Invalid},
		"HS256 by the modulus":       {f.token(header("HS256"), hs256(encode(f.key.N.Bytes()))), claims.Invalid},
		"PS256":                      {f.token(header("PS256"), f.ps256), claims.Invalid},
		"RS512":                      {f.token(header("RS512"), f.rs512), claims.Invalid},
		"RS512, called RS256":        {f.token(header("RS256"), f.rs512), claims.Invalid},
		"another's key by our name":  {f.token(header("RS256"), stranger.rs256), claims.Invalid},
		"the key in the token":       {f.token(embedded, stranger.rs256), claims.Invalid},
		"something critical":         {f.token(critical, f.rs256), claims.Invalid},
		"no name":                    {f.token(map[string]any{"alg": "RS256"}, f.rs256), claims.UnknownKey},
		"a name that is not there":   {f.token(map[string]any{"alg": "RS256", "kid": "ins_2"}, f.rs256), claims.UnknownKey},
		"a name of another kind":     {f.token(map[string]any{"alg": "RS256", "kid": 1}, f.rs256), claims.Malformed},
		"another name, HS256 by PEM": {f.token(map[string]any{"alg": "HS256", "kid": ""}, hs256(f.pem())), claims.UnknownKey},
	} {
		c, err := r.Verify(t.Context(), test.token)
		if got := reasonOf(t, c, err); got != test.want {
			t.Errorf("%s: refused for %q, want %q", name, got, test.want)
		}
	}
}

// What a set has besides Clerk's signing keys is not used, and does not keep from using these.
func TestKeysOfOtherKinds(t *testing.T) {
	f, small := newForger(t, 2048), newForger(t, 1024)
	r := newReader(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := ec.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	r.publish(
		map[string]any{"kty": "oct", "kid": "shared", "alg": "HS256", "k": encode([]byte("secret"))},
		map[string]any{"kty": "EC", "kid": "ec", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]), "alg": "ES256"},
		map[string]any{"kty": "OF-THE-FUTURE", "kid": "future"}, map[string]any{"n": 5},
		small.jwk("small", nil), f.jwk("for_encryption", map[string]any{"use": "enc"}), f.jwk("other_algorithm", map[string]any{"alg": "RS512"}),
		f.jwk("plain", nil), f.jwk("", nil),
	)
	by := func(id string) map[string]any { return map[string]any{"alg": "RS256", "kid": id} }
	r.expect(f.token(by("plain"), f.rs256), "")
	for _, id := range []string{"for_encryption", "other_algorithm", ""} {
		r.expect(f.token(by(id), f.rs256), claims.UnknownKey)
	}
	r.expect(f.token(map[string]any{"alg": "HS256", "kid": "shared"}, hs256("secret")), claims.UnknownKey)
	r.expect(small.token(by("small"), small.rs256), claims.UnknownKey)
	if got := r.keys.fetches.Load(); got != 1 {
		t.Errorf("%d fetches", got)
	}
}

// The dashboard's key, in the ways in which it arrives.
func TestPEM(t *testing.T) {
	f := newForger(t, 2048)
	text := f.pem()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	body := strings.Join(lines[1:len(lines)-1], "\n")
	token := f.token(map[string]any{"alg": "RS256", "kid": "whatever"}, f.rs256)
	hmacked := f.token(map[string]any{"alg": "HS256"}, hs256(text))
	r := newReader(t)
	config := func(key string) claims.Config {
		c := r.config()
		c.Keys = claims.PEM(key)
		return c
	}
	for name, key := range map[string]string{
		"whole": text, "without first and last line": body, "on one line": strings.ReplaceAll(body, "\n", ""),
		"as in an environment": strings.ReplaceAll(text, "\n", `\n`), "with white space": "  \n" + text + "\n\n",
	} {
		verifier, err := claims.NewVerifier(config(key))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c, err := verifier.Verify(t.Context(), token); err != nil {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		c, err := verifier.Verify(t.Context(), hmacked)
		if got := reasonOf(t, c, err); got != claims.Invalid {
			t.Errorf("%s: HS256 is refused for %q", name, got)
		}
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, _ := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	for name, key := range map[string]string{
		"none": "", "words": "my key", "short": newForger(t, 1024).pem(),
		"of another kind": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"private":         string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(f.key)})),
	} {
		if _, err := claims.NewVerifier(config(key)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := r.keys.fetches.Load(); got != 0 {
		t.Errorf("%d fetches, with a key that is given", got)
	}
}
