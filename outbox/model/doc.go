// Package model is an executable model of the outbox's protocol, explored exhaustively by its tests: within its bounds,
// every order of the steps of callers, workers, sweep, network and faults. It has no part in the program.
//
// Package outbox tells the protocol. Here a state is a small comparable value, and a step a function with a guard and
// an effect. The tests visit every reachable state breadth first, check the properties in properties.go in each, and
// print the shortest way to a violation, one step a line. To see that the properties can fail, they also explore
// mutants, wrong protocols that each have to violate a certain one:
//
//	go test ./outbox/model                      the everyday bounds: seconds
//	go test ./outbox/model -v -run Mutants      what each mutant does, step by step
//	go test ./outbox/model -run Protocol -deep  larger bounds: minutes, and gigabytes
//
// # Steps
//
//	Begin, Mark, Rollback        MarkTx in a caller's transaction: OutboxMark; Mark is its commit
//	Fetch, Finish                River gives a job to a worker; records what it returned, some time later
//	Claim                        Outbox.Claim: OutboxClaim, and what deliveryWorker.Work does about the verdict
//	Read, Send, Apply, Answer    Destination.Deliver reads the state, sends it; it is applied; the answer arrives
//	AnswerBusy, AnswerRefused    the failures that are not InDoubt: those to be tried again; Park
//	Timeout                      those that are InDoubt, if a request is in the network
//	Acknowledge, Release, Park   AcknowledgeTx, ParkTx, each with the job's completion; Release
//	RecordFenced                 RecordFenced, after ErrLeaseLost
//	ReadBack, Verify             Destination.Verify; VerifyTx with the job's completion
//	Sweep                        Outbox.Sweep for one row: OutboxSweep or OutboxSweepUnverified, OutboxWake
//	Due, VerifyDue,              time passes: not_before, verify_at, the last verify_at, lease_expires_at if its worker
//	LastVerifyDue, Expire, Age   is dead, and a lease's time since attempted_at of its job
//	Land, Vanish                 what becomes of a request that was given up on
//	Stall, AgeHeld               a living worker stands still until its lease, or a lease's time for its job, is over
//	Crash, ResultLost            a process is killed; a result cannot be recorded, and River retries the job
//	DeleteJob, RetryJob          by hand; or River discards it, or rescues it
//	MarkLate, CallerDies,        of mutants only
//	Complete
//
// # Convergence
//
// Steps that happen sooner or later if nobody changes anything and nothing fails are progress. That every run of them
// converges is shown by two checks: a state without progress is converged, and progress has no cycles. So every run
// ends, and ends well, in whatever order the steps are taken; no fairness is assumed, which would be another thing to
// argue.
//
// # What is left out
//
//   - Time. Whatever needs time to pass may happen at once or much later. A lease can expire only for a worker that was
//     killed or stalled, since a delivery's deadline is shorter; and what depends on lengths of time is not seen: the
//     delays, the budget, blocks, the breaker, how soon the sweep comes.
//   - Waiting. A job that would be told to wait is not fetched, and a claim that waits for the row's lock is one that
//     comes later. Both would change nothing, and make for cycles.
//   - The series of verifications is one that may come, and the last one. Each of those in between is like the first.
//   - A verification compares what the destination has with the committed state in one step, and by the state alone:
//     two pushes of one state are the same. The real one tells them apart by version, and then pushes once more.
//   - A version is the number of the state that it stands for. A repair takes synced_version back by one instead of
//     desired_version forward: only whether they differ counts.
//   - Probes, which are claims without a job, and the job that a mark inserts where the row's is less urgent: one more
//     that looks at the row.
//   - Of River: priorities, attempts, schedules, its leader. A running job that nobody is at is one of a dead worker.
//
// States that differ only in the numbers of workers and jobs are explored once. That this leaves nothing out is tested.
//
// # Bounds
//
// Two keys, two workers, two or three changes per key, and in everything together one or two answers that are no
// confirmation and one or two disruptions, in any combination and at any time; the tests name the exact numbers. Keys
// meet in the workers only, so most is found with one.
//
// # What remains to be argued
//
// That more of the same brings nothing new. That the statements do in one step what a step here does, under
// concurrency: the row's lock, and the tests of the packages outbox and jobs. That the sweep is one step, though it
// reads jobs as they were when the statement began. That Deliver returns an error that is no Failure only if nothing
// was sent.
//
// Two assumptions are about the world. The tests show what happens without either:
//
//   - A request that was given up on lands before the last verification, or never.
//   - A process that stood still between reading and sending for even longer, and sends nevertheless, lives to record
//     that its result was fenced. Nothing in the database can know of a request that is not sent yet.
package model
