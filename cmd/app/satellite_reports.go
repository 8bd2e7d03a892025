package main

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/claims/claimsmetrics"
	"github.com/claimsync/claimsync/scoring"
)

// newSatelliteHandler is all that an application has to do to decide by the claims: Authenticate before everything, and
// before each route what it requires. maxAge is how old the values may be; 0: of any age. observer is the verifier's.
func newSatelliteHandler(verifier *claims.Verifier, maxAge time.Duration, observer *claimsmetrics.Observer) http.Handler {
	insured, certified, scored := claims.RequireInsurance(), claims.RequireTier(claims.Certified), claims.RequireScore(70)
	fresh := func(next http.Handler) http.Handler { return next }
	if maxAge > 0 {
		fresh = claims.RequireFresh(maxAge)
	}

	reports := http.NewServeMux()
	reports.Handle("GET /reports", report("What is there for you"))
	reports.Handle("GET /reports/insured-work", fresh(insured(report("Work for the insured"))))
	reports.Handle("GET /reports/tenders", fresh(certified(scored(report("Tenders for the certified, with a score of 70 or above")))))

	counted := prometheus.NewRegistry()
	counted.MustRegister(observer)
	mux := http.NewServeMux()
	mux.Handle("/reports", verifier.Authenticate(reports))
	mux.Handle("/reports/", verifier.Authenticate(reports))
	mux.Handle("GET /metrics", promhttp.HandlerFor(counted, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	return mux
}

// reportJSON is a report: who asked for it, and what their token says. A value that is null is not in the token.
type reportJSON struct {
	Report string     `json:"report"`
	For    readerJSON `json:"for"`
	Claims claimsJSON `json:"claims"`
	Token  tokenTimes `json:"token"`
}

type readerJSON struct {
	Subject        string  `json:"subject"`
	OrganizationID *string `json:"organization_id"`
	Role           *string `json:"role"`
}

type claimsJSON struct {
	Tier           *claims.Tier       `json:"certification_tier"`
	Score          *int               `json:"compliance_score"`
	InsuranceValid *bool              `json:"insurance_valid"`
	AsOf           *scoring.Timestamp `json:"claims_as_of"`
	Malformed      []string           `json:"malformed,omitempty"`
}

type tokenTimes struct {
	IssuedAt  scoring.Timestamp `json:"issued_at"`
	ExpiresAt scoring.Timestamp `json:"expires_at"`
}

// report answers with a report. It stands behind Authenticate.
func report(title string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, found := claims.From(r.Context())
		if !found { // a mistake in the wiring; better no report than one for nobody
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")        // it is for the bearer of this token
		_ = json.NewEncoder(w).Encode(reportFor(title, c)) // the client is the only one who could be told
	})
}

func reportFor(title string, c *claims.Claims) reportJSON {
	return reportJSON{
		Report: title,
		For:    readerJSON{Subject: c.Subject, OrganizationID: orNull(c.OrganizationID), Role: orNull(c.Role)},
		Claims: claimsJSON{c.Tier, c.Score, c.InsuranceValid, timestamp(c.AsOf), c.Malformed},
		Token:  tokenTimes{scoring.Timestamp(c.IssuedAt), scoring.Timestamp(c.ExpiresAt)},
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
