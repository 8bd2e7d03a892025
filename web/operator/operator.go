// Package operator tells who is behind a request.
package operator

import (
	"net"
	"net/http"

	"github.com/claimsync/claimsync"
)

// Of returns who made the request, for the operator log: the user name that came with the token, which is the same for all,
// and the host that it came from. Behind a proxy that is the proxy: what a header says of others could be said by anybody.
func Of(r *http.Request) claimsync.Operator {
	name, _, _ := r.BasicAuth()
	origin, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		origin = r.RemoteAddr
	}
	return claimsync.Operator{Name: name, Origin: origin}
}
