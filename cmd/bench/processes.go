package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/claimsync/claimsync/clerk/clerktest"
	"github.com/claimsync/claimsync/internal/process"
)

const (
	adminToken = "token-of-the-bench"

	// startPatience is how long a process may take to start on a busy machine, and stopPatience to stop, with pushes
	// under way that hang.
	startPatience = time.Minute
	stopPatience  = 20 * time.Second

	// logShown is how much of each process's log an error shows, in bytes.
	logShown = 2000
)

// serving is a process that serves.
type serving struct {
	*process.Process
	url string // of its API, without a slash
}

// start starts the fleet's processes, and returns when all are ready.
func (f *fleet) start(ctx context.Context) error { return f.startMore(ctx, f.config.processes) }

// startMore starts so many processes, and returns when all are ready.
func (f *fleet) startMore(ctx context.Context, n int) error {
	for range n {
		p, err := process.Start(f.program, f.environment(), append([]string{"serve"}, f.config.flags...)...)
		if err != nil {
			return err
		}
		f.processes = append(f.processes, &serving{Process: p})
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for _, p := range f.processes {
		var err error
		if p.url, err = p.WaitFor(ctx, `"api":"([^"]+)/v1"`); err != nil {
			return err
		}
	}
	return nil
}

// environment is that of the processes. Of a variable that is there twice the last counts.
func (f *fleet) environment() []string {
	return append([]string{
		"DATABASE_URL=" + f.url, "HTTP_ADDR=127.0.0.1:0", "ADMIN_TOKEN=" + adminToken, "LOG_FORMAT=json",
		"CLERK_SECRET_KEY=" + clerktest.DefaultSecretKey, "CLERK_API_URL=" + f.clerk.BaseURL(),
	}, f.config.environment...)
}

// stop stops the processes gracefully, and kills those that do not. Its error is that one did not, or had ended before.
func (f *fleet) stop() (err error) {
	// Not the scenario's context: it may have ended.
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	var stopping []*serving
	for _, p := range f.processes {
		if p.Exited() {
			err = errors.Join(err, fmt.Errorf("process %d had ended by itself: %s", p.PID(), p.Ending()))
			continue
		}
		p.Signal(syscall.SIGTERM)
		stopping = append(stopping, p)
	}
	for _, p := range stopping {
		code, exitErr := p.Exit(ctx)
		switch {
		case exitErr != nil:
			p.Kill()
			err = errors.Join(err, exitErr)
		case code != 0:
			err = errors.Join(err, fmt.Errorf("process %d: %s", p.PID(), p.Ending()))
		}
	}
	if err != nil {
		err = fmt.Errorf("%w%s", err, f.logs())
	}
	f.processes = nil
	return err
}

// logs are the ends of the processes' logs, without the routine.
func (f *fleet) logs() string {
	var text strings.Builder
	for _, p := range f.processes {
		fmt.Fprintf(&text, "\nprocess %d, %s; the end of its log without the routine:\n%s",
			p.PID(), p.Ending(), p.Notable(logShown))
	}
	return text.String()
}

// get asks a process for a path, and decodes its answer if it is to go somewhere.
func (p *serving) get(ctx context.Context, path string, into any) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	request.Close = true // or a connection to a process would outlive the fleet
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if body, err = io.ReadAll(answer.Body); err == nil && into != nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil {
		err = fmt.Errorf("GET %s: %w", path, err)
	}
	return answer.StatusCode, body, err
}

// command runs a command of the program, and returns what it printed; an exit code other than 0 is an error.
func (f *fleet) command(ctx context.Context, args ...string) (string, error) {
	printed, _, err := f.measure(ctx, args...)
	return printed, err
}
