package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/claimsync/claimsync/scoring"
)

type scoreCommand struct {
	File string `arg:"" optional:"" default:"-" help:"Snapshots, one JSON object per line; - or nothing: standard input."`
}

func (*scoreCommand) Help() string {
	return `Reads snapshots of an organization's facts and writes one result per line, in order. A line that cannot be
scored is reported on standard error as "line N: field: problem"; the others are scored all the same, and the exit code
is 1. Memory does not grow with the input.

  echo '{"now":"2026-11-22T00:00:00Z","certification_tier":"ACCREDITED"}' | app score`
}

func (c *scoreCommand) Run(ctx context.Context, a *app) error {
	input, err := a.openInput(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = input.Close() }()

	problems := bufio.NewWriter(a.stderr) // bad lines may be as many as good ones
	bad := 0
	err = scoring.Stream(ctx, input, a.stdout, func(line *scoring.LineError) {
		bad++
		for _, problem := range lineProblems(line.Line, line.Err) {
			_, _ = fmt.Fprintln(problems, problem)
		}
	})
	if flushErr := problems.Flush(); err == nil {
		err = flushErr
	}
	switch {
	case errors.Is(err, syscall.EPIPE): // whoever reads the results has enough
		return errReported
	case err == nil && bad > 0:
		return errReported
	default:
		return err
	}
}

// openInput opens a file, or standard input for "-".
func (a *app) openInput(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, usageError{err}
	}
	return file, nil
}

// lineProblems says what is wrong with a line of the input, each as "line N: field: problem".
func lineProblems(number int, err error) []string {
	var problems scoring.Problems
	if !errors.As(err, &problems) {
		return []string{fmt.Sprintf("line %d: %v", number, err)}
	}
	texts := make([]string, len(problems))
	for i, problem := range problems {
		texts[i] = fmt.Sprintf("line %d: %s", number, problem)
	}
	return texts
}
