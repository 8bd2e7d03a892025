//go:build unix

package localpg

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

const (
	tailBytes = 4096
	tailLines = 12
)

// logFile is the server's log. It can be read through the open file after the folder has gone.
type logFile struct {
	file  *os.File
	start int64 // where this start's lines begin
}

// openLog follows no symbolic link: for root, the folder belongs to somebody else.
func openLog(path string, account *account) (*logFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the server's log: %w", err)
	}
	log := &logFile{file: file}
	if info, err := file.Stat(); err == nil {
		log.start = info.Size()
	}
	return log, account.own(path)
}

func (l *logFile) close() error { return l.file.Close() }

// tail is the last lines that were logged since openLog, empty if there are none.
func (l *logFile) tail() string {
	info, err := l.file.Stat()
	if err != nil {
		return ""
	}
	from := max(l.start, info.Size()-tailBytes)
	text := make([]byte, max(0, info.Size()-from))
	n, _ := l.file.ReadAt(text, from)
	lines := strings.Split(strings.TrimSpace(string(text[:n])), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
