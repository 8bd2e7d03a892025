package metrics_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/claimsync/claimsync/metrics"
)

// Metrics is what claimsync.Config takes as its Observer; the handler is for the application's mux.
func ExampleNew() {
	m := metrics.New()
	m.Delivered("clerk_organization", "applied", 120*time.Millisecond)

	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if strings.HasPrefix(line, "claimsync_deliveries_total") {
			fmt.Print(line)
		}
	}
	// Output: claimsync_deliveries_total{outcome="applied",topic="clerk_organization"} 1
}
