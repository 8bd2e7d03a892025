// Package claimsync keeps the claims of Clerk's session tokens equal to what Postgres says about an organization: its
// certification tier, its compliance score and whether it is insured.
//
// A change and the River job that announces it commit in one transaction; workers push the organization's current
// state to Clerk afterwards, at least once. See package outbox for the protocol, and ARCHITECTURE.md for the whole.
//
// This package ties the others together for an application that embeds them:
//
//	sync, err := claimsync.New(claimsync.Config{Pool: pool, Clerk: clerkClient, Logger: logger})
//	err = sync.Register(riverConfig)                             // of the application's own River client
//	client, err := river.NewClient(riverpgxv5.New(pool), riverConfig)
//	go sync.Run(ctx, jobs.NewWaker(client))
//
//	store := sync.Store(jobs.NewWaker(client))                   // and then, in a transaction of the application's:
//	org, result, err := store.RecalculateTx(ctx, tx, id, time.Time{})
//
// Clerk's own events are taken by a handler of the application's, or of package web:
//
//	verifier, err := clerk.NewWebhook(secret)                    // whsec_…
//	err = sync.Webhook(verifier, jobs.NewWaker(client)).Receive(ctx, request.Header, body)
//
// Nothing is started by making it, and nothing global is touched. examples/monolith is a whole application that does this,
// with a destination of its own beside Clerk; docs/embedding.md says what there is to decide.
package claimsync
