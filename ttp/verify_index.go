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

// Rollups and lists read covering indexes only. An index is right if every tag has a matching entry and there are as
// many entries as tags.

// damage is a fault that an engine's own check reports.
type damage struct {
	kind   FindingKind
	index  string // if kind is WrongIndex
	detail string
}

// verifyTables runs the engine's own check, except in a caller's transaction, which MySQL would commit.
func (v *verifier) verifyTables(ctx context.Context) error {
	if v.store.tx != nil {
		return nil
	}
	damages, err := query(ctx, v.store, "verify", func(queries) ([]damage, error) {
		return v.store.engine.checkTables(ctx, v.store.read)
	})
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

// rebuildIndex rebuilds an index, unless the database is damaged: writing could make that worse.
func (v *verifier) rebuildIndex(ctx context.Context, q queries, name string) (bool, error) {
	if !v.intact {
		return false, nil
	}
	return v.store.engine.rebuildIndex(ctx, q.db, name)
}

// checkIndexed compares the tags from the first to the last UUID with their entries in the covering indexes.
func (v *verifier) checkIndexed(ctx context.Context, q queries, first, last uuid.UUID) ([]fault, error) {
	found, err := listMisindexedTags(ctx, q, args{First: first[:], Last: last[:]})
	var faults []fault
	for _, m := range found {
		f := Finding{Kind: WrongIndex, Of: tagType, UUID: m.tag, Detail: "has no matching entry in the index " + m.index}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			remaining, err := listMisindexedTags(ctx, q, args{First: m.tag[:], Last: m.tag[:]})
			if err != nil || !slices.Contains(remaining, m) { // the index was rebuilt for another tag
				return err == nil, err
			}
			return v.rebuildIndex(ctx, q, m.index)
		}})
	}
	return faults, err
}

// verifyIndexes compares the numbers of entries of the covering indexes with the numbers of tags.
func (v *verifier) verifyIndexes(ctx context.Context) error {
	counts, err := snapshot(ctx, v.store, "verify", func(q queries) ([][]indexCount, error) { return countIndexedTags(ctx, q, args{}) })
	if err != nil {
		return err
	}
	var faults []fault
	for _, c := range slices.Concat(counts...) {
		if c.entries != c.tags {
			f := Finding{Kind: WrongIndex, Of: "index", Detail: fmt.Sprintf("%s has %d entries for %d tags", c.index, c.entries, c.tags)}
			faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
				return v.rebuildIndex(ctx, q, c.index)
			}})
		}
	}
	return v.finish(ctx, faults)
}

// misindexed is a tag without a matching entry in an index.
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

// indexCount holds the expected and actual number of entries of an index.
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
