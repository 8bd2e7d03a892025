package main

// rateFlags say what of Clerk's rate limits is ours.
type rateFlags struct {
	RateLimit             int     `name:"clerk-rate-limit" envvar:"CLERK_RATE_LIMIT" default:"0" placeholder:"N" help:"Requests per 10 s that Clerk admits for the key; -1 for no limit. Default: 1000 for sk_live_, else 100."`
	RateShare             float64 `name:"clerk-rate-share" envvar:"CLERK_RATE_SHARE" default:"0.9" help:"Share of Clerk's limits that all processes together use; the rest is for others with the same key."`
	OrganizationRateLimit int     `name:"clerk-organization-rate-limit" envvar:"CLERK_ORGANIZATION_RATE_LIMIT" default:"10" placeholder:"N" help:"Writes to one organization per 10 s that Clerk admits; -1 for no limit."`
}

func (f *rateFlags) check() error {
	switch {
	case f.RateLimit < -1:
		return usage("--clerk-rate-limit (CLERK_RATE_LIMIT) must be a number of requests per 10 s, or -1 for no limit, got %d", f.RateLimit)
	case f.OrganizationRateLimit < -1 || f.OrganizationRateLimit == 0:
		return usage("--clerk-organization-rate-limit (CLERK_ORGANIZATION_RATE_LIMIT) must be a number of writes per 10 s, or -1 for no limit, got %d", f.OrganizationRateLimit)
	case !(f.RateShare > 0 && f.RateShare <= 1): // NaN too
		return usage("--clerk-rate-share (CLERK_RATE_SHARE) must be above 0 and up to 1, got %g", f.RateShare)
	}
	return nil
}
