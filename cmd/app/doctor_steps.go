package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/db/dbsqlc"
)

// stepPatience is how long a step may take.
const stepPatience = 20 * time.Second

// examination is an examination under way, with what its steps have found out for later ones.
type examination struct {
	flags *doctorCommand
	now   func() time.Time // the clock of this machine

	pool     *pgxpool.Pool // nil: the database does not answer
	server   dbsqlc.ServerInspectRow
	skew     time.Duration  // of this clock against the server's: above 0, it is ahead
	migrated bool           // with our migrations and River's
	tool     *tool          // nil: not needed yet
	gate     claimsync.Gate // zero: not known

	client    *clerk.Client // nil: there is no key, or it has not the form of one
	instance  clerk.Instance
	accepted  bool           // the key, by Clerk
	clerkSkew *time.Duration // of this clock against Clerk's; nil: not known
	listed    bool           // Clerk has shown its organizations
}

// step is one of the examination.
type step struct {
	name  string
	needs func(*examination) string // why it cannot be taken; "": it can
	check func(*examination, context.Context) finding
}

// steps are in the order in which a person would look.
func steps() []step {
	return []step{
		{"database", nothing, (*examination).database},
		{"PostgreSQL", aPool, (*examination).postgres},
		{"rights", aServer, (*examination).rights},
		{"migrations", aServer, (*examination).migrations},
		{"River", aServer, (*examination).river},
		{"triggers", tables, (*examination).triggers},
		{"clock", aServer, (*examination).clock},

		{"Clerk key", nothing, (*examination).key},
		{"processes", tables, (*examination).processes},
		{"queue", aGate, (*examination).queue},
		{"breaker", aGate, (*examination).breaker},

		{"Clerk", aCall, (*examination).clerk},
		{"Clerk's clock", anAnswer, (*examination).clerkClock},
		{"rate limit", aKey, (*examination).rateLimit},
		{"organizations", anInstance, (*examination).organizations},
		{"round trip", aWay, (*examination).roundTrip},

		{"webhook secret", nothing, (*examination).webhookSecret},
		{"webhooks", nothing, (*examination).webhooks},
		{"admin token", nothing, (*examination).adminToken},
	}
}

// examine takes all steps that can be taken, and says what each has found.
func (x *examination) examine(ctx context.Context, say func(finding) error) (findings []finding, err error) {
	for _, step := range steps() {
		f := x.take(ctx, step)
		if ctx.Err() != nil { // what was interrupted has found nothing
			return nil, ctx.Err()
		}
		if err := say(f); err != nil {
			return nil, err
		}
		findings = append(findings, f)
	}
	return findings, nil
}

func (x *examination) take(ctx context.Context, step step) finding {
	f := skip("%s", step.needs(x))
	if f.Found == "" {
		ctx, cancel := context.WithTimeout(ctx, stepPatience)
		defer cancel()
		f = step.check(x, ctx)
	}
	f.Step = step.name
	return f
}

func (x *examination) close() {
	if x.client != nil {
		x.client.CloseIdleConnections()
	}
	if x.pool != nil {
		x.pool.Close()
	}
}
