package claims

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The defaults of a Config, and its bounds.
const (
	DefaultLeeway    = 5 * time.Second
	DefaultMaxKeyAge = time.Hour

	maxLeeway   = time.Minute // as long as a token lives
	minKeyAge   = time.Minute
	wellKnown   = "/.well-known/jwks.json"
	fetchWithin = 5 * time.Second
)

// Config is what a Verifier needs to know. Issuer, AuthorizedParties and Keys are required: a token that is not held
// against all three proves nothing.
type Config struct {
	// Issuer is the iss that a token must have, exactly: Clerk's Frontend API, as https://clerk.example.com, or
	// https://….clerk.accounts.dev for a development instance; the proxy's URL if there is one. A satellite domain is no
	// exception: its tokens have one issuer too. Required.
	Issuer string

	// AuthorizedParties are the origins that a token may have been made for, its azp, exactly: the addresses of the web
	// applications that call this one, as https://reports.example.com. A token for another is refused, and so is one without:
	// neither would keep what was made for somebody else's site from being used here. Clerk leaves azp out where a request has
	// no Origin, as those of native applications: their tokens are not accepted. Required.
	AuthorizedParties []string

	// Keys is where the keys are found by which tokens are signed: JWKS or PEM. Required.
	Keys KeySource

	// Leeway is by how much this clock and Clerk's may differ. Defaults to DefaultLeeway; at most a minute.
	Leeway time.Duration

	// MaxKeyAge is for how long a key is trusted after Clerk was last seen to publish it, if Clerk does not answer. If it does, a
	// removed key works for a quarter of it while tokens come, as the keys are then fetched again, in the background; and for
	// half of it if none came for long: the next one waits for the fetch. Nothing of this applies to PEM. Defaults to
	// DefaultMaxKeyAge; at least a minute.
	MaxKeyAge time.Duration

	// HTTPClient fetches the keys: of it are taken what it connects by, its cookies and its timeout. Redirects are never
	// followed, and a fetch has 5 s. Defaults to one with http.DefaultTransport.
	HTTPClient *http.Client

	// Names are what the claims are called, if not as in the metadata.
	Names Names

	// Logger gets failures to fetch keys; tokens of the wrong issuer or party, of each one a minute; and at debug level
	// everything else that is refused; nothing of a token but these two. Defaults to none.
	Logger *slog.Logger

	// Observer counts. Defaults to none.
	Observer Observer

	// Now is the time. Defaults to time.Now.
	Now func() time.Time
}

// Observer is told what is refused and what is wrong, for metrics. Its methods are called concurrently.
type Observer interface {
	// TokenRefused is called for each token that is not accepted, also if it is missing.
	TokenRefused(reason Reason)
	// ClaimMalformed is called for each claim of an accepted token that is there and is no value of its kind: Clerk's
	// customization or somebody's edit of the metadata is wrong.
	ClaimMalformed(claim string)
	// RequestForbidden is called for each request whose claims are not enough, with the claim in question.
	RequestForbidden(claim string)
	// KeysFetched is called after each fetch of the keys, with nil or why it failed.
	KeysFetched(err error)
}

type noObserver struct{}

func (noObserver) TokenRefused(Reason)     {}
func (noObserver) ClaimMalformed(string)   {}
func (noObserver) RequestForbidden(string) {}
func (noObserver) KeysFetched(error)       {}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("claims: %w", err)
	}
	c.Leeway = cmp.Or(c.Leeway, DefaultLeeway)
	c.MaxKeyAge = cmp.Or(c.MaxKeyAge, DefaultMaxKeyAge)
	c.Names = c.Names.withDefaults()
	fetching := http.Client{}
	if c.HTTPClient != nil {
		fetching = *c.HTTPClient
	}
	fetching.CheckRedirect = refuseRedirect
	c.HTTPClient = &fetching
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// refuseRedirect makes a redirect a failure: who redirects the request for the keys would choose the keys.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c Config) check() error {
	if _, err := absolute(c.Issuer); err != nil {
		return fmt.Errorf("Config.Issuer %w, like https://clerk.example.com", err)
	}
	if strings.HasSuffix(c.Issuer, "/") {
		return errors.New("Config.Issuer ends with a slash, which iss does not")
	}
	if len(c.AuthorizedParties) == 0 {
		return errors.New("Config.AuthorizedParties is required")
	}
	for _, party := range c.AuthorizedParties {
		if u, err := absolute(party); err != nil || u.Path != "" || u.Host != strings.ToLower(u.Host) {
			return fmt.Errorf("Config.AuthorizedParties has %q: an origin is scheme and host, in lower case, like https://reports.example.com", party)
		}
	}
	switch {
	case c.Keys == nil:
		return errors.New("Config.Keys is required: JWKS or PEM")
	case c.Leeway < 0 || c.Leeway > maxLeeway:
		return fmt.Errorf("Config.Leeway must be between 0 and %s, got %s", maxLeeway, c.Leeway)
	case c.MaxKeyAge != 0 && c.MaxKeyAge < minKeyAge:
		return fmt.Errorf("Config.MaxKeyAge must be at least %s, got %s", minKeyAge, c.MaxKeyAge)
	}
	return nil
}

// absolute parses a URL that has a scheme and a host, and neither user, query nor fragment.
func absolute(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || strings.ContainsAny(raw, "?#") {
		return nil, errors.New("must be an absolute URL")
	}
	return u, nil
}

func (n Names) withDefaults() Names {
	return Names{
		Tier:           cmp.Or(n.Tier, "certification_tier"),
		Score:          cmp.Or(n.Score, "compliance_score"),
		InsuranceValid: cmp.Or(n.InsuranceValid, "insurance_valid"),
		AsOf:           cmp.Or(n.AsOf, "claims_as_of"),
	}
}
