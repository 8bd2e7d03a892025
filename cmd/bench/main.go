// Command bench shows that the product's bounds hold: it runs the real program against a private PostgreSQL and an
// emulated Clerk, does to them what the promises are about, and prints what was seen beside what was promised.
// `bench --help` tells more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// A second signal ends it at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
