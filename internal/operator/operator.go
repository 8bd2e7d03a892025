// Package operator tells who is behind a request.
package operator

import (
	"context"
	"net"
	"net/http"

	"github.com/claimsync/claimsync"
)

// named is the key of the name in a context.
type named struct{}

// Named returns r as a request by the operator whom somebody else than us knows by that name.
func Named(r *http.Request, name string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), named{}, name))
}

// Of returns who made the request, for the operator log: the name of Named, or else the user name that came with the token,
// which is the same for all, and the host that it came from. Behind a proxy that is the proxy: what a header says of others
// could be said by anybody.
func Of(r *http.Request) claimsync.Operator {
	name, known := r.Context().Value(named{}).(string)
	if !known {
		name, _, _ = r.BasicAuth()
	}
	origin, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		origin = r.RemoteAddr
	}
	return claimsync.Operator{Name: name, Origin: origin}
}
