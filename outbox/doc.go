// Package outbox is a transactional outbox for state: it makes a destination follow the latest committed state of many
// keys. It is the durable version of a reconciler's work queue: level-triggered, coalescing, one writer per key. It
// knows neither Clerk nor scores; a topic's [Destination] does.
//
// # Protocol
//
// Rows are truth, jobs are wake-ups. One row per (topic, key) holds the version that is wanted and the version that is
// synced; a River job only says "look at this row", so that a lost, repeated or late job does no harm.
//
//  1. Mark, in the caller's transaction: desired_version+1, and a job for the rows that have none, all in one statement. The
//     row's lock orders marks among themselves and against acknowledgements, so versions are in commit order.
//  2. Claim, by a worker: takes the row's lease if it is dirty, not parked, due and not leased; gives a token and the
//     version. [Outbox.ClaimEach] does so for several rows at once.
//  3. Deliver, with no transaction open: the destination reads the current state, which is never older than the claimed
//     version, and pushes it under a deadline shorter than the lease.
//  4. Acknowledge, in one transaction with the job's completion: the version is synced, if the token still holds the
//     lease. A row marked meanwhile gets its next job in the same transaction. Those that were not may be acknowledged
//     together ([Outbox.AcknowledgeEach]). After a failure the lease is released ([Decide] says what follows), or the row
//     parked.
//  5. Sweep, by some process every second, unless nobody may call: a row that is due and has neither a live lease nor a
//     live job gets a new job, as urgent as what is to be delivered. So a deleted job, a dead process or a foreign writer
//     costs seconds, not an update.
//  6. Verify. A push without an answer, or by a holder of a lost lease, may land after a newer one. Such a row is in
//     doubt: once it is synced, the destination is read back, at growing intervals until nothing can land any more, and
//     the current state pushed again over whatever has. So is a row that somebody saw to differ at the destination
//     ([Outbox.SuspectTx]), once; but not one that had to be pushed over several times today already: most likely
//     somebody else writes it too, which is reported and not fought.
//
// Locks are taken in one order everywhere: outbox row, then destination, then job. Leases and delays are measured by the
// database's clock.
//
// # Control
//
// A destination has one row, by which the whole fleet calls it as one:
//
//   - Its budget ([Budget], [Outbox.Reserve]) is a generic cell rate algorithm: each call has a slot, and slots are evenly
//     spaced, so that in no window there are more calls than the share of the limit that is ours. Each key has a budget of
//     its own, which a claim spends. What is more urgent ([Priority]) is served first.
//   - Told to wait, nobody calls until then ([Outbox.Block]); and if that was for calling too often ([Outbox.Throttle]),
//     others use the limit too, and the budget is made smaller for a while.
//   - Its breaker opens on evidence that cannot be one key's own fault ([Outbox.Blame]): different keys that fail in a row, or
//     a refusal that would meet every key. Open, nobody claims anything, and the queue of the jobs is paused, but
//     one probe at a time ([Outbox.ProbeBegin]), a push of one key; the first that shows the destination to work closes it
//     ([Outbox.Acquit]). A person can open and close it too ([Outbox.Open], [Outbox.Close]).
//
// [Decide] says what follows each kind of failure for its key, in one table.
//
// # Announcements
//
// Workers are told of a job by a NOTIFY, in its transaction if the process has not sent one lately, else by [Outbox.Announce],
// soon after the transaction has ended. One that is lost costs the time until the workers look by themselves.
//
// # What to build on
//
// An application with a destination of its own has [Destination], [Receipt], [Failure] with its [Action], and [Budget]; it
// marks by [Outbox.MarkTx] or [Outbox.QueueMark], with a [Priority]. To look: [Outbox.Status], [Outbox.Detail], [Outbox.Deliveries],
// [Outbox.Standing], [Outbox.Backlog], [Outbox.ParkedReasons], [Outbox.ParkedKeys]. To act: [Outbox.RedriveTx],
// [Outbox.SuspectTx], [Outbox.Open], [Outbox.Close]. These are kept, and the CHANGELOG says what becomes of them.
//
// All else is exported for the packages of this module: the steps of the protocol for package jobs, which has the only worker
// there is to be, the rest for the console, the commands and the metrics. It may change with any version.
//
// # Guarantee
//
// A committed change reaches the destination at least once, or a newer one does: intermediate versions are skipped.
// Per key at most one delivery runs at a time, and a result is accepted only from the holder of the lease. What is not
// guaranteed: exactly one push per change (a crash or an ambiguous answer repeats it, which the delivery log shows), and
// order at the destination while a push is overdue: an older state can then show for as long as it takes until the next
// verification. One that lands later than the last, about five minutes after it was given up on, stays until the next
// change; so does one of a process that was stopped before sending, sends after the last, and dies before it learns
// that its lease was lost.
//
// Package model has the protocol as an executable model, explored exhaustively for few keys, workers and versions.
package outbox
