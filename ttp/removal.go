package ttp

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

// DefaultRemovalBatch is the number of tags that a purge, rollback, retention or orphan sweep looks at
// in one transaction.
const DefaultRemovalBatch = 256

// Receipt says what a removal did, in the transactions that were committed; of a dry run, what it would
// do. It comes with every error too: a removal that was interrupted finishes when it is run again, and
// the receipts of all runs add up to what one run would have returned.
type Receipt struct {
	DryRun bool `json:"dry_run"`
	// Tags is the number of tags that went, and Techniques says how many of each technique or
	// sub-technique.
	Tags       int64            `json:"tags"`
	Techniques map[string]int64 `json:"techniques,omitempty"`
	// Attackers and Identities are the numbers of scopes that went.
	Attackers  int64 `json:"attackers"`
	Identities int64 `json:"identities"`
	// ReleasedTags and ReleasedAttackers stay, without the identity that went.
	ReleasedTags      int64 `json:"released_tags"`
	ReleasedAttackers int64 `json:"released_attackers"`
	// TombstoneUUID names the tombstone that keeps the tags from coming back, if one was asked for and
	// tags went.
	TombstoneUUID uuid.UUID `json:"tombstone_uuid,omitzero"`
}

// Add adds another receipt of the same removal. The later tombstone's id stays.
func (r *Receipt) Add(other Receipt) {
	r.DryRun = r.DryRun || other.DryRun
	r.Tags += other.Tags
	for technique, n := range other.Techniques {
		if r.Techniques == nil {
			r.Techniques = map[string]int64{}
		}
		r.Techniques[technique] += n
	}
	r.Attackers += other.Attackers
	r.Identities += other.Identities
	r.ReleasedTags += other.ReleasedTags
	r.ReleasedAttackers += other.ReleasedAttackers
	if other.TombstoneUUID != uuid.Nil {
		r.TombstoneUUID = other.TombstoneUUID
	}
}

// RemovalOption changes how a removal runs.
type RemovalOption func(*removalOptions)

type removalOptions struct {
	dryRun    bool
	tombstone bool
	reason    string
	progress  func(RemovalProgress)
	batch     int
}

// DryRun changes nothing and returns the receipt that the removal would give.
func DryRun() RemovalOption {
	return func(o *removalOptions) { o.dryRun = true }
}

// WithTombstone keeps the tags that go from being written again: InsertTags answers [Tombstoned] for them
// until [Store.LiftTombstone]. The reason, at most 255 characters, may be empty.
func WithTombstone(reason string) RemovalOption {
	return func(o *removalOptions) { o.tombstone, o.reason = true, reason }
}

// RemovalProgress is how far a removal is.
type RemovalProgress struct {
	Receipt       // so far
	Looked  int64 // at so many tags
}

// OnProgress calls report after each page of tags and each transaction.
func OnProgress(report func(RemovalProgress)) RemovalOption {
	return func(o *removalOptions) { o.progress = report }
}

// BatchSize sets how many tags, 1 to [MaxPage], a removal looks at in one transaction, in place of
// [DefaultRemovalBatch]. Other writers get in between.
func BatchSize(tags int) RemovalOption {
	return func(o *removalOptions) { o.batch = tags }
}

// removal is one run.
type removal struct {
	removalOptions
	store   *Store
	op      string
	removed string // what was asked for, in a tombstone's words
	receipt Receipt
	looked  int64
	id      uuid.UUID // of its tombstone
}

// remove checks the options, and what problems the call found in its own parameters, and runs.
func (s *Store) remove(ctx context.Context, op, removed string, opts []RemovalOption, c *checker, run func(context.Context, *removal) error) (Receipt, error) {
	r := removal{store: s, op: op, removed: removed, removalOptions: removalOptions{batch: DefaultRemovalBatch}}
	for _, option := range opts {
		option(&r.removalOptions)
	}
	c.text("reason", r.reason, 255)
	c.limit("batch_size", r.batch)
	err := c.queryError()
	if err == nil {
		r.receipt.DryRun = r.dryRun
		if r.id, err = uuid.NewV7(); err == nil {
			err = run(ctx, &r)
		}
	}
	return r.receipt, s.fail(ctx, op, err)
}

// commit runs one transaction and adds what it did to the receipt.
func (r *removal) commit(ctx context.Context, write func(queries) (Receipt, error)) error {
	done, err := transact(ctx, r.store, write)
	if err == nil {
		r.did(done)
	}
	return err
}

func (r *removal) did(done Receipt) {
	r.receipt.Add(done)
	if r.progress != nil {
		report := RemovalProgress{r.receipt, r.looked}
		report.Techniques = maps.Clone(report.Techniques)
		r.progress(report)
	}
}

// pages gives the next tags at each call, and none after the last.
type pages func(context.Context) ([]Tag, error)

// fate is what becomes of the tags of a page; others stay as they are.
type fate struct{ remove, release []Tag }

// decision says what becomes of the tags of a page.
type decision func(context.Context, []Tag) (fate, error)

// each decides on page after page.
func (r *removal) each(ctx context.Context, next pages, decide decision) error {
	for {
		tags, err := next(ctx)
		if err != nil || len(tags) == 0 {
			return err
		}
		r.looked += int64(len(tags))
		f, err := decide(ctx, tags)
		if err == nil {
			err = r.apply(ctx, f)
		}
		if err != nil {
			return err
		}
	}
}

func removeAll(_ context.Context, tags []Tag) (fate, error) { return fate{remove: tags}, nil }

func (r *removal) apply(ctx context.Context, f fate) error {
	if r.dryRun || len(f.remove)+len(f.release) == 0 {
		r.did(Receipt{Tags: int64(len(f.remove)), Techniques: techniquesOf(f.remove), ReleasedTags: int64(len(f.release))})
		return nil
	}
	return r.commit(ctx, func(q queries) (Receipt, error) {
		removed, err := r.delete(ctx, q, f.remove)
		if err != nil {
			return Receipt{}, err
		}
		released, err := unchanged(ctx, q, f.release)
		if err != nil || len(released) == 0 {
			return removed, err
		}
		removed.ReleasedTags, err = q.setTagIdentities(ctx, asked{UUIDs: uuidsOf(released)})
		return removed, err
	})
}

// delete removes the tags that are still there as they were found.
func (r *removal) delete(ctx context.Context, q queries, tags []Tag) (Receipt, error) {
	tags, err := unchanged(ctx, q, tags)
	if err != nil || len(tags) == 0 {
		return Receipt{}, err
	}
	ids := uuidsOf(tags)
	done := Receipt{Techniques: techniquesOf(tags)}
	if r.tombstone {
		buried, err := q.buryTags(ctx, asked{TombstoneUUID: r.id[:], UUIDs: ids})
		if err != nil {
			return Receipt{}, err
		}
		done.TombstoneUUID = r.id
		err = q.addTombstone(ctx, Tombstone{UUID: r.id, Removed: r.removed, Reason: r.reason, CreatedAt: r.store.now(), Tags: buried})
		if err != nil {
			return Receipt{}, err
		}
	}
	done.Tags, err = q.deleteTags(ctx, asked{UUIDs: ids})
	return done, err
}

// tagAnchors are a tag's fields that a writer may change between the time it is found and the time it
// is to go: by another identity for its attacker, or by a removal and a new first write.
type tagAnchors struct{ uuid, attacker, identity, batch uuid.UUID }

func anchorsOf(t Tag) tagAnchors {
	return tagAnchors{t.UUID, t.AttackerUUID, t.IdentityUUID, t.BatchUUID}
}

// unchanged locks the tags, in uuid order as all writers do, and returns those that are as they were.
func unchanged(ctx context.Context, q queries, tags []Tag) ([]Tag, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	locked, err := q.lockTags(ctx, asked{UUIDs: uuidsOf(tags)})
	if err != nil {
		return nil, err
	}
	now := make(map[tagAnchors]bool, len(locked))
	for _, anchors := range locked {
		now[anchors] = true
	}
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return !now[anchorsOf(t)] }), nil
}

func uuidsOf(tags []Tag) [][]byte {
	ids := make([][]byte, len(tags))
	for i := range tags {
		ids[i] = tags[i].UUID[:]
	}
	slices.SortFunc(ids, bytes.Compare)
	return ids
}

func techniquesOf(tags []Tag) map[string]int64 {
	if len(tags) == 0 {
		return nil
	}
	counts := map[string]int64{}
	for _, t := range tags {
		if t.SubTechniqueID != "" {
			counts[t.SubTechniqueID]++
		} else {
			counts[t.TechniqueID]++
		}
	}
	return counts
}

// tagsOf are a scope's tags that match a filter, the newest first. Tags that are written meanwhile are
// not waited for.
func (r *removal) tagsOf(scope Scope, b bounds) pages {
	after, done := start, false
	return func(ctx context.Context) ([]Tag, error) {
		if done {
			return nil, nil
		}
		tags, err := r.store.tagPage(ctx, r.op, scope, b, after, r.batch)
		if done = len(tags) < r.batch; !done {
			after = positionOf(tags[len(tags)-1])
		}
		return tags, err
	}
}

type tagAnchorsRow interface {
	sqlitegen.LockTagsRow | mysqlgen.LockTagsRow
}

func toTagAnchors[R tagAnchorsRow](row R) tagAnchors {
	r := sqlitegen.LockTagsRow(row)
	return tagAnchors{toID(r.UUID), toID(r.AttackerUUID), toID(r.IdentityUUID), toID(r.BatchUUID)}
}
