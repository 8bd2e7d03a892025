package outbox_test

import (
	"testing"
	"time"

	"github.com/claimsync/claimsync/outbox"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	const ms, s, h = time.Millisecond, time.Second, time.Hour
	tests := map[string]struct {
		failure  outbox.Failure
		failures int
		park     bool
		delay    time.Duration // before a random quarter less
		block    time.Duration
	}{
		"busy":                     {outbox.Failure{Action: outbox.Retry}, 0, false, 500 * ms, 0},
		"busy for the third time":  {outbox.Failure{Action: outbox.Retry}, 2, false, 2 * s, 0},
		"busy all day":             {outbox.Failure{Action: outbox.Retry}, 10_000, false, 5 * s, 0},
		"outage":                   {outbox.Failure{Action: outbox.Outage}, 1, false, 1 * s, 0},
		"told to wait":             {outbox.Failure{Action: outbox.Wait, RetryAfter: 9 * s}, 3, false, 0, 9 * s},
		"told to wait, not when":   {outbox.Failure{Action: outbox.Wait}, 0, false, 0, 2 * s},
		"outage, told when":        {outbox.Failure{Action: outbox.Outage, RetryAfter: 60 * s}, 0, false, 500 * ms, 60 * s},
		"configuration":            {outbox.Failure{Action: outbox.Stop}, 0, false, 0, 0},
		"configuration, told when": {outbox.Failure{Action: outbox.Stop, RetryAfter: 60 * s}, 0, false, 0, 60 * s},
		"missing":                  {outbox.Failure{Action: outbox.Missing}, 0, false, 10 * s, 0},
		"missing for days":         {outbox.Failure{Action: outbox.Missing}, 10, false, 24 * h, 0},
		"missing for good":         {outbox.Failure{Action: outbox.Missing}, 11, true, 0, 0},
		"refused":                  {outbox.Failure{Action: outbox.Park}, 0, true, 0, 0},
		"ambiguous":                {outbox.Failure{Action: outbox.Ambiguous}, 0, false, 0, 0},
		"ambiguous again":          {outbox.Failure{Action: outbox.Ambiguous}, 1, false, 500 * ms, 0},
		"given back":               {outbox.Failure{Action: outbox.Canceled}, 5, false, 0, 0},
		"of a later version":       {outbox.Failure{Action: "new"}, 0, false, 500 * ms, 0},
	}
	for name, test := range tests {
		for range 100 { // the delays are random
			got := outbox.Decide(&test.failure, test.failures)
			if got.Park != test.park || got.Block != test.block || got.Delay > test.delay || got.Delay < test.delay*3/4 {
				t.Errorf("%s: %+v, want %+v", name, got, test)
				break
			}
		}
	}
}
