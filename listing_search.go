package claimsync

import (
	"context"
	"strings"

	"github.com/claimsync/claimsync/db/dbsqlc"
)

const (
	// idsEnd is after every character that an id may have.
	idsEnd = "\x7f"
	// searchNear is among how many organizations one that is looked for is first looked for, for each that is wanted.
	searchNear = 20
)

// searchAfter walks a little way first: where that finds enough, what is looked for is frequent, and to find all of it by the
// index would take long. Where it does not, it is rare enough for that.
func (s *Sync) searchAfter(ctx context.Context, from Cursor, maxRows int32) ([]Listed, error) {
	queries, pool := dbsqlc.New(), s.jobs.Pool
	params := dbsqlc.OrganizationSearchParams{
		Topic: Topic, AfterID: from.After, MaxRows: maxRows,
		Prefix: from.Search, PrefixEnd: from.Search + idsEnd, Words: wordBeginnings(from.Search),
	}
	near, err := queries.OrganizationSearchNear(ctx, pool, dbsqlc.OrganizationSearchNearParams{
		Topic: params.Topic, AfterID: params.AfterID, MaxRows: maxRows, Near: searchNear * maxRows,
		Prefix: params.Prefix, PrefixEnd: params.PrefixEnd, Words: params.Words,
	})
	if err != nil || len(near) == int(maxRows) {
		return listedOf(near, err, func(row dbsqlc.OrganizationSearchNearRow) listedRow { return listedRow(row) })
	}
	rows, err := queries.OrganizationSearch(ctx, pool, params)
	return listedOf(rows, err, func(row dbsqlc.OrganizationSearchRow) listedRow { return listedRow(row) })
}

// wordBeginnings is the text as to_tsquery takes it: each word quoted, so that none of it is an operator.
func wordBeginnings(text string) string {
	words := strings.Fields(text)
	quote := strings.NewReplacer(`'`, `''`, `\`, `\\`)
	for i, word := range words {
		words[i] = "'" + quote.Replace(word) + "':*"
	}
	return strings.Join(words, " & ")
}
