package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/claimsync/claimsync/clerk/claims"
	"github.com/claimsync/claimsync/clerk/claims/claimsmetrics"
)

type satelliteCommand struct {
	Issuer            string        `name:"clerk-issuer" envvar:"CLERK_ISSUER" placeholder:"URL" help:"Whose tokens are accepted: Clerk's Frontend API, as https://clerk.example.com or https://….clerk.accounts.dev."`
	AuthorizedParties []string      `name:"clerk-authorized-parties" envvar:"CLERK_AUTHORIZED_PARTIES" placeholder:"ORIGIN" help:"For which web applications a token may have been made, as https://reports.example.com; several with commas."`
	JWKSURL           string        `name:"clerk-jwks-url" envvar:"CLERK_JWKS_URL" placeholder:"URL" help:"Where Clerk's keys are. Default: the issuer's /.well-known/jwks.json."`
	JWTKey            string        `name:"clerk-jwt-key" envvar:"CLERK_JWT_KEY" placeholder:"PEM" help:"Clerk's public key itself, instead, so that none is fetched; it has to be replaced by hand."`
	MaxAge            time.Duration `name:"max-age" placeholder:"DURATION" help:"How old the values may be by which a report is opened, as 48h: when they were read from Postgres. Default: any age."`
	Addr              string        `name:"addr" envvar:"SATELLITE_ADDR" default:"127.0.0.1:8090" help:"Where to listen."`
}

func (*satelliteCommand) Help() string {
	return `An example of an application that reads the claims: it answers by what a
session token says of the organization, and asks neither Clerk nor Postgres. So
it needs no database and no secret, only to know whose tokens to accept.

  CLERK_ISSUER=https://clerk.example.com \
  CLERK_AUTHORIZED_PARTIES=https://reports.example.com app satellite

  GET /reports               for whoever has a good session token
  GET /reports/insured-work  for members of an insured organization
  GET /reports/tenders       of a CERTIFIED one, with a score of 70 or above
  GET /livez, /metrics       for everybody

A request without a good token is answered with 401, one whose claims are not
enough with 403, both with a problem+json that says why. A claim that is absent
is never enough. The answers say what the token says. With --max-age, neither is
one that was read from Postgres longer ago: what to choose is told by package
clerk/claims, under freshness.

To try it with tokens of the emulator ("app demo" does all of this by itself):

  app clerk-emulator --auto-create &
  CLERK_ISSUER=https://clerktest.clerk.accounts.dev \
  CLERK_AUTHORIZED_PARTIES=http://localhost:3000 \
  CLERK_JWKS_URL=http://127.0.0.1:8181/v1/jwks app satellite &
  token=$(curl -s 127.0.0.1:8181/_control/tokens -d '{}' | cut -d'"' -f4)
  curl -i -H "Authorization: Bearer $token" 127.0.0.1:8090/reports

Its code is a few lines on package clerk/claims. What to set up at Clerk is told
in docs/clerk-setup.md.`
}

func (c *satelliteCommand) Run(ctx context.Context, a *app) error {
	observer := claimsmetrics.New()
	verifier, err := c.verifier(observer, a.logger)
	if err != nil {
		return err
	}
	s, err := startSatellite(ctx, c.Addr, newSatelliteHandler(verifier, c.MaxAge, observer), a.logger)
	if err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "Ready", "reports", s.url+"/reports", "issuer", c.Issuer)
	waitErr := s.wait(ctx)
	a.logger.Info("Stopping")
	if err := s.stop(); err != nil {
		return err
	}
	a.logger.Info("Stopped")
	return waitErr
}

// verifier is made of what was given; a mistake in that is one of usage.
func (c *satelliteCommand) verifier(observer claims.Observer, logger *slog.Logger) (*claims.Verifier, error) {
	switch {
	case c.JWTKey != "" && c.JWKSURL != "":
		return nil, usage("CLERK_JWT_KEY and CLERK_JWKS_URL exclude each other: the key itself, or where keys are")
	case c.MaxAge < 0:
		return nil, usage("--max-age must be a time like 48h, got %s", c.MaxAge)
	}
	config := claims.Config{
		Issuer: c.Issuer, Keys: claims.JWKS(c.JWKSURL), Logger: logger, Observer: observer,
	}
	for _, party := range c.AuthorizedParties {
		config.AuthorizedParties = append(config.AuthorizedParties, strings.TrimSpace(party))
	}
	if c.JWTKey != "" {
		config.Keys = claims.PEM(c.JWTKey)
	}
	verifier, err := claims.NewVerifier(config)
	if err != nil {
		return nil, usage("%w (CLERK_ISSUER, CLERK_AUTHORIZED_PARTIES, CLERK_JWKS_URL, CLERK_JWT_KEY)", err)
	}
	return verifier, nil
}
