package claimsync_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
)

// What is old goes while a process delivers: after the documented time, or what was configured.
func TestRunKeepsHouse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edit                    func(*claimsync.Config)
		deliveries, operatorLog string // how old the older one is that is kept, and the younger one that is not
	}{
		"by default": {func(*claimsync.Config) {}, "167 h, 169 h", "9599 h, 9601 h"},
		"as configured": {func(c *claimsync.Config) {
			c.DeliveryRetention, c.OperatorLogRetention = 24*time.Hour, 48*time.Hour
		}, "23 h, 25 h", "47 h, 49 h"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDrifting(t, test.edit)
			d.create("a")
			for table, ages := range map[string]string{
				`outbox_delivery (finished_at, topic, key, version, outcome, duration) SELECT at, 'clerk_organization', 'org_a', 1, 'applied', '1 s'`: test.deliveries,
				`operator_action (at, operator, origin, action, target) SELECT at, 'o', '', 'redrive', ''`:                                            test.operatorLog,
				`outbox_activity (begins_at, topic, outcome, deliveries) SELECT at, 'clerk_organization', 'park', 1`:                                  "167 h, 169 h",
				`clerk_event (received_at, id, type, organization) SELECT at, at, 'organization.updated', 'org_1'`:                                    "71 h, 73 h",
				`process (seen_at, id, hostname, pid, version) SELECT at, gen_random_uuid(), 'dead', 1, 'v'`:                                          "23 h, 25 h",
			} {
				d.exec(`INSERT INTO ` + table + ` FROM (SELECT now() - age::interval AS at FROM unnest(string_to_array('` + ages + `', ',')) AS age) AS ages`)
			}
			d.run(d.sync)
			d.until("what is old is gone, and nothing else", func() bool {
				return d.is(`SELECT (SELECT count(*) FROM outbox_delivery) = 1 AND (SELECT count(*) FROM operator_action) = 1
					AND (SELECT count(*) FROM outbox_activity WHERE outcome = 'park') = 1 AND (SELECT count(*) FROM clerk_event) = 1
					AND (SELECT count(*) FROM process WHERE hostname = 'dead') = 1`)
			})
		})
	}
}

// Less than is needed is refused, and said.
func TestRetentionIsChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		edit    func(*claimsync.Config)
		refused string
	}{
		"a day": {func(c *claimsync.Config) { c.DeliveryRetention = 24 * time.Hour }, ""},
		"forever": {func(c *claimsync.Config) {
			c.DeliveryRetention, c.OperatorLogRetention = claimsync.Forever, claimsync.Forever
		}, ""},
		"less than a day":            {func(c *claimsync.Config) { c.DeliveryRetention = 24*time.Hour - 1 }, "DeliveryRetention must be at least 24h0m0s"},
		"an operator log for no day": {func(c *claimsync.Config) { c.OperatorLogRetention = time.Hour }, "OperatorLogRetention must be at least 24h0m0s"},
		"negative":                   {func(c *claimsync.Config) { c.DeliveryRetention = -time.Hour }, "DeliveryRetention must be"},
	} {
		config := claimsync.Config{Pool: new(pgxpool.Pool)}
		test.edit(&config)
		_, err := claimsync.New(config)
		if test.refused == "" && err != nil || test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)) {
			t.Errorf("%s: got %v, want %q", name, err, test.refused)
		}
	}
}
