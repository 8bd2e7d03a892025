package claims

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/jwt"
	josejwt "github.com/go-jose/go-jose/v3/jwt"
)

// maxToken bounds what is taken for a token, in bytes: Clerk's travel in a cookie, of which browsers keep no more than 4 KB.
const maxToken = 16 << 10

// Verifier verifies session tokens. It is safe for concurrent use, and meant to be made once.
type Verifier struct {
	config Config
	keys   keyring
	warned sync.Map // Reason → time.Time: when it was last warned of
}

// NewVerifier checks the configuration. It fetches nothing: the first token does.
func NewVerifier(config Config) (*Verifier, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	keys, err := config.Keys.open(config)
	if err != nil {
		return nil, err
	}
	return &Verifier{config: config, keys: keys}, nil
}

// Verify returns what a session token says, or an *Error. It is for programs that get their tokens otherwise than
// Authenticate does. Only for a key that it does not have yet does it wait, no longer than ctx.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	session, raw, err := v.verify(ctx, token)
	if err != nil {
		v.refused(ctx, err, session)
		return nil, err
	}
	return v.claimsOf(ctx, session, raw), nil
}

// verify returns the session also with an error, if it is one that Clerk has signed.
func (v *Verifier) verify(ctx context.Context, token string) (*clerksdk.SessionClaims, members, *Error) {
	id, refused := keyID(ctx, token)
	if refused != nil {
		return nil, nil, refused
	}
	key, refused := v.keys.key(ctx, id)
	if refused != nil {
		return nil, nil, refused
	}
	raw := members{}
	session, err := jwt.Verify(ctx, &jwt.VerifyParams{
		Token: token, JWK: key, Clock: clock(v.config.Now), Leeway: v.config.Leeway,
		// Not the SDK's check of the issuer, which any instance in development passes: see check.
		IsSatellite: true,
		// Into raw members, so that no claim of ours can fail the token.
		CustomClaimsConstructor: func(context.Context) any { return &raw },
	})
	switch {
	case errors.Is(err, josejwt.ErrExpired):
		return nil, nil, &Error{Reason: Expired}
	case errors.Is(err, josejwt.ErrNotValidYet), errors.Is(err, josejwt.ErrIssuedInTheFuture):
		return nil, nil, &Error{Reason: Early}
	case err != nil: // its text may have something of the token
		return nil, nil, &Error{Reason: Invalid}
	}
	return session, raw, v.check(session, raw)
}

// keyID reads which key the token says it was signed with. The SDK would take more for a token than the compact form.
func keyID(ctx context.Context, token string) (string, *Error) {
	if token == "" {
		return "", &Error{Reason: Missing}
	}
	malformed := &Error{Reason: Malformed}
	if len(token) > maxToken || strings.Count(token, ".") != 2 || strings.ContainsFunc(token, notInToken) {
		return "", malformed
	}
	decoded, err := jwt.Decode(ctx, &jwt.DecodeParams{Token: token})
	if err != nil {
		return "", malformed
	}
	return decoded.KeyID, nil
}

// notInToken is what base64url does not have, nor the dots between its parts.
func notInToken(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.')
}

// check is for what the SDK lets pass, of a token that Clerk has signed and whose times are right as far as it has any.
func (v *Verifier) check(session *clerksdk.SessionClaims, token members) *Error {
	status, told := plain(token["sts"])
	switch {
	case session.Issuer != v.config.Issuer:
		return &Error{Reason: WrongIssuer}
	case session.Expiry == nil, session.IssuedAt == nil, session.Subject == "", session.SessionID == "":
		return &Error{Reason: NoSession}
	case !slices.Contains(v.config.AuthorizedParties, session.AuthorizedParty):
		return &Error{Reason: WrongParty}
	case told && status != "active":
		return &Error{Reason: Pending}
	}
	return nil
}

// refused tells whoever has to know. What is of another issuer or party is most likely a mistake in a configuration: of
// these, which can only be Clerk's, the log says what they are. Nothing is refused to who has gone away.
func (v *Verifier) refused(ctx context.Context, refusal *Error, session *clerksdk.SessionClaims) {
	if ctx.Err() != nil {
		return
	}
	level, attrs := slog.LevelDebug, []any{"reason", refusal.Reason}
	switch refusal.Reason {
	case WrongIssuer:
		level, attrs = slog.LevelWarn, append(attrs, "iss", session.Issuer, "want", v.config.Issuer)
	case WrongParty:
		level, attrs = slog.LevelWarn, append(attrs, "azp", session.AuthorizedParty, "want", v.config.AuthorizedParties)
	}
	if level == slog.LevelWarn && !v.warns(refusal.Reason) {
		level = slog.LevelDebug
	}
	v.config.Logger.Log(ctx, level, "Session token refused", attrs...)
	v.config.Observer.TokenRefused(refusal.Reason)
}

// warnPause is how long after a warning the next one for the same reason is at least: anybody with a token of another
// application can make them.
const warnPause = time.Minute

func (v *Verifier) warns(reason Reason) bool {
	now := v.config.Now()
	last, warned := v.warned.LoadOrStore(reason, now)
	if !warned {
		return true
	}
	return now.Sub(last.(time.Time)) >= warnPause && v.warned.CompareAndSwap(reason, last, now)
}

// clock is the SDK's.
type clock func() time.Time

// Now implements the SDK's Clock.
func (c clock) Now() time.Time { return c() }
