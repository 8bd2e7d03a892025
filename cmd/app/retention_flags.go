package main

import (
	"fmt"
	"time"

	"github.com/claimsync/claimsync"
)

// retentionFlags say how long what is kept.
type retentionFlags struct {
	DeliveryRetention    retention `name:"delivery-retention" envvar:"DELIVERY_RETENTION" default:"168h" placeholder:"DURATION" help:"How long the delivery log is kept, as 168h, at least 24h; or forever. Default: 168h."`
	OperatorLogRetention retention `name:"operator-log-retention" envvar:"OPERATOR_LOG_RETENTION" default:"9600h" placeholder:"DURATION" help:"How long the operator log is kept, as 9600h, at least 24h; or forever. Default: 9600h, 400 days."`
}

// retention is how long something is kept, or claimsync.Forever.
type retention time.Duration

// UnmarshalText implements encoding.TextUnmarshaler, for kong.
func (r *retention) UnmarshalText(text []byte) error {
	if string(text) == "forever" {
		*r = retention(claimsync.Forever)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	switch {
	case err != nil:
		return fmt.Errorf("must be a time like 168h, or forever, got %q", text)
	case d < claimsync.LeastRetention:
		return fmt.Errorf("must be at least %s, or forever, got %s", claimsync.LeastRetention, d)
	}
	*r = retention(d)
	return nil
}
