package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/schollz/progressbar/v3"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/internal/ndjson"
	"github.com/claimsync/claimsync/scoring"
)

const (
	// importBatch is how many organizations one transaction imports.
	importBatch = 500
	// maxProblemsShown keeps a file that is wrong throughout from flooding the terminal.
	maxProblemsShown = 20
)

type importCommand struct {
	databaseFlags
	File string `arg:"" help:"Organizations, one JSON object per line; - for standard input."`
	JSON bool   `name:"json" help:"Print the summary as JSON."`
}

func (*importCommand) Help() string {
	return `Each line is an organization with its facts: a snapshot as for "app score" without now, plus id, name and
clerk_org_id (or null). Organizations that exist are made equal to the file; lists that a line leaves out stay as they
are. Importing a file twice changes nothing the second time, and pushes nothing.

What an import changes is pushed at the lowest priority: changes that are made otherwise go first.

The whole file is checked first. If anything is wrong, the problems are listed as "line N: field: problem" and nothing
is imported. The import itself is in batches: if it is interrupted, run it again.`
}

func (c *importCommand) Run(ctx context.Context, a *app) error {
	t, err := c.openTool(ctx, a.logger)
	if err != nil {
		return err
	}
	defer t.close()
	file, err := a.openSeekable(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()

	check := importCheck{tool: t, out: a.stderr, ids: map[string]int{}, clerkOrgIDs: map[string]int{}}
	if err := a.checkFile(ctx, &check, file); err != nil {
		return err
	}
	total, err := a.importFile(ctx, t, file, len(check.ids))
	if err != nil {
		done := total.Created + total.Updated + total.Unchanged
		return fmt.Errorf("importing: %w (%d of %d organizations are in; run it again to go on)", err, done, len(check.ids))
	}
	return c.report(a.stdout, total)
}

// checkFile checks a file, and rewinds it.
func (a *app) checkFile(ctx context.Context, check *importCheck, file io.ReadSeeker) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	progress := newProgress(a.stderr, size, "Checking", progressbar.OptionShowBytes(true))
	err = check.file(ctx, io.TeeReader(file, progress))
	_ = progress.Exit()
	if err != nil {
		return err
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// importFile imports a file that has been checked, in batches.
func (a *app) importFile(ctx context.Context, t *tool, file io.Reader, organizations int) (scoring.Imported, error) {
	var total scoring.Imported
	progress := newProgress(a.stderr, int64(organizations), "Importing", progressbar.OptionShowIts())
	defer func() { _ = progress.Exit() }()
	for batch, err := range batches(decodeOrganizations(file), importBatch) {
		if err != nil {
			return total, err
		}
		var imported scoring.Imported
		err := db.Transact(ctx, t.pool, func(tx pgx.Tx) (err error) {
			imported, err = t.store.ImportTx(ctx, tx, batch, time.Time{})
			return err
		})
		if err != nil {
			return total, err
		}
		total.Created += imported.Created
		total.Updated += imported.Updated
		total.Unchanged += imported.Unchanged
		_ = progress.Add(len(batch))
	}
	return total, nil
}

func (c *importCommand) report(w io.Writer, total scoring.Imported) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(map[string]int{
			"created": total.Created, "updated": total.Updated, "unchanged": total.Unchanged,
		})
	}
	_, err := fmt.Fprintf(w, "%d created, %d updated, %d unchanged\n", total.Created, total.Updated, total.Unchanged)
	return err
}

// openSeekable opens a file that is read twice; standard input, or another stream, is copied to a temporary file first.
func (a *app) openSeekable(name string) (io.ReadSeekCloser, error) {
	input, err := a.openInput(name)
	if err != nil {
		return nil, err
	}
	if file, ok := input.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return file, nil
		}
	}
	defer func() { _ = input.Close() }()
	spool, err := os.CreateTemp("", "claimsync-import-*.ndjson")
	if err != nil {
		return nil, err
	}
	// Unlinked at once: it goes when it is closed, however the program ends.
	if err := os.Remove(spool.Name()); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	if _, err := io.Copy(spool, input); err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", name, err), spool.Close())
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

// importLine is a line of the file and the organization on it, or what is wrong with it.
type importLine struct {
	number       int
	organization scoring.OrganizationFacts
	err          error
}

// decodeOrganizations yields the lines of a file. A line that cannot be read at all is the last.
func decodeOrganizations(file io.Reader) func(yield func(importLine) bool) {
	return func(yield func(importLine) bool) {
		for line, err := range ndjson.Lines(file, scoring.MaxLineBytes) {
			decoded := importLine{number: line.Number, err: err}
			if err == nil {
				decoded.err = scoring.Decode(line.Text, &decoded.organization)
			}
			if decoded.err == nil {
				decoded.err = decoded.organization.Validate().Err()
			}
			if !yield(decoded) {
				return
			}
		}
	}
}

// batches gathers organizations, n at a time. An error is the last thing it yields.
func batches(
	lines func(yield func(importLine) bool), n int,
) func(yield func([]scoring.OrganizationFacts, error) bool) {
	return func(yield func([]scoring.OrganizationFacts, error) bool) {
		batch := make([]scoring.OrganizationFacts, 0, n)
		for line := range lines {
			if line.err != nil {
				yield(nil, fmt.Errorf("line %d: %w", line.number, line.err))
				return
			}
			if batch = append(batch, line.organization); len(batch) == n {
				if !yield(batch, nil) {
					return
				}
				batch = batch[:0]
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
