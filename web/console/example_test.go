package console_test

import (
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/web/console"
)

// The pages alone, on an application's mux and behind its own authentication. Package web has them with the API and River UI,
// and refuses what comes from other sites.
func ExampleNew() {
	mount := func(
		mux *http.ServeMux, staff func(http.Handler) http.Handler, claims *claimsync.Sync, client *river.Client[pgx.Tx],
	) error {
		pages, err := console.New(console.Config{Sync: claims, River: client, Prefix: "/internal/claimsync"})
		if err != nil {
			return err
		}
		sameSite := http.NewCrossOriginProtection()
		for _, pattern := range console.Patterns() {
			mux.Handle("/internal/claimsync"+pattern, staff(sameSite.Handler(pages)))
		}
		return nil
	}
	_ = mount
}
