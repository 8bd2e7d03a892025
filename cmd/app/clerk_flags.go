package main

import (
	"net/http"

	"github.com/claimsync/claimsync/clerk"
)

// clerkFlags are the flags of the commands that call Clerk.
type clerkFlags struct {
	ClerkSecretKey string `name:"clerk-secret-key" envvar:"CLERK_SECRET_KEY" placeholder:"KEY" help:"Clerk's secret key, sk_live_… or sk_test_…. Better in the environment than here, where others see it."`
	ClerkAPIURL    string `name:"clerk-api-url" envvar:"CLERK_API_URL" placeholder:"URL" help:"Clerk's API with its /v1. Default: Clerk's own."`
}

// client returns a client that calls by transport; nil: by its own.
func (f *clerkFlags) client(transport http.RoundTripper) (*clerk.Client, error) {
	client, err := clerk.New(clerk.Config{SecretKey: f.ClerkSecretKey, BaseURL: f.ClerkAPIURL, Transport: transport})
	if err != nil {
		return nil, usage("%w (CLERK_SECRET_KEY, CLERK_API_URL)", err)
	}
	return client, nil
}
