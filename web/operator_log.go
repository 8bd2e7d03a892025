package web

import (
	"context"
	"fmt"
	"net/http"

	"github.com/claimsync/claimsync/web/operator"
)

// withOperatorLog keeps in the operator log what is done through the handler: whatever is not only asked for. What cannot be
// logged is not done.
func (s *server) withOperatorLog(action string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead, http.MethodOptions:
			handler.ServeHTTP(w, r)
			return
		}
		done := false
		err := s.config.Sync.Operate(r.Context(), operator.Of(r), action, r.Method+" "+r.URL.Path,
			func(ctx context.Context) (string, error) {
				done = true
				answered := &response{ResponseWriter: w}
				handler.ServeHTTP(answered, r.WithContext(ctx))
				return fmt.Sprintf("answered %d", answered.status), nil
			})
		if err != nil && !done {
			s.refuse(w, r, err)
		}
	})
}
