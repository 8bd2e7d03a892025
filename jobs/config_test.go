package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

func TestRegisterChecksItsConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edit func(*jobs.Config)
		want string
	}{
		"complete":        {func(*jobs.Config) {}, ""},
		"no pool":         {func(c *jobs.Config) { c.Pool = nil }, "Pool"},
		"no outbox":       {func(c *jobs.Config) { c.Outbox = nil }, "Outbox"},
		"no destinations": {func(c *jobs.Config) { c.Destinations = nil }, "Destinations"},
		// Then two deliveries could be under way for one key.
		"deliveries that outlive their lease": {func(c *jobs.Config) { c.DeliveryTimeout = outbox.DefaultLease }, "lease"},
		"lease too short for the default":     {func(c *jobs.Config) { c.Outbox = outbox.New(outbox.Config{Lease: time.Second}) }, "lease"},
	}
	for name, test := range tests {
		config := jobs.Config{
			Pool: new(pgxpool.Pool), Outbox: outbox.New(outbox.Config{}),
			Destinations: map[string]outbox.Destination{topic: deliverFunc(nil)},
		}
		test.edit(&config)
		err := jobs.Register(&river.Config{}, config)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want an error about %q", name, err, test.want)
		}
	}
}
