// Package triggers lets others than claimsync write its tables: an admin's psql, another service, an ORM in another
// language. Its triggers are optional, and no migration makes them; `app triggers install` does. docs/foreign-writers.md is
// for whoever runs that, this is how it works.
//
// A trigger adds a row to the queue organization_change for each organization that a statement has changed, in the writer's own
// transaction. It does nothing else: it updates no row and has no foreign key to check, so it waits for nobody, nobody waits
// for it, and no deadlock can come from it. Every process that runs claimsync.Sync.Run takes what is in the queue each
// second, calculates, and marks what is to be pushed, with the priority of a change that was made by hand
// ([github.com/claimsync/claimsync/scoring.Store.RecalculateChangedTx]). What a statement writes beyond a hundred rows comes
// after everything else, as an import does.
//
// What claimsync writes itself it marks itself. Its statements say so, each for itself, by the setting claimsync.statement:
// the instant at which the statement was received. So it does not hold for what somebody else writes in the same
// transaction, as in a monolith that claimsync is embedded in.
package triggers
