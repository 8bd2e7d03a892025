// Package localpg runs a private PostgreSQL server for the demo and for tests: nothing needs to be running, only
// PostgreSQL's programs (14 or newer) need to be installed, and where they are not they are downloaded.
//
// A server belongs to the process that started it. It ends with Stop, and it ends just the same when that process
// panics, calls os.Exit or is killed with SIGKILL: a small shell process, the guard (guard.sh), stops the server and
// removes its temporary folder as soon as the pipe from its owner closes.
//
// Other users of the machine cannot connect: the server listens on 127.0.0.1 only and asks for a random password.
// PostgreSQL refuses to run as root, so for root it runs as user "postgres" or "nobody".
//
// The package is for Unix systems. Elsewhere its other files are not built, so that using it fails to compile; the
// alternative there is a server of one's own, by DATABASE_URL.
package localpg
