// Package torture attacks the outbox: writers change organizations while processes of the real program are killed,
// stopped and cut off, Postgres crashes, River's jobs are tampered with, and Clerk fails in every way its emulator knows.
// Then a judge compares what Clerk was sent, in order, with what was committed, in order, and holds it against the
// promises P1 to P9 of the README. What breaks one is reported with the whole history of its key.
//
// It has no code outside of its tests. The short version is part of `go test ./...`; to turn it up:
//
//	go test ./torture -v -timeout 0 -run Chaos -for 1h -seed 42     # until it breaks or the hour is over
//	go test ./torture -v -timeout 30m -full                         # every scenario, at the size the README's figures are of
//
// A failure names its seed. The same seed makes the same attacks at the same times; what runs between them is up to the
// machine, so a rare race may need more than one run.
//
// The faults are made from outside of the program, by signals, a proxy before Postgres (package pgproxy), SQL, and
// Clerk's emulator: the program has no failpoints, and what is tested is what is shipped. Only what has no outside,
// a wrong clock and a wrong protocol (the mutants), is built in, by overlays of the source at build time.
package torture
