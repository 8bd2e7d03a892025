// Package clerk is the destination: it writes an organization's current state into its Clerk public metadata, reads it
// back, and tells where that differs from what it should be.
//
// It wraps the official SDK (github.com/clerk/clerk-sdk-go/v2) and promises what a caller who must not lose an update
// needs and the SDK alone does not give:
//
//   - success means applied: [Client.PushMetadata] returns nil only if Clerk's answer has the same organization and
//     exactly the values sent;
//   - every failure is an [*Error] whose [Action] says what to do, decided in one place (classify.go) from the real
//     HTTP status, whatever the body says;
//   - a failure that may have changed something at Clerk says so ([Error.MaybeApplied]), and one that cannot have
//     never does;
//   - neither the secret key nor metadata we sent is put into an error.
//
// It makes one attempt per call. When to try again, and how fast, is the caller's to decide: this package knows
// neither queues nor budgets.
package clerk
