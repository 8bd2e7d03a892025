package clerk

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// DefaultTimeout is the deadline of one call. It has to be shorter than the lease under which the call is made.
const DefaultTimeout = 5 * time.Second

// Config is what New needs. Only SecretKey is required.
type Config struct {
	// SecretKey authenticates every call, as `sk_test_…` or `sk_live_…`. It is held by the client alone: the SDK's
	// package-global key is neither set nor read.
	SecretKey string `json:"-"`

	// BaseURL is where the API lives, with its version: absolute, http or https. Plain http is meant for an emulator
	// on the same host.
	//
	// Defaults to Clerk's own, https://api.clerk.com/v1.
	BaseURL string

	// Timeout is the deadline of one call, from dialing to the last byte of the answer. A context with an earlier
	// deadline wins.
	//
	// Defaults to DefaultTimeout.
	Timeout time.Duration

	// Transport makes the HTTP exchanges. One that does not report to net/http/httptrace works, but then a refused
	// connection is taken for a request that may have arrived.
	//
	// Defaults to NewTransport().
	Transport http.RoundTripper `json:"-"`
}

// withDefaults checks the configuration and fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if err := CheckSecretKey(c.SecretKey); err != nil {
		return Config{}, err
	}
	if c.BaseURL == "" {
		c.BaseURL = clerksdk.APIURL
	}
	if err := checkBaseURL(c.BaseURL); err != nil {
		return Config{}, err
	}
	if c.Timeout < 0 {
		return Config{}, fmt.Errorf("clerk: timeout %s is negative", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Transport == nil {
		c.Transport = NewTransport()
	}
	return c, nil
}

// checkBaseURL refuses what the SDK would silently join into something else. A user or query in the URL could carry a
// secret into error texts, so its errors do not repeat the URL.
func checkBaseURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("clerk: the API URL cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("clerk: the API URL must be absolute, http or https, like " + clerksdk.APIURL)
	case u.User != nil, strings.ContainsAny(raw, "?#"):
		return errors.New("clerk: the API URL must have no user, query or fragment")
	}
	return nil
}
