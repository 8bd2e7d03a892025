package main

import (
	"fmt"
	"time"

	"github.com/claimsync/claimsync"
)

// driftFlags say how Clerk is compared with Postgres from time to time.
type driftFlags struct {
	DriftEvery    interval `name:"drift-every" envvar:"DRIFT_EVERY" default:"24h" placeholder:"DURATION" help:"How often all processes together compare Clerk with Postgres, as 24h; never (or 0) for not at all. Default: 24h."`
	NoDriftRepair bool     `name:"no-drift-repair" help:"Only report what was found to differ, and do not push it again."`
}

// shortestInterval keeps a mistaken unit from calling Clerk all the time.
const shortestInterval = time.Minute

// interval is a time between two of something, or claimsync.Never.
type interval time.Duration

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (i *interval) UnmarshalText(text []byte) error {
	if string(text) == "never" || string(text) == "0" {
		*i = claimsync.Never
		return nil
	}
	d, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("must be a time like 24h, or never, got %q", text)
	case d == 0:
		d = claimsync.Never
	case d < shortestInterval:
		return fmt.Errorf("must be at least %s, or never, got %s", shortestInterval, d)
	}
	*i = interval(d)
	return nil
}
