//go:build unix

package localpg

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What is in a server's folder. The password, written first, tells a folder of ours from anything else.
const (
	dataName     = "pgdata"
	newDataName  = "pgdata.new"
	passwordName = "superuser-password"
	logName      = "server.log"
)

// folder is where one server lives. It belongs to the user that the server runs as.
type folder struct {
	path      string
	temporary bool
	password  string
	log       *logFile
}

// openFolder makes a temporary folder, or opens the one that is configured.
func openFolder(config Config, account *account, major int) (*folder, error) {
	f := &folder{path: config.DataDir, temporary: config.DataDir == ""}
	var err error
	if f.temporary {
		f.path, err = makeTemporary(config.InMemory, account)
	} else {
		f.path, err = makeKept(config.DataDir, account, major)
	}
	if err != nil {
		return nil, err
	}
	if f.password, err = readOrCreatePassword(filepath.Join(f.path, passwordName), account); err != nil {
		return nil, errors.Join(err, f.close())
	}
	if f.log, err = openLog(filepath.Join(f.path, logName), account); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

// close removes a temporary folder, which the guard has done already if there was one, and ends the use of a kept one.
func (f *folder) close() error {
	var err error
	if f.log != nil {
		err = f.log.close()
	}
	if f.temporary {
		err = errors.Join(err, os.RemoveAll(f.path))
	}
	return err
}

func makeTemporary(inMemory bool, account *account) (string, error) {
	parents := slices.Compact([]string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm"})
	if memory := memoryFolder(); inMemory && memory != "" {
		parents = slices.Insert(parents, 0, memory)
	}
	var refusals []error
	for _, parent := range parents {
		path, err := makeTemporaryIn(parent, account)
		if err == nil {
			return path, nil
		}
		refusals = append(refusals, err)
	}
	return "", fmt.Errorf("no place for a temporary folder: %w", errors.Join(refusals...))
}

// makeTemporaryIn demands that the server's user can also write in parent: the guard, which is that user, has to remove
// the folder.
func makeTemporaryIn(parent string, account *account) (string, error) {
	parent, err := filepath.EvalSymlinks(parent)
	if err != nil {
		return "", err
	}
	if err := account.mayWrite(parent); err != nil {
		return "", err
	}
	path, err := os.MkdirTemp(parent, "localpg-")
	if err != nil {
		return "", err
	}
	if err := account.own(path); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// makeKept makes the folder at path, or accepts it if it is empty or from an earlier start with the same major version.
func makeKept(path string, account *account, major int) (string, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if err := account.mayReach(path); err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	if len(entries) == 0 {
		return path, account.own(path)
	}
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == passwordName }) {
		return "", fmt.Errorf("data folder %s has other contents: name an empty folder", path)
	}
	return path, checkMajor(path, major)
}

func checkMajor(path string, major int) error {
	version, err := os.ReadFile(filepath.Join(path, dataName, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return nil // its first start was cut short
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if found := strings.TrimSpace(string(version)); found != strconv.Itoa(major) {
		return fmt.Errorf("data folder %s is from PostgreSQL %s, the installed one is %d: remove it or install %s",
			path, found, major, found)
	}
	return nil
}

func readOrCreatePassword(path string, account *account) (string, error) {
	password, err := os.ReadFile(path)
	if err == nil {
		return string(bytes.TrimSpace(password)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading the server's password: %w", err)
	}
	fresh := rand.Text()
	if err := os.WriteFile(path, []byte(fresh+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing the server's password: %w", err)
	}
	return fresh, account.own(path) // initdb reads it
}
