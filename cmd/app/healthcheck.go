package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// healthLimit bounds what is read of an answer.
	healthLimit = 64 << 10

	// healthcheckTimeout is longer than /readyz waits for the database, and shorter than a container's own.
	healthcheckTimeout = 3 * time.Second
)

type healthcheckCommand struct {
	Addr string `name:"addr" envvar:"HTTP_ADDR" default:"127.0.0.1:8080" help:"Where app serve listens."`
}

func (*healthcheckCommand) Help() string {
	return `Asks a running "app serve" on this host whether it is ready, and exits 0 or 1: for a container's health check,
where there is no other program to ask with. One that is degraded, because Clerk fails or the breaker is open, is healthy:
it accepts changes, and restarting it would not help. The reasons are printed.`
}

func (c *healthcheckCommand) Run(ctx context.Context, a *app) error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return usageError{err}
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var health struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons"`
	}
	// What is no JSON is another program's, and its status says enough.
	_ = json.NewDecoder(io.LimitReader(response.Body, healthLimit)).Decode(&health)
	said := strings.Join(append([]string{health.Status}, health.Reasons...), ": ")
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s %s", response.Status, said)
	}
	_, err = fmt.Fprintln(a.stdout, said)
	return err
}
