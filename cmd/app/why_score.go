package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/scoring"
)

// printScore says how the score comes about, a paragraph each: parts, tier, the next change, issues.
func printScore(w io.Writer, e *claimsync.Explanation) error {
	org := e.Organization
	if org == nil {
		return nil
	}
	if org.Score == nil || e.Result == nil {
		return printParagraphs(w, []string{"", "The score was not calculated yet."})
	}
	said := []string{"", fmt.Sprintf("The score is %d, calculated at %s: %s.", org.Score.Overall, clock(org.Score.CalculatedAt),
		partsInWords(&e.Result.Breakdown))}
	said = append(said, eligibilityInWords(e.Result.TierEligibility))
	if due := org.Score.RecalculateAt; !due.IsZero() {
		said = append(said, "By the passing of time alone it changes at "+clock(due)+".")
	}
	if err := printParagraphs(w, said); err != nil || len(e.Result.Issues) == 0 {
		return err
	}
	return printIssues(w, e.Result.Issues)
}

func partsInWords(b *scoring.Breakdown) string {
	part := func(name string, score int, weight float64) string {
		return fmt.Sprintf("%s %d (%.0f %%)", name, score, math.Round(100*weight))
	}
	return strings.Join([]string{
		part("documentation", b.Documentation.Score, b.Documentation.Weight),
		part("insurance", b.Insurance.Score, b.Insurance.Weight),
		part("personnel", b.Personnel.Score, b.Personnel.Weight),
		part("audit", b.Audit.Score, b.Audit.Weight),
	}, ", ")
}

func eligibilityInWords(t scoring.TierEligibility) string {
	switch {
	case t.NextTier == nil:
		return fmt.Sprintf("The tier is %s, the highest.", t.CurrentTier)
	case t.EligibleForUpgrade:
		return fmt.Sprintf("The tier is %s; it is eligible for %s.", t.CurrentTier, t.NextTier)
	default:
		return fmt.Sprintf("The tier is %s; in the way of %s: %d.", t.CurrentTier, t.NextTier, t.BlockerCount)
	}
}

// printIssues prints a line of at most 80 columns each.
func printIssues(w io.Writer, issues []scoring.Issue) error {
	if _, err := fmt.Fprint(w, "\nIssues:\n\n"); err != nil {
		return err
	}
	for _, issue := range issues {
		line := fmt.Sprintf("%-8s  %-13s  %s", issue.Severity, issue.Category, issue.Message)
		if _, err := fmt.Fprintln(w, issueLine(line)); err != nil {
			return err
		}
	}
	return nil
}

// issueLine keeps the columns, which shortened would not.
func issueLine(line string) string {
	if characters := []rune(printable(line)); len(characters) > textWidth {
		return string(characters[:textWidth-1]) + "…"
	}
	return printable(line)
}
