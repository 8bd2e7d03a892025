package main

import (
	"context"
	"fmt"
	"io"

	"github.com/claimsync/claimsync/db/dbsqlc"
	"github.com/claimsync/claimsync/scoring"
)

// importCheck finds everything that keeps a file from being imported, before anything is.
type importCheck struct {
	tool        *tool
	out         io.Writer
	problems    int
	ids         map[string]int // the line of each id
	clerkOrgIDs map[string]int // the line of each Clerk id

	// The links of the latest lines, to be compared with the database's.
	links []link
}

type link struct {
	line           int
	id, clerkOrgID string
}

// file checks every line, and writes what is wrong. Returns errReported if something is.
func (c *importCheck) file(ctx context.Context, file io.Reader) error {
	for line := range decodeOrganizations(file) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if line.err != nil {
			c.report(lineProblems(line.number, line.err)...)
			continue
		}
		c.organization(line.number, &line.organization)
		if len(c.links) >= importBatch {
			if err := c.checkLinks(ctx); err != nil {
				return err
			}
		}
	}
	if err := c.checkLinks(ctx); err != nil {
		return err
	}
	if c.problems == 0 {
		return nil
	}
	if hidden := c.problems - maxProblemsShown; hidden > 0 {
		_, _ = fmt.Fprintf(c.out, "and %d more\n", hidden)
	}
	_, _ = fmt.Fprintf(c.out, "Nothing was imported.\n")
	return errReported
}

// organization checks what one line may not have in common with another.
func (c *importCheck) organization(line int, org *scoring.OrganizationFacts) {
	if first, repeated := c.ids[org.ID]; repeated {
		c.report(fmt.Sprintf("line %d: id: %s is also on line %d", line, org.ID, first))
		return
	}
	c.ids[org.ID] = line
	if org.ClerkOrgID == nil {
		return
	}
	if first, repeated := c.clerkOrgIDs[*org.ClerkOrgID]; repeated {
		c.report(fmt.Sprintf("line %d: clerk_org_id: %s is also on line %d", line, *org.ClerkOrgID, first))
		return
	}
	c.clerkOrgIDs[*org.ClerkOrgID] = line
	c.links = append(c.links, link{line, org.ID, *org.ClerkOrgID})
}

// checkLinks finds Clerk organizations that are linked to other organizations in the database.
func (c *importCheck) checkLinks(ctx context.Context) error {
	clerkOrgIDs := make([]string, len(c.links))
	for i, link := range c.links {
		clerkOrgIDs[i] = link.clerkOrgID
	}
	rows, err := dbsqlc.New().OrganizationListByClerkID(ctx, c.tool.pool, clerkOrgIDs)
	if err != nil {
		return fmt.Errorf("looking up Clerk ids: %w", err)
	}
	linked := make(map[string]string, len(rows))
	for _, row := range rows {
		linked[row.ClerkOrgID] = row.ID
	}
	for _, link := range c.links {
		if id, taken := linked[link.clerkOrgID]; taken && id != link.id {
			c.report(fmt.Sprintf("line %d: clerk_org_id: %s is linked to organization %s", link.line, link.clerkOrgID, id))
		}
	}
	c.links = c.links[:0]
	return nil
}

func (c *importCheck) report(problems ...string) {
	for _, problem := range problems {
		if c.problems++; c.problems <= maxProblemsShown {
			_, _ = fmt.Fprintln(c.out, problem)
		}
	}
}
