package ttp

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listMisindexedTags = many((*sqlitegen.Queries).ListMisindexedTags, (*mysqlgen.Queries).ListMisindexedTags, toMisindexed, toMisindexed)
	countIndexedTags   = all((*sqlitegen.Queries).CountIndexedTags, (*mysqlgen.Queries).CountIndexedTags, toIndexedCount, toIndexedCount)
)

// Rollups and lists answer from covering indexes without a look at the rows. Each tag that has its own entry,
// and no entry more than tags, together prove an index right.

// damage is what an engine's own check finds.
type damage struct {
	kind   FindingKind
	index  string // of a WrongIndex
	detail string
}

// verifyTables runs the engine's own check. MySQL's would commit a caller's transaction.
func (v *verifier) verifyTables(ctx context.Context) error {
	if v.store.tx != nil {
		return nil
	}
	if err := v.store.ready(ctx); err != nil {
		return v.store.fail(ctx, "verify", err)
	}
	damages, err := v.store.engine.checkTables(ctx, v.store.read)
	if err != nil {
		return v.store.fail(ctx, "verify", err)
	}
	v.intact = !slices.ContainsFunc(damages, func(d damage) bool { return d.kind == Damaged })
	var faults []fault
	for _, d := range damages {
		f := fault{Finding: Finding{Kind: d.kind, Of: "database", Detail: d.detail}}
		if d.kind == WrongIndex {
			f.repair = func(ctx context.Context, q queries) (bool, error) { return v.rebuildIndex(ctx, q, d.index) }
		}
		faults = append(faults, f)
	}
	return v.finish(ctx, faults)
}

// rebuildIndex rebuilds an index of a database that has no other damage, which writing could make worse.
func (v *verifier) rebuildIndex(ctx context.Context, q queries, name string) (bool, error) {
	if !v.intact {
		return false, nil
	}
	return v.store.engine.rebuildIndex(ctx, q.db, name)
}

// checkIndexed compares tags with their entries in the covering indexes.
func (v *verifier) checkIndexed(ctx context.Context, q queries, tags [][]byte) ([]fault, error) {
	found, err := listMisindexedTags(ctx, q, args{UUIDs: tags})
	var faults []fault
	for _, m := range found {
		f := Finding{Kind: WrongIndex, Of: tagType, UUID: m.tag, Detail: "the index " + m.index + " does not have it as it is stored"}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			left, err := listMisindexedTags(ctx, q, args{UUIDs: [][]byte{m.tag[:]}})
			if err != nil || !slices.Contains(left, m) { // the index was rebuilt for another tag
				return err == nil, err
			}
			return v.rebuildIndex(ctx, q, m.index)
		}})
	}
	return faults, err
}

// verifyIndexes compares the numbers of entries of the covering indexes with those of the tags.
func (v *verifier) verifyIndexes(ctx context.Context) error {
	counts, err := snapshot(ctx, v.store, "verify", func(q queries) ([]indexedCount, error) { return countIndexedTags(ctx, q, args{}) })
	if err != nil {
		return err
	}
	var faults []fault
	for _, c := range counts {
		if c.entries != c.tags {
			f := Finding{Kind: WrongIndex, Of: "index", Detail: fmt.Sprintf("%s has %d entries for %d tags", c.index, c.entries, c.tags)}
			faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) { return v.rebuildIndex(ctx, q, c.index) }})
		}
	}
	return v.finish(ctx, faults)
}

// misindexed is a tag of which an index has no entry that is as the row.
type misindexed struct {
	tag   uuid.UUID
	index string
}

type misindexedRow interface {
	sqlitegen.ListMisindexedTagsRow | mysqlgen.ListMisindexedTagsRow
}

func toMisindexed[R misindexedRow](row R) misindexed {
	r := sqlitegen.ListMisindexedTagsRow(row)
	return misindexed{toID(r.UUID), r.Name}
}

// indexedCount is how many tags an index should have and how many entries it has.
type indexedCount struct {
	index         string
	tags, entries int64
}

type indexedCountRow interface {
	sqlitegen.CountIndexedTagsRow | mysqlgen.CountIndexedTagsRow
}

func toIndexedCount[R indexedCountRow](row R) indexedCount {
	r := sqlitegen.CountIndexedTagsRow(row)
	return indexedCount{r.Name, r.Tags, r.Entries}
}
