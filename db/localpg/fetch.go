//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// ErrNotFound is wrapped by Start's error if PostgreSQL is neither installed nor can be downloaded. The error is one
// line that tells what to do about it.
var ErrNotFound = errors.New("PostgreSQL not found")

const (
	fetchVersion    = embeddedpostgres.V18
	fetchRepository = "https://repo1.maven.org/maven2"
	fetchTimeout    = 3 * time.Minute
)

// findOrFetch finds installed programs, or else downloads them, once per machine and user.
func findOrFetch(ctx context.Context, logger *slog.Logger) (programs, error) {
	found, notFound := findPrograms(ctx, installedPatterns)
	if notFound == nil {
		return found, nil
	}
	if err := ctx.Err(); err != nil {
		return programs{}, fmt.Errorf("looking for PostgreSQL: %w", err)
	}
	cache, err := cacheFolder()
	if err != nil {
		return programs{}, missing(notFound, err)
	}
	logger.InfoContext(ctx, "PostgreSQL is not installed, using a downloaded one", "version", fetchVersion, "dir", cache)
	dir, err := fetch(ctx, fetchRepository, cache)
	if err != nil {
		return programs{}, missing(notFound, err)
	}
	if found, err = inspect(ctx, dir); err != nil {
		return programs{}, missing(notFound, err)
	}
	return found, nil
}

// missing is the error for a machine without PostgreSQL, in one line.
func missing(errs ...error) error {
	remedy := "apt-get install postgresql"
	if runtime.GOOS == "darwin" {
		remedy = "brew install postgresql"
	}
	reasons := strings.ReplaceAll(errors.Join(errs...).Error(), "\n", "; ")
	return fmt.Errorf("%w: install version %d or newer (%s) or set DATABASE_URL (%s)", ErrNotFound, minMajor, remedy, reasons)
}

// cacheFolder is where downloads are kept. For root it has to be a place that the server's user can reach, and where
// only root can write.
func cacheFolder() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/claimsync", nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "claimsync"), err
}

// fetch returns the bin folder of the downloaded PostgreSQL and downloads it if it is not in the cache. It takes its
// place there in one step, when it is complete: other processes may be doing the same.
func fetch(ctx context.Context, repository, cache string) (string, error) {
	home := filepath.Join(cache, fmt.Sprintf("postgresql-%s-%s-%s", fetchVersion, runtime.GOOS, runtime.GOARCH))
	bin := filepath.Join(home, "bin")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "download-")
	if err != nil {
		return "", err
	}
	unpacked, err := download(ctx, repository, work)
	if err == nil {
		err = os.Rename(unpacked, home)
	}
	if _, statErr := os.Stat(bin); statErr == nil {
		err = nil // somebody was faster, or it was us
	}
	return bin, errors.Join(err, os.RemoveAll(work))
}

// download unpacks PostgreSQL into a folder inside work. The module has no call for this alone, so its server is
// started in a folder that has a version and nothing else: that fails, after the download.
func download(ctx context.Context, repository, work string) (string, error) {
	unpacked, data := filepath.Join(work, "unpacked"), filepath.Join(work, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return "", err
	}
	major, _, _ := strings.Cut(string(fetchVersion), ".")
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major), 0o600); err != nil {
		return "", err
	}
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(fetchVersion).BinaryRepositoryURL(repository).Port(0).Logger(io.Discard).
		CachePath(work).BinariesPath(unpacked).RuntimePath(filepath.Join(work, "run")).DataPath(data))

	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	failed := make(chan error, 1) // it cannot be cancelled; it may go on after us
	go func() { failed <- server.Start() }()
	var startErr error
	select {
	case <-ctx.Done():
	case startErr = <-failed:
	}
	// Asked again, for both may have happened, and the failure then comes of nobody wanting it any more.
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("downloading PostgreSQL %s: %w", fetchVersion, err)
	}
	if _, err := os.Stat(filepath.Join(unpacked, "bin", "postgres")); err != nil {
		return "", fmt.Errorf("downloading PostgreSQL %s: %w", fetchVersion, startErr)
	}
	return unpacked, nil
}
