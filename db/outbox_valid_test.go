package db_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync/db/dbtest"
)

// What the constraints of the outbox refused one by one, until 00015, one function refuses: each of these lines is of one.
func TestOutboxValid(t *testing.T) {
	t.Parallel()
	before, now := dbtest.NewEmpty(t), dbtest.New(t)
	migrateTo(t, before, 14)
	for _, pool := range []*pgxpool.Pool{before, now} {
		exec(t, pool, "INSERT INTO outbox (topic, key, synced_version) VALUES ('clean', 'k', 1)")
		exec(t, pool, "INSERT INTO outbox (topic, key, dirty_since) VALUES ('dirty', 'k', now())")
	}
	const parked = "parked_at = now(), parked_reason = 'refused'"
	for _, change := range []string{
		"topic = ''", "topic = 'Clean'", "topic = '1st'", "topic = 'a-b'", "topic = repeat('t', 64)", "topic = E'a\nb'",
		"key = ''", "key = repeat('k', 256)",
		"synced_version = -1", "desired_version = 0, synced_version = 0", "synced_version = 2",
		"dirty_since = now()", "desired_version = 2",
		"marked_priority = 0", "marked_priority = 5", "job_priority = 0", "job_priority = 5",
		"job_id = 1", "job_id = 1, desired_version = 2, dirty_since = now(), " + parked,
		"lease_token = gen_random_uuid()",
		"lease_token = gen_random_uuid(), lease_version = 1, leased_at = now()",
		"doubted_at = now()", "verify_at = now()",
		"desired_version = 2, dirty_since = now(), parked_at = now()", parked,
		"failures = -1",
	} {
		for name, pool := range map[string]*pgxpool.Pool{"the constraints": before, "the function": now} {
			_, err := pool.Exec(t.Context(), "UPDATE outbox SET "+change+" WHERE topic = 'clean'")
			if refused := (*pgconn.PgError)(nil); !errors.As(err, &refused) || refused.Code != "23514" {
				t.Errorf("%s: %s: %v, want 23514", name, change, err)
			}
		}
	}
	for _, change := range []string{
		"topic = 'a' || repeat('9', 62)", "key = repeat('é', 255)",
		"desired_version = 2, dirty_since = now(), marked_priority = 4, job_id = 1, job_priority = 1",
		"job_id = NULL, marked_priority = NULL, " + parked,
		"parked_at = NULL, parked_reason = NULL, synced_version = 2, dirty_since = NULL, doubted_at = now(), verify_at = now(), job_id = 1",
		"lease_token = gen_random_uuid(), lease_version = 1, leased_at = now(), lease_expires_at = now()",
	} {
		for name, pool := range map[string]*pgxpool.Pool{"the constraints": before, "the function": now} {
			if _, err := pool.Exec(t.Context(), "UPDATE outbox SET "+change+" WHERE topic <> 'dirty'"); err != nil {
				t.Errorf("%s: %s: %v, want none", name, change, err)
			}
		}
	}
}
