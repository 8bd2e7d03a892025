package claims

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// algorithm is the only one that Clerk signs session tokens with, so the only one that is accepted: a token cannot choose
// another, nor a published key allow one.
//
// https://clerk.com/docs/guides/sessions/manual-jwt-verification
const algorithm = "RS256"

// minKeyBits is RFC 7518's for RS256.
const minKeyBits = 2048

// KeySource is where the keys are found by which tokens are signed: JWKS or PEM.
type KeySource interface {
	open(config Config) (keyring, error)
}

// keyring finds the key by the name that a token gives for it.
type keyring interface {
	key(ctx context.Context, id string) (*clerksdk.JSONWebKey, *Error)
}

// PEM returns the one key that Clerk's dashboard shows as "JWKS Public Key", in PEM, with or without its first and last line. Nothing is
// fetched, so nobody notices when Clerk's key changes: until the program is restarted with the new one, every token is
// refused then. Where Clerk can be reached JWKS is the better choice.
func PEM(text string) KeySource { return pemSource(text) }

type pemSource string

func (p pemSource) open(Config) (keyring, error) {
	text := strings.TrimSpace(strings.ReplaceAll(string(p), `\n`, "\n")) // as environments write it
	if !strings.HasPrefix(text, "-----") {
		text = "-----BEGIN PUBLIC KEY-----\n" + text + "\n-----END PUBLIC KEY-----"
	}
	key, err := clerksdk.JSONWebKeyFromPEM(text)
	if err != nil {
		return nil, fmt.Errorf("claims: Config.Keys: PEM: %w", err)
	}
	if err := accept(key); err != nil {
		return nil, fmt.Errorf("claims: Config.Keys: PEM: %w", err)
	}
	return onlyKey{key}, nil
}

// onlyKey is the key of every token, whatever the token calls it: the signature decides.
type onlyKey struct{ only *clerksdk.JSONWebKey }

func (k onlyKey) key(context.Context, string) (*clerksdk.JSONWebKey, *Error) { return k.only, nil }

// accept makes the key one for the one algorithm, if it can be. The SDK only compares the token's algorithm with the key's.
func accept(key *clerksdk.JSONWebKey) error {
	public, ok := key.Key.(*rsa.PublicKey)
	switch {
	case !ok:
		return errors.New("not an RSA public key")
	case public.N.BitLen() < minKeyBits:
		return fmt.Errorf("an RSA key of %d bits", public.N.BitLen())
	case key.Use != "" && key.Use != "sig":
		return errors.New("a key that is not for signatures")
	case key.Algorithm != "" && key.Algorithm != algorithm:
		return errors.New("a key for another algorithm than " + algorithm)
	}
	key.Algorithm = algorithm
	return nil
}
