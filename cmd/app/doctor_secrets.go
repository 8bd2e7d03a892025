package main

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/internal/timewords"
)

const webhooksPage = "https://dashboard.clerk.com/~/webhooks"

func (x *examination) webhookSecret(context.Context) finding {
	webhook, err := x.flags.webhook()
	switch {
	case err != nil:
		return fail(inShort(err), "Copy the signing secret, whsec_…, from the endpoint's page: "+webhooksPage)
	case webhook == nil:
		return skip("CLERK_WEBHOOK_SECRET is not set: Clerk's events are not taken, and what is changed there is found once a day")
	}
	if err := webhook.Check(); err != nil {
		return fail(inShort(err), "Copy the signing secret again: "+webhooksPage)
	}
	return ok("signs, and verifies what it signed; only an event can show that it is Clerk's")
}

// webhooks can only tell what came. Under which address we are reached, and whether Clerk knows it, cannot be seen from here.
func (x *examination) webhooks(ctx context.Context) finding {
	const unknown = "whether Clerk sends events to our public address cannot be seen from here: send a test event from " + webhooksPage
	if why := tables(x); why != "" {
		return skip("%s", unknown)
	}
	ago, err := dbsqlc.New().ClerkEventLast(ctx, x.pool)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return skip("%s", "no event has come in a while; "+unknown)
	case err != nil:
		return broken(err)
	}
	return ok("the last event came %s ago", timewords.Span(ago))
}

func (x *examination) adminToken(context.Context) finding {
	const remedy = "Set ADMIN_TOKEN to one made with: openssl rand -hex 16"
	token, near := strings.TrimSpace(x.flags.AdminToken), isLoopback(x.flags.Addr)
	switch {
	case token == "" && near:
		return skip("ADMIN_TOKEN is not set: app serve makes one up at each start, and prints it")
	case token == "":
		return fail("ADMIN_TOKEN is not set, and others can reach "+x.flags.Addr+": app serve does not start", remedy)
	case guessable(token) && near:
		return warn("is easily guessed, though only from this machine", remedy)
	case guessable(token):
		return fail("is easily guessed, and others can reach "+x.flags.Addr, remedy)
	}
	return ok("is not easily guessed")
}
