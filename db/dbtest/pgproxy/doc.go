// Package pgproxy stands between a program and PostgreSQL and breaks their traffic at an exact step of the protocol: a
// test can kill the program after the server committed and before the program knows.
//
//	proxy, err := pgproxy.Start(dbtest.URL(t))
//	defer proxy.Close()
//	program := startProgram(t, "DATABASE_URL="+proxy.URL())
//
//	committed := proxy.BreakAfter("^commit$", pgproxy.Answering("COMMIT"))
//	// … make the program do something …
//	if err := committed.Wait(ctx); err != nil {
//		t.Fatal(err)
//	}
//	program.Kill()
//	committed.Sever()
//
// Statements are told apart by their text: regular expressions, case-sensitive and unanchored, are matched against the
// SQL as the program sends it. sqlc and River start theirs with a comment like "-- name: OutboxClaim :one"; pgx commits
// with "commit". An invalid expression panics, as a mistake in the test.
//
// A statement is met when it is executed: at its Query message (which may hold several statements), or, in the extended
// protocol, at its Bind. Preparing it is neither held nor counted. Every program under test gets a proxy of its own, so
// that it is clear whose statements are met.
//
// Breakpoints hold one direction of one connection, and know nothing of the program's end: if it is killed while a
// commit of its is held before the server, Release still delivers that commit, as a network might, and Sever does not.
// PostgreSQL notices a severed connection when it next reads from it or writes to it: what it then rolls back is to be
// waited for.
//
// # Limits
//
// The proxy speaks plain TCP to the server, and declines TLS and GSS encryption. Only the first 32 KiB of a message are
// looked at. An answer that is held must not exceed 64 MiB. Not understood, and so not to be broken at: SQL-level
// EXECUTE and DECLARE (their text is what is matched), COPY in the extended protocol, and clients that wait for an
// answer after Flush rather than Sync, whose answer BreakAfter would hold without ever being hit. Cancel requests pass,
// whatever is held.
package pgproxy
