package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/claimsync/claimsync/internal/operator"
)

// The challenges of a 401: only Basic makes a browser ask its user. Either is accepted everywhere.
const (
	challengeBearer = `Bearer realm="claimsync"`
	challengeBasic  = `Basic realm="claimsync", charset="UTF-8"`
)

// guard lets in who knows the admin token, or whom the application authorizes.
type guard struct {
	token       [sha256.Size]byte
	authorize   func(*http.Request) (operator string, ok bool) // nil: the token counts
	crossOrigin *http.CrossOriginProtection
}

func newGuard(config Config) *guard {
	g := &guard{
		token: sha256.Sum256([]byte(config.AdminToken)), authorize: config.Authorize,
		crossOrigin: http.NewCrossOriginProtection(),
	}
	g.crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		newProblem(http.StatusForbidden, "This request comes from a page of another site.").write(w)
	}))
	return g
}

// Admitted returns whether a request comes with the token, for who does something with it before the handler. No request
// comes with an empty one.
func Admitted(token string) func(*http.Request) bool {
	return newGuard(Config{AdminToken: token}).admits
}

// protect puts the handler behind the token. A browser sends a Basic password, or the application's cookie, by itself, also
// when a page of another site makes it send a request; so that such a request changes nothing, it is refused here.
func (g *guard) protect(challenge string, handler http.Handler) http.Handler {
	handler = g.crossOrigin.Handler(handler)
	if g.authorize != nil {
		return g.protectByApplication(handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.admits(r) {
			w.Header().Set("WWW-Authenticate", challenge)
			newProblem(http.StatusUnauthorized, "This needs the admin token.").write(w)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// protectByApplication names no scheme in its 401: which one it is, only the application knows.
func (g *guard) protectByApplication(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := g.authorize(r)
		if !ok {
			newProblem(http.StatusUnauthorized, "This is for operators.").write(w)
			return
		}
		handler.ServeHTTP(w, operator.Named(r, name))
	})
}

// admits compares hashes, so that the time it takes tells neither the token's bytes nor its length.
func (g *guard) admits(r *http.Request) bool {
	given := credential(r)
	hash := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(hash[:], g.token[:]) == 1 && given != ""
}

// credential returns the bearer token or the Basic password of the request; "", which admits nobody, for none.
func credential(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
