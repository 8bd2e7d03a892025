//go:build unix

package localpg

import (
	"fmt"
	"log/slog"
	"net"
	"time"
)

const defaultStartTimeout = time.Minute

// Config says how a server runs. The zero value is a server for tests: in a temporary folder, on a free port, fast and
// not durable.
type Config struct {
	// DataDir keeps the data for the next start. It must be empty, missing, or from an earlier start with the same
	// major version of PostgreSQL. Defaults to a temporary folder, which Stop removes.
	DataDir string

	// Durable makes a commit survive a crash of the machine, as in production: what a benchmark has to measure.
	// Defaults to false: nothing waits for the disk. A crash of PostgreSQL alone loses nothing either way.
	Durable bool

	// InMemory prefers a temporary folder in memory, where there is plenty of it: copying a database then takes a tenth of
	// the time. Not for what may grow beyond some gigabytes.
	InMemory bool

	// Port is the TCP port on 127.0.0.1. Defaults to a free one.
	Port int

	// Settings are PostgreSQL's own, such as "max_connections": "300". They win over this package's, except for
	// those that say where the server listens.
	Settings map[string]string

	// Logger gets a line when the server has started, and one if it dies. The server's own log is the file
	// server.log in its folder. Defaults to none.
	Logger *slog.Logger

	// StartTimeout bounds Start, except for a download of PostgreSQL. Defaults to one minute.
	StartTimeout time.Duration

	// pickPort lets a test hand out ports that are taken.
	pickPort func() (int, error)
}

func (c Config) withDefaults() (Config, error) {
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("port %d is not between 0 (any) and 65535", c.Port)
	}
	if c.StartTimeout < 0 {
		return c, fmt.Errorf("start timeout %s is negative", c.StartTimeout)
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = defaultStartTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.pickPort == nil {
		c.pickPort = freePort
	}
	if c.Port != 0 {
		c.pickPort = func() (int, error) { return c.Port, nil }
	}
	return c, nil
}

// freePort asks the system for a port that is free now. PostgreSQL can only be told a number, so the port may be lost
// before the server has bound it; Start then tries another one.
func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// portTaken reports whether somebody holds the port.
func portTaken(port int) bool {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return true
	}
	_ = listener.Close()
	return false
}
