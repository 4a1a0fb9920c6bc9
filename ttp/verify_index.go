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
	countIndexedTags   = all((*sqlitegen.Queries).CountIndexedTags, (*mysqlgen.Queries).CountIndexedTags, toIndexCounts, toIndexCounts)
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
	damages, err := query(ctx, v.store, "verify", func(queries) ([]damage, error) { return v.store.engine.checkTables(ctx, v.store.read) })
	if err != nil {
		return err
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

// checkIndexed compares the tags from the first to the last uuid with their entries in the covering indexes.
func (v *verifier) checkIndexed(ctx context.Context, q queries, first, last uuid.UUID) ([]fault, error) {
	found, err := listMisindexedTags(ctx, q, args{First: first[:], Last: last[:]})
	var faults []fault
	for _, m := range found {
		f := Finding{Kind: WrongIndex, Of: tagType, UUID: m.tag, Detail: "the index " + m.index + " does not have it as it is stored"}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			left, err := listMisindexedTags(ctx, q, args{First: m.tag[:], Last: m.tag[:]})
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
	counts, err := snapshot(ctx, v.store, "verify", func(q queries) ([][]indexCount, error) { return countIndexedTags(ctx, q, args{}) })
	if err != nil {
		return err
	}
	var faults []fault
	for _, c := range slices.Concat(counts...) {
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

// indexCount is how many tags an index should have and how many entries it has.
type indexCount struct {
	index         string
	tags, entries int64
}

type indexCountsRow interface {
	sqlitegen.CountIndexedTagsRow | mysqlgen.CountIndexedTagsRow
}

func toIndexCounts[R indexCountsRow](row R) []indexCount {
	r := sqlitegen.CountIndexedTagsRow(row)
	return []indexCount{
		{"ttp_tag_identity", r.Identities, r.ByIdentity},
		{"ttp_tag_attacker", r.Attackers, r.ByAttacker},
		{"ttp_tag_session", r.Sessions, r.BySession},
		{"ttp_tag_observed", r.Tags, r.ByTime},
		{"ttp_tag_technique", r.Tags, r.ByTechnique},
	}
}
