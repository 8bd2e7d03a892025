package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const description = `Prints the bounds that claimsync promises, beside what is seen of them on this machine. Exit code 0 if all held,
else 1.

It needs Go and PostgreSQL's server programs, no configuration and no services, and leaves nothing behind.`

// cli is the command line.
type cli struct {
	Clerk        clerkCommand        `cmd:"" help:"The bounds on budgets, outages and ambiguous answers of Clerk."`
	Stale        staleCommand        `cmd:"" help:"The bounds on what time changes, on pushing everything again, and on calculating everything anew."`
	Speed        speedCommand        `cmd:"" help:"What claimsync costs, and how fast it is, beside what one would do instead."`
	Scale        scaleCommand        `cmd:"" help:"What a process, an organization, a change and a push cost, for docs/scaling.md."`
	Plain        plainCommand        `cmd:"" hidden:"" help:"A process of those that speed compares with."`
	Housekeeping housekeepingCommand `cmd:"" help:"The bounds on how large tables get, and how slow the outbox, with a million deliveries."`
}

// terminal is where a command writes to.
type terminal struct {
	stdout io.Writer // the result
	stderr io.Writer // how it goes
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// errBroken has been shown to the user in full already.
var errBroken = errors.New("a bound did not hold")

// run is main without its globals. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var flags cli
	helped := false
	parser, err := kong.New(&flags,
		kong.Name("bench"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "bench: %v\nSee bench --help.\n", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return exitCode(command.Run(terminal{stdout: stdout, stderr: stderr}), stderr)
}

// exitCode reports the error, if there is one to report.
func exitCode(err error, stderr io.Writer) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errBroken):
		return exitFailed
	case errors.As(err, new(usageError)):
		_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitUsage
	default:
		_, _ = fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitFailed
	}
}
