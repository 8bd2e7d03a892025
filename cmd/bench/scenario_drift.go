package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// edited is that somebody edits organizations at Clerk by hand, and that nobody knows but the drift check.
type edited struct {
	organizations, edits int
}

// exitDrift is app drift's exit code for drift that was found.
const exitDrift = 3

// handEdits are what somebody may make of an organization's public metadata.
var handEdits = []string{
	`{"certification_tier":"MASTER_ROOFER","compliance_score":1,"insurance_valid":true}`,
	`{"certification_tier":"ACCREDITED","compliance_score":"1","insurance_valid":true}`,
	`{"theirs":1}`,
}

func (s edited) run(ctx context.Context, b *bench) ([]bound, error) {
	config := fleetConfig{
		organizations: s.organizations, processes: processes, clerk: clerkOf(production),
		environment: []string{limitVariable(production)},
	}
	return b.withFleet(ctx, config, func(f *fleet) ([]bound, error) {
		if err := s.prepare(ctx, f); err != nil {
			return nil, err
		}
		var victims []string
		for i := range s.edits {
			victim := f.keys[i*len(f.keys)/s.edits]
			f.clerk.EditMetadata(victim, json.RawMessage(handEdits[i%len(handEdits)]), nil)
			victims = append(victims, victim)
		}
		slices.Sort(victims)

		begun := time.Now()
		code, report, err := f.drift(ctx)
		if err != nil {
			return nil, err
		}
		looked, calls := time.Since(begun), f.calls().since(begun)
		bounds := []bound{
			holds("drift found is exactly what was edited, exit code 3", code == exitDrift && slices.Equal(drifted(report), victims)),
			upTo(s.calls(), "list calls", len(calls)),
			took("… the check took", lasting(looked)),
			zero("… writes meanwhile", len(calls.writes())),
		}

		begun = time.Now()
		if _, _, err = f.drift(ctx, "--repair"); err != nil {
			return nil, err
		}
		repaired, err := until(ctx, begun, s.allowed(), f.inStepAndClean)
		if err != nil {
			return nil, err
		}
		if code, report, err = f.drift(ctx); err != nil {
			return nil, err
		}
		calls = f.calls().since(begun)
		return append(bounds,
			within(s.allowed(), "all repaired, after the start of app drift --repair", repaired),
			upTo(s.edits, "… writes", len(calls.writes())),
			holds("the next check finds nothing, exit code 0", code == 0 && report.Drifted == 0 && report.Compared == s.organizations),
			zero("answers 429", len(calls.tooMany())),
		), nil
	})
}

// prepare makes Clerk in step without pushing.
func (s edited) prepare(ctx context.Context, f *fleet) error {
	if err := f.exec(ctx, changeClaims, f.keys); err != nil {
		return err
	}
	for _, key := range f.keys {
		f.clerk.EditMetadata(key, json.RawMessage(`{"certification_tier":"ACCREDITED","compliance_score":1,"insurance_valid":true}`), nil)
	}
	return f.forgetMarks(ctx)
}

// calls is how many lists are promised to suffice: the pages, and two to look again.
func (s edited) calls() int { return (s.organizations+clerk.MaxListLimit-1)/clerk.MaxListLimit + 2 }

// allowed is how long the budget makes a check and a repair take: to read each that differs back, and to push over it.
func (s edited) allowed() time.Duration {
	return drainTime(s.calls()+2*s.edits, outbox.DefaultShare*production) + drainSlack
}

// drift runs app drift, and returns its exit code and its report.
func (f *fleet) drift(ctx context.Context, flags ...string) (code int, report claimsync.DriftReport, err error) {
	args := append([]string{"drift", "--json", "--clerk-rate-limit=" + strconv.Itoa(production)}, flags...)
	printed, err := f.command(ctx, args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitDrift {
		code, err = exitDrift, nil
	}
	if err == nil {
		if err = json.Unmarshal([]byte(printed), &report); err != nil {
			err = fmt.Errorf("the report of app drift: %w", err)
		}
	}
	return code, report, err
}

// drifted are Clerk's organizations that a report says differ, sorted.
func drifted(report claimsync.DriftReport) (keys []string) {
	for _, drift := range report.Drifts {
		keys = append(keys, drift.ClerkOrgID)
	}
	slices.Sort(keys)
	return keys
}
