package claims

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Authenticate lets those requests pass that have a good session token in their Authorization header, as Bearer, with its
// claims in the context: see From. All others are answered with 401, and with 503 while nothing can be verified because
// Clerk's keys cannot be fetched, both as problem+json.
//
// Cookies are not read, as Clerk's SDK for Go does not: a request with the right cookie may be another site's doing, one
// with the right header is not.
func (v *Verifier) Authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := v.authenticate(r)
		if err != nil {
			refuseToken(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(v.NewContext(r.Context(), c)))
	})
}

func (v *Verifier) authenticate(r *http.Request) (*Claims, *Error) {
	token, refusal := bearer(r.Header)
	if refusal != nil {
		v.refused(r.Context(), refusal, nil)
		return nil, refusal
	}
	session, raw, refusal := v.verify(r.Context(), token)
	if refusal != nil {
		v.refused(r.Context(), refusal, session)
		return nil, refusal
	}
	return v.claimsOf(r.Context(), session, raw), nil
}

// bearer is the token of the Authorization header; "": it has none.
//
// https://www.rfc-editor.org/rfc/rfc6750#section-2.1
func bearer(header http.Header) (string, *Error) {
	values := header.Values("Authorization")
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default: // whoever is on the way might have read the other
		return "", &Error{Reason: Malformed}
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return strings.TrimSpace(token), nil
}

// verified are claims, and what those who decide by them need to know.
type verified struct {
	claims *Claims
	config Config // of the Verifier, or the defaults
}

type contextKey struct{}

func withVerified(ctx context.Context, v verified) context.Context {
	return context.WithValue(ctx, contextKey{}, v)
}

// NewContext returns a context with claims that Verify has returned, as Authenticate makes them: for programs that get their
// tokens otherwise.
func (v *Verifier) NewContext(ctx context.Context, c *Claims) context.Context {
	return withVerified(ctx, verified{c, v.config})
}

// NewContext is Verifier.NewContext without one, for tests of handlers: claims have the names that they have in the metadata.
func NewContext(ctx context.Context, c *Claims) context.Context {
	defaults := Config{Names: Names{}.withDefaults(), Leeway: DefaultLeeway, Observer: noObserver{}, Now: time.Now}
	return withVerified(ctx, verified{c, defaults})
}

// From returns the claims of the request that a context belongs to, or false if nobody has verified any.
func From(ctx context.Context) (*Claims, bool) {
	v, ok := ctx.Value(contextKey{}).(verified)
	return v.claims, ok && v.claims != nil
}
