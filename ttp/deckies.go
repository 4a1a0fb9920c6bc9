package ttp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listDeckies = many((*sqlitegen.Queries).ListDeckies, (*mysqlgen.Queries).ListDeckies, toDeckyCount, toDeckyCount)

// DeckyCount is the number of tags of a decky.
type DeckyCount struct {
	DeckyID   string    `json:"decky_id"`
	Count     int64     `json:"count"` // of tags
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// ListDeckies counts the tags that match f by decky, ordered by descending Count, then by ID. Tags without a decky are
// ignored. It reads the row of every matching tag.
func (s *Store) ListDeckies(ctx context.Context, f Filter) ([]DeckyCount, error) {
	const op = "list deckies"
	filter, err := f.checked()
	if err != nil {
		return nil, s.refuse(ctx, op, err)
	}
	return query(ctx, s, op, func(q queries) ([]DeckyCount, error) {
		deckies, err := listDeckies(ctx, q, args{filterArgs: filter})
		slices.SortFunc(deckies, func(a, b DeckyCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.DeckyID, b.DeckyID))
		})
		return deckies, err
	})
}

func toDeckyCount[R sqlitegen.ListDeckiesRow | mysqlgen.ListDeckiesRow](row R) DeckyCount {
	r := sqlitegen.ListDeckiesRow(row)
	return DeckyCount{r.DeckyID.String, r.Tags, toTime(r.FirstSeen), toTime(r.LastSeen)}
}
