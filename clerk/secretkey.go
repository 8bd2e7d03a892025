package clerk

import (
	"errors"
	"strings"
)

// KeyKind tells which kind of Clerk instance a secret key belongs to. The two have different rate limits.
//
// https://clerk.com/docs/guides/how-clerk-works/system-limits
type KeyKind string

const (
	// KeyTest is a development instance: `sk_test_…`, 100 requests in 10 s.
	KeyTest KeyKind = "test"
	// KeyLive is a production instance: `sk_live_…`, 1000 requests in 10 s.
	KeyLive KeyKind = "live"
)

// CheckSecretKey tells whether key has the form of a Clerk secret key, `sk_test_…` or `sk_live_…` in printable ASCII
// without spaces. Whether Clerk accepts it only a call can tell. The error says what is wrong and never holds the key,
// nor a part of it.
func CheckSecretKey(key string) error {
	_, err := ParseKeyKind(key)
	return err
}

// ParseKeyKind is CheckSecretKey that also returns which kind of key it is.
func ParseKeyKind(key string) (KeyKind, error) {
	if key == "" {
		return "", errors.New("clerk: the secret key is empty")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("clerk: the secret key has a space, a control character or a character outside ASCII")
	}
	for _, kind := range []KeyKind{KeyTest, KeyLive} {
		if rest, ok := strings.CutPrefix(key, "sk_"+string(kind)+"_"); ok && rest != "" {
			return kind, nil
		}
	}
	return "", errors.New("clerk: the secret key must look like sk_test_… or sk_live_…")
}
