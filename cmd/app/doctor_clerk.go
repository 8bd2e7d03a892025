package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
)

const keyRemedy = "Set CLERK_SECRET_KEY to the secret key, sk_…, of the dashboard's page API keys: " +
	"https://dashboard.clerk.com/~/api-keys"

// kinds are in Clerk's words.
var kinds = map[clerk.KeyKind]string{clerk.KeyTest: "development", clerk.KeyLive: "production"}

func (x *examination) key(context.Context) finding {
	client, err := x.flags.client(nil)
	if err != nil {
		return fail(inShort(err), keyRemedy)
	}
	x.client = client
	return ok("has the form of one of a %s instance", kinds[client.KeyKind()])
}

// clerk asks what the key opens. No call of an examination takes a slot of the fleet's budget, as that is written down: the
// three of them are made from the share of Clerk's limit that the budget leaves to others.
func (x *examination) clerk(ctx context.Context) finding {
	before := x.now()
	instance, receipt, err := x.client.Instance(ctx)
	if !receipt.Date.IsZero() {
		// A Date has no fractions: on average, half a second has passed since.
		x.clerkSkew = new(halfway(before, x.now()).Sub(receipt.Date.Add(500 * time.Millisecond)))
	}
	if err != nil {
		return clerkTrouble(err)
	}
	x.instance, x.accepted = instance, true
	found := fmt.Sprintf("accepts the key, for the %s instance %s", cmp.Or(kinds[instance.Kind], "unknown kind of"), instance.ID)
	if by := x.client.KeyKind(); instance.Kind != by {
		return warn(fmt.Sprintf("%s; the key looks like one of a %s instance", found, kinds[by]),
			"Set CLERK_RATE_LIMIT, which is otherwise derived from the key.")
	}
	return ok("%s", found)
}

// clerkTrouble says what helps against a failure of Clerk's.
func clerkTrouble(err error) finding {
	var failure *clerk.Error
	if !errors.As(err, &failure) {
		return fail(inShort(err), "Check again.")
	}
	return fail(clerkSaid(failure), clerkRemedy(failure))
}

// clerkSaid leaves out what a program would do about it, which is not what a person does.
func clerkSaid(failure *clerk.Error) string {
	said := "does not answer"
	if failure.Status != 0 {
		said = fmt.Sprintf("answers %d", failure.Status)
	}
	for _, part := range []string{failure.Code, failure.Message} {
		if part != "" {
			said += ": " + part
		}
	}
	if failure.Err != nil {
		said += ": " + inShort(failure.Err)
	}
	if failure.TraceID != "" {
		said += " (trace " + failure.TraceID + ")"
	}
	return said
}

const urlRemedy = "Is CLERK_API_URL right, with its /v1? Without it, Clerk's own is called, https://api.clerk.com/v1."

func clerkRemedy(failure *clerk.Error) string {
	switch {
	case failure.Code == "organization_not_enabled_in_instance":
		return "Enable organizations: https://dashboard.clerk.com/~/organizations-settings"
	case failure.Code == "api_version_invalid":
		return "Clerk does not speak this version of its API any more: a newer version of app will."
	case failure.Status == http.StatusUnauthorized:
		return "The key was revoked, or was not copied in full. " + keyRemedy
	case failure.Status == http.StatusForbidden:
		return "The key may not do this, see what Clerk says about it. " + keyRemedy
	case failure.Status == http.StatusTooManyRequests:
		return "Others with this key use up the limit: lower CLERK_RATE_SHARE, or give them less to do."
	case failure.Status >= 500:
		return "Wait: see https://status.clerk.com. Nothing is lost meanwhile."
	case failure.Status != 0:
		return urlRemedy
	}
	return "Does this machine reach Clerk? Check DNS, HTTPS_PROXY and firewalls; see https://status.clerk.com. " + urlRemedy
}

// organizations asks for one, which tells whether there are any, and how many.
func (x *examination) organizations(ctx context.Context) finding {
	_, total, _, err := x.client.List(ctx, clerk.ListParams{Limit: 1})
	if err != nil {
		return clerkTrouble(err)
	}
	x.listed = true
	return ok("are enabled, and there are %d", total)
}

// rateLimit holds what we are configured to use against what Clerk admits.
func (x *examination) rateLimit(context.Context) finding {
	admitted := claimsync.DefaultRateLimit(cmp.Or(x.instance.Kind, x.client.KeyKind()))
	return rateFinding(x.flags.rateFlags, admitted, claimsync.DefaultRateLimit(x.client.KeyKind()))
}

// rateFinding: byKey is what a limit defaults to.
func rateFinding(flags rateFlags, admitted, byKey int) finding {
	limit := cmp.Or(flags.RateLimit, byKey)
	known := fmt.Sprintf("Clerk admits %d requests per 10 s", admitted)
	const remedy = "Unset CLERK_RATE_LIMIT, or ignore this if Clerk has agreed to another limit. " +
		"https://clerk.com/docs/guides/how-clerk-works/system-limits"
	switch ours := int(float64(limit) * flags.RateShare); {
	case limit < 0:
		return warn(known+", and we keep to no limit", remedy)
	case limit > admitted:
		return warn(fmt.Sprintf("%s, and we count on %d", known, limit), remedy)
	case limit < admitted:
		return ok("%s, and we use %d at most, of the %d that we count on", known, ours, limit)
	default:
		return ok("%s, of which we use %d at most", known, ours)
	}
}
