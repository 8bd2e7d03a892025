// Package logtest helps tests to look at what is logged.
package logtest

import (
	"strings"
	"sync"
)

// Journal is a log that may be read while it is written. The zero value is empty.
type Journal struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write appends to the log.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// String returns what was logged so far.
func (j *Journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
