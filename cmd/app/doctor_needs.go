package main

import "github.com/claimsync/claimsync/internal/timewords"

// What the steps of an examination need. Each returns why there is none; "": there is.

func nothing(*examination) string { return "" }

func aPool(x *examination) string {
	if x.pool == nil {
		return "not without the database"
	}
	return ""
}

func aServer(x *examination) string {
	if x.server.VersionNumber == 0 {
		return "not without the database"
	}
	return ""
}

func tables(x *examination) string {
	why := aServer(x)
	if why == "" && !x.migrated {
		why = "not before the database is migrated"
	}
	return why
}

func aGate(x *examination) string {
	why := tables(x)
	if why == "" && x.gate.Now.IsZero() {
		why = "could not be read"
	}
	return why
}

func aKey(x *examination) string {
	if x.client == nil {
		return "not without a key"
	}
	return ""
}

// aCall is leave to call Clerk, which nobody has while it has everybody wait.
func aCall(x *examination) string {
	why := aKey(x)
	if blocked := x.gate.Destination.Blocked; why == "" && blocked != nil {
		why = "not called: Clerk has everybody wait, and may be called again " + timewords.FromNow(x.gate.Now, blocked.Until)
	}
	return why
}

func anAnswer(x *examination) string {
	why := aCall(x)
	if why == "" && x.clerkSkew == nil {
		why = "Clerk has not told the time"
	}
	return why
}

func anInstance(x *examination) string {
	why := aCall(x)
	if why == "" && !x.accepted {
		why = "not before Clerk accepts the key"
	}
	return why
}

// aWay is all that stands between one organization and Clerk.
func aWay(x *examination) string {
	why := tables(x)
	if why == "" {
		why = anInstance(x)
	}
	switch {
	case why != "":
		return why
	case !x.listed:
		return "not before Clerk shows its organizations"
	case x.gate.Destination.Breaker != nil:
		return "not while the breaker is open"
	}
	return ""
}
