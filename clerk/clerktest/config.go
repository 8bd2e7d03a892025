package clerktest

import (
	"strings"
	"time"
)

// DefaultSecretKey is the key an emulator accepts unless told otherwise. It opens nothing else.
const DefaultSecretKey = "sk_test_clerktestemulator"

// Config configures an emulator. The zero value is a development instance on a free loopback port.
type Config struct {
	// SecretKey is the only key that is accepted. Its prefix decides the default rate limit, as at Clerk.
	//
	// Defaults to DefaultSecretKey.
	SecretKey string

	// Addr is where Start listens.
	//
	// Defaults to 127.0.0.1:0, a free port.
	Addr string

	// InstanceLimit bounds all requests together, but for GET /jwks.
	//
	// Defaults to Clerk's: 1000 requests in 10 s for an sk_live_ key, else 100.
	InstanceLimit Limit

	// OrganizationLimit bounds the writes to one organization.
	//
	// Defaults to Clerk's: 10 requests in 10 s.
	OrganizationLimit Limit

	// AutoCreate lets organizations with an ID of the form org_… come into being on their first write, for people who
	// try things out. Clerk does not do that.
	AutoCreate bool

	// HistoryLimit is how many requests are remembered, the latest ones; as many writes, as many attempts to deliver
	// webhooks, and as many changes of public metadata, which tokens with stale claims are made of.
	//
	// Defaults to 0, which is all of them.
	HistoryLimit int

	// Seed makes what is left to chance repeatable: faults with a probability, and WebhookConfig.Spread.
	Seed uint64
}

// Limit is a number of requests in a window of time.
type Limit struct {
	// Requests is how many are admitted in any span of Window; Unlimited for no limit.
	Requests int
	Window   time.Duration
}

// Unlimited, as Limit.Requests, switches a limit off.
const Unlimited = -1

// WithoutLimits returns a configuration in which no request is refused for its rate.
func WithoutLimits() Config {
	unlimited := Limit{Requests: Unlimited}
	return Config{InstanceLimit: unlimited, OrganizationLimit: unlimited}
}

func (c Config) withDefaults() Config {
	if c.SecretKey == "" {
		c.SecretKey = DefaultSecretKey
	}
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	instance := 100
	if strings.HasPrefix(c.SecretKey, "sk_live_") {
		instance = 1000
	}
	c.InstanceLimit = c.InstanceLimit.withDefaults(instance)
	c.OrganizationLimit = c.OrganizationLimit.withDefaults(10)
	return c
}

func (l Limit) withDefaults(requests int) Limit {
	if l.Requests == 0 {
		l.Requests = requests
	}
	if l.Window <= 0 {
		l.Window = 10 * time.Second
	}
	return l
}
