package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/clerk"
	"github.com/claimsync/claimsync/outbox"
)

// printWhy explains to people: sentences first, then figures.
func printWhy(w io.Writer, e *claimsync.Explanation) error {
	for _, paragraph := range e.InWords() {
		if _, err := fmt.Fprintf(w, "%s\n\n", wrapped(paragraph)); err != nil {
			return err
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range whyLines(e) {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", line[0], line[1])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := printClaims(w, e); err != nil {
		return err
	}
	if err := printScore(w, e); err != nil || len(e.Deliveries) == 0 {
		return err
	}
	if _, err := fmt.Fprintf(w, "\nThe last deliveries, newest first. For more:\napp log %s\n\n", whyID(e)); err != nil {
		return err
	}
	return printDeliveries(w, e.Deliveries)
}

// whyID is what the commands take.
func whyID(e *claimsync.Explanation) string {
	if e.Organization == nil {
		return e.ClerkOrgID
	}
	return e.Organization.ID
}

func whyLines(e *claimsync.Explanation) (lines [][2]string) {
	if org := e.Organization; org != nil {
		lines = append(lines, [2]string{"id", org.ID}, [2]string{"name", org.Name})
	}
	if e.ClerkOrgID != "" {
		lines = append(lines, [2]string{"Clerk id", e.ClerkOrgID})
	}
	if row := e.Row; row.DesiredVersion > 0 {
		version := fmt.Sprintf("%d wanted, %d at Clerk", row.DesiredVersion, row.SyncedVersion)
		if row.SyncedAt != nil {
			version += " since " + clock(*row.SyncedAt)
		}
		lines = append(lines, [2]string{"version", version})
	}
	if at := e.ClaimsAsOf(); at != nil {
		lines = append(lines, [2]string{"claims as of", clock(*at)})
	}
	return lines
}

// printClaims shows Postgres and Clerk side by side.
func printClaims(w io.Writer, e *claimsync.Explanation) error {
	if e.ClerkOrgID == "" {
		return nil
	}
	wanted, applied := e.Wanted(), e.Applied()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(table, "\n\tPostgres\tClerk, as last applied\t\n")
	for _, key := range clerk.Keys() {
		want, have, differs := cmp.Or(wanted[key], "-"), "not known", ""
		if applied != nil {
			have = cmp.Or(applied[key], "-")
		}
		if applied != nil && want != have {
			differs = "differs"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key, want, have, differs)
	}
	return table.Flush()
}

// printDeliveries prints a table of at most 80 columns; an error is a line of its own.
func printDeliveries(w io.Writer, deliveries []outbox.Delivery) error {
	const format = "%-14s %5s  %-11s %4s %6s  %s\n"
	_, _ = fmt.Fprintf(w, format, "time", "ver.", "outcome", "HTTP", "took", "trace id")
	for _, d := range deliveries {
		status, trace := "-", "-"
		if d.Status != nil {
			status = strconv.Itoa(int(*d.Status))
		}
		if d.TraceID != nil {
			trace = *d.TraceID
		}
		_, err := fmt.Fprintf(w, format, d.FinishedAt.Local().Format("01-02 15:04:05"), strconv.FormatInt(d.Version, 10),
			d.Outcome, status, took(d.Duration), trace)
		if err != nil {
			return err
		}
		if d.Error != nil {
			_, _ = fmt.Fprintf(w, "    %s\n", shortened(*d.Error, textWidth-4))
		}
	}
	return nil
}

// took has at most six characters for anything up to the longest delivery.
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// clock is for people.
func clock(t time.Time) string { return t.Local().Format(time.DateTime) }
