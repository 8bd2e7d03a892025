package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/db"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	exitDrift  = 3 // app drift found some
)

const description = `Keeps the claims of Clerk's session tokens equal to what Postgres says of an organization: ` +
	`its certification tier, its compliance score and whether it is insured.

Start with "app demo": it needs no configuration and no services.`

// cli is the command line: the flags that all commands share, and the commands.
type cli struct {
	LogFormat string `name:"log-format" envvar:"LOG_FORMAT" enum:"auto,tint,json" default:"auto" help:"tint (for people), json (for machines) or auto: tint on a terminal, else json."`
	LogLevel  string `name:"log-level" envvar:"LOG_LEVEL" enum:"debug,info,warn,error" default:"info" help:"Least severe log lines shown: debug, info, warn or error."`

	Demo          demoCommand          `cmd:"" help:"Show everything live: a private PostgreSQL, a Clerk emulator, sample organizations."`
	Serve         serveCommand         `cmd:"" help:"Run API, workers and River UI."`
	Migrate       migrateCommand       `cmd:"" help:"Bring the database's tables to their newest version."`
	Import        importCommand        `cmd:"" help:"Import organizations with their facts."`
	Score         scoreCommand         `cmd:"" help:"Score snapshots of facts, without a database."`
	Recalculate   recalculateCommand   `cmd:"" help:"Calculate scores anew from the stored facts."`
	Resync        resyncCommand        `cmd:"" help:"Push organizations again that Clerk may have already."`
	Status        statusCommand        `cmd:"" help:"Say how far Clerk is in step."`
	Why           whyCommand           `cmd:"" help:"Say where one organization stands at Clerk, and why."`
	Log           logCommand           `cmd:"" help:"Show the delivery log of one organization, or what was done by hand."`
	Redrive       redriveCommand       `cmd:"" help:"Push organizations again that were given up on."`
	Drift         driftCommand         `cmd:"" help:"Compare Clerk with Postgres, and repair what differs."`
	Breaker       breakerCommand       `cmd:"" help:"Look at the circuit breaker before Clerk, open it, close it."`
	Triggers      triggersCommand      `cmd:"" help:"Notice what others than claimsync write into its tables."`
	Doctor        doctorCommand        `cmd:"" help:"Check a set-up step by step, with a remedy for each failure."`
	Satellite     satelliteCommand     `cmd:"" help:"Run an example application that decides by session tokens."`
	ClerkEmulator clerkEmulatorCommand `cmd:"" help:"Run the Clerk emulator, for trying things out."`
	Healthcheck   healthcheckCommand   `cmd:"" help:"Ask a running app serve whether it is ready."`
}

// app is what a command works with: the world as run was given it.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	logger *slog.Logger
	getenv func(string) string // for what no flag stands for: OpenTelemetry's variables
}

// usageError is a mistake in the command line or the environment.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errReported has been shown to the user in full already.
var errReported = errors.New("failed")

// errDrift has been shown in full: Clerk differs, which is neither success nor failure.
var errDrift = errors.New("drift")

// run is main without its globals. It returns the exit code.
func run(
	ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string,
) int {
	var flags cli
	helped := false
	parser, err := kong.New(&flags,
		kong.Name("app"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.PostBuild(nameEnvironment), kong.Resolvers(environment(getenv)),
		kong.Vars{"emulator_key": clerktest.DefaultSecretKey, "link_key": claimsync.DefaultLinkKey},
	)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "app:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	switch {
	case helped:
		return exitOK
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "app: %v\nSee app --help.\n", err)
		return exitUsage
	}
	a := &app{
		stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv,
		logger: newLogger(stderr, flags.LogFormat, flags.LogLevel),
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return a.exitCode(command.Run(a))
}

// exitCode reports the error, if there is one to report.
func (a *app) exitCode(err error) int {
	var misused usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReported):
		return exitFailed
	case errors.Is(err, errDrift):
		return exitDrift
	case errors.As(err, &misused):
		_, _ = fmt.Fprintf(a.stderr, "app: %v\n", err)
		return exitUsage
	case db.Code(err) == "42P01": // undefined_table
		_, _ = fmt.Fprintf(a.stderr, "app: the database has no claimsync tables yet: run app migrate\n")
		return exitFailed
	default:
		_, _ = fmt.Fprintf(a.stderr, "app: %v\n", err)
		return exitFailed
	}
}
