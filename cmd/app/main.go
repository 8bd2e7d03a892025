// Command app is claimsync as a program: the monolith that calculates scores and keeps Clerk in step, the tools around
// it, and a demo of both. `app --help` tells more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx := untilSignal()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM, which asks for a graceful stop. Before it
// does, signals get their usual effect back: whoever sees the stop begin can end it at once with a second one.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}
