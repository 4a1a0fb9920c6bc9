package ttp

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	lockTags   = many((*sqlitegen.Queries).LockTags, (*mysqlgen.Queries).LockTags, toLockedTag, toLockedTag)
	deleteTags = execRows((*sqlitegen.Queries).DeleteTags, (*mysqlgen.Queries).DeleteTags)
)

// DefaultRemovalBatch is the default number of tags that a removal examines in one transaction.
const DefaultRemovalBatch = 256

// MaxRemovalBatch is the maximum [WithBatchSize]. Each tag of a batch may hold 64 KiB of evidence in memory.
const MaxRemovalBatch = 1000

// Receipt counts the changes of a removal's committed transactions, or those that a dry run would make. It is valid
// alongside an error: run an interrupted removal again, and the receipts of all runs add up ([Receipt.Add]) to that
// of a single run, except that after [ErrUnknownOutcome] the last transaction may be committed without being counted.
// Inside the caller's transaction ([Store.WithTx]), all changes depend on the caller's commit.
type Receipt struct {
	DryRun bool `json:"dry_run"`
	// Tags is the number of removed tags, and Techniques splits it by technique or sub-technique ID.
	Tags       int64            `json:"tags"`
	Techniques map[string]int64 `json:"techniques,omitempty"`
	// TechniqueNames holds the names of Techniques, each from the release of one of the removed tags.
	TechniqueNames map[string]Names `json:"technique_names,omitempty"`
	// Attackers, Identities and Campaigns are the numbers of removed scopes.
	Attackers  int64 `json:"attackers"`
	Identities int64 `json:"identities"`
	Campaigns  int64 `json:"campaigns,omitempty"` // removed only by PurgeAll
	// ReleasedTags and ReleasedAttackers are the numbers of rows that lost their identity but were kept.
	ReleasedTags      int64 `json:"released_tags"`
	ReleasedAttackers int64 `json:"released_attackers"`
	// TombstoneUUID identifies the tombstone of the removed tags. It is set with [WithTombstone] if any tag was
	// removed.
	TombstoneUUID uuid.UUID `json:"tombstone_uuid,omitzero"`
}

// Add adds a later receipt of the same removal. Each run has its own tombstone; Add keeps the UUID of the later one.
func (r *Receipt) Add(other Receipt) {
	r.DryRun = r.DryRun || other.DryRun
	r.Tags += other.Tags
	for technique, n := range other.Techniques {
		if r.Techniques == nil {
			r.Techniques = map[string]int64{}
		}
		r.Techniques[technique] += n
	}
	if len(other.TechniqueNames) > 0 {
		names := maps.Clone(other.TechniqueNames)
		maps.Copy(names, r.TechniqueNames)
		r.TechniqueNames = names
	}
	r.Attackers += other.Attackers
	r.Identities += other.Identities
	r.Campaigns += other.Campaigns
	r.ReleasedTags += other.ReleasedTags
	r.ReleasedAttackers += other.ReleasedAttackers
	if other.TombstoneUUID != uuid.Nil {
		r.TombstoneUUID = other.TombstoneUUID
	}
}

// RemovalOption configures a removal.
type RemovalOption func(*removalOptions)

type removalOptions struct {
	dryRun    bool
	tombstone bool
	reason    string
	progress  func(RemovalProgress)
	batch     int
}

// DryRun returns the receipt of a removal without changing anything.
func DryRun() RemovalOption {
	return func(o *removalOptions) { o.dryRun = true }
}

// WithTombstone prevents removed tags from being written again: [Store.InsertTags] returns [Tombstoned] for them until
// [Store.LiftTombstone] is called. The optional reason has at most 255 characters.
func WithTombstone(reason string) RemovalOption {
	return func(o *removalOptions) { o.tombstone, o.reason = true, reason }
}

// RemovalProgress is the progress of a removal.
type RemovalProgress struct {
	Receipt        // so far
	Examined int64 // number of tags that were read
}

// WithProgress calls report after each page of tags and after each transaction.
func WithProgress(report func(RemovalProgress)) RemovalOption {
	return func(o *removalOptions) { o.progress = report }
}

// WithBatchSize sets the number of tags, from 1 to [MaxRemovalBatch], that a removal examines in one transaction. The
// default is [DefaultRemovalBatch]. Other writers proceed between transactions.
func WithBatchSize(tags int) RemovalOption {
	return func(o *removalOptions) { o.batch = tags }
}

// removal is the state of one run.
type removal struct {
	removalOptions
	store    *Store
	op       string
	removed  string // description of the operation in its tombstone
	receipt  Receipt
	examined int64
	id       uuid.UUID // of its tombstone
	names    *catalogue
}

// remove checks the options, in addition to the problems that c holds already, and runs the removal.
func (s *Store) remove(ctx context.Context, op, what string, opts []RemovalOption, c *checker,
	run func(context.Context, *removal) error,
) (Receipt, error) {
	r := removal{
		store: s, op: op, removed: strings.TrimSpace(textOf(op) + " " + what), removalOptions: removalOptions{batch: DefaultRemovalBatch},
	}
	for _, option := range opts {
		option(&r.removalOptions)
	}
	c.text("reason", r.reason, 255)
	if r.batch < 1 || r.batch > MaxRemovalBatch {
		c.refuse("batch_size", "must be from 1 to "+strconv.Itoa(MaxRemovalBatch))
	}
	err := c.queryError()
	if err != nil {
		return r.receipt, s.refuse(ctx, op, err)
	}
	if r.names, err = s.names(ctx, op); err == nil {
		r.receipt.DryRun = r.dryRun
		if r.id, err = uuid.NewV7(); err == nil {
			err = run(ctx, &r)
		}
		if err == nil && !r.dryRun {
			err = s.recount(ctx)
		}
	}
	return r.receipt, s.fail(ctx, op, err)
}

// run runs work in one transaction, or in a snapshot for a dry run, and adds its receipt.
func (r *removal) run(ctx context.Context, work func(queries) (Receipt, error)) (err error) {
	var done Receipt
	if r.dryRun {
		done, err = snapshot(ctx, r.store, r.op, work)
	} else {
		done, err = update(ctx, r.store, r.op, work)
	}
	if err == nil {
		r.report(done)
	}
	return err
}

// report adds a receipt and calls the progress function.
func (r *removal) report(done Receipt) {
	r.receipt.Add(done)
	if r.progress != nil {
		progress := RemovalProgress{r.receipt, r.examined}
		progress.Techniques = maps.Clone(progress.Techniques)
		r.progress(progress)
	}
}

// removalPlan holds the tags of a page to remove and to release. Others stay unchanged.
type removalPlan struct{ remove, release []Tag }

// planner returns the plan for a page of tags. It runs inside the transaction that applies the plan, and locks and
// rereads the tags.
type planner func(ctx context.Context, q queries, tags []Tag) (removalPlan, error)

// applyEach plans and applies the removal of each page.
func (r *removal) applyEach(ctx context.Context, pages iter.Seq2[[]Tag, error], plan planner) error {
	for tags, err := range pages {
		if err != nil {
			return err
		}
		r.examined += int64(len(tags))
		if err := r.apply(ctx, tags, plan); err != nil {
			return err
		}
	}
	return nil
}

func (r *removal) apply(ctx context.Context, tags []Tag, plan planner) error {
	return r.run(ctx, func(q queries) (Receipt, error) {
		planned, err := plan(ctx, q, tags)
		if err != nil {
			return Receipt{}, err
		}
		done := Receipt{
			Tags: int64(len(planned.remove)), ReleasedTags: int64(len(planned.release)),
			Techniques: techniquesOf(planned.remove), TechniqueNames: r.names.nameTechniques(planned.remove),
		}
		if r.dryRun {
			return done, nil
		}
		if len(planned.release) > 0 {
			if _, err := setTagIdentities(ctx, q, args{UUIDs: uuidsOf(planned.release)}); err != nil {
				return Receipt{}, err
			}
		}
		if len(planned.remove) > 0 {
			done.TombstoneUUID, err = r.delete(ctx, q, planned.remove)
		}
		return done, err
	})
}

// removeAll is the planner that removes all tags of a page.
func (r *removal) removeAll(ctx context.Context, q queries, tags []Tag) (removalPlan, error) {
	tags, err := r.current(ctx, q, tags)
	return removalPlan{remove: tags}, err
}

// current locks the tags in UUID order, like all writers, and returns the remaining ones with their current identity.
// A tag that was removed and written again since is not the same tag.
func (r *removal) current(ctx context.Context, q queries, tags []Tag) ([]Tag, error) {
	if r.dryRun {
		return tags, nil
	}
	return lockCurrentTags(ctx, q, tags)
}

func lockCurrentTags(ctx context.Context, q queries, tags []Tag) ([]Tag, error) {
	locked, err := inShardOrder(ctx, q, lockTags, uuidsOf(tags))
	if err != nil {
		return nil, err
	}
	identities := make(map[tagVersion]uuid.UUID, len(locked))
	for _, l := range locked {
		identities[l.tagVersion] = l.identity
	}
	var left []Tag
	for _, t := range tags {
		if identity, ok := identities[tagVersion{t.UUID, t.AttackerUUID, t.BatchUUID}]; ok {
			t.IdentityUUID = identity
			left = append(left, t)
		}
	}
	return left, nil
}

// delete deletes locked tags and returns the UUID of their tombstone, if any.
func (r *removal) delete(ctx context.Context, q queries, tags []Tag) (tombstone uuid.UUID, err error) {
	if r.tombstone {
		tombstone = r.id
		n, err := tombstoneTags(ctx, q, args{TombstoneUUID: r.id[:], UUIDs: uuidsOf(tags)})
		if err != nil {
			return uuid.Nil, err
		}
		err = addTombstone(ctx, q, args{
			UUID: r.id[:], Removed: r.removed, Reason: nullText(r.reason), CreatedAt: r.store.now().UnixMicro(), Tags: n,
		})
		if err != nil {
			return uuid.Nil, err
		}
	}
	return tombstone, deleteCountedTags(ctx, q, tags)
}

// deleteCountedTags deletes locked tags and then subtracts them from the fleet's counts, for which all writers
// contend.
func deleteCountedTags(ctx context.Context, q queries, tags []Tag) error {
	if _, err := deleteTags(ctx, q, args{UUIDs: uuidsOf(tags)}); err != nil {
		return err
	}
	deleted := make([]*Tag, len(tags))
	for i := range tags {
		deleted[i] = &tags[i]
	}
	_, err := q.addTechniqueCounts(ctx, q.db, countsOf(deleted, -1), always)
	return err
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

// tagsOf streams pages of a scope's tags that match the filter, newest first. It ignores tags that are written
// concurrently.
func (r *removal) tagsOf(ctx context.Context, scope Scope, filter filterArgs) iter.Seq2[[]Tag, error] {
	return pages(func(after position) ([]Tag, error) {
		return r.store.tagPage(ctx, r.op, scope, filter, after, r.batch)
	}, r.batch, start, positionOf)
}

// pagesByUUID streams the pages of a query in UUID order.
func pagesByUUID[T any](ctx context.Context, r *removal, read generated[[]T], a args, id func(T) uuid.UUID) iter.Seq2[
	[]T, error,
] {
	return pages(func(after uuid.UUID) ([]T, error) {
		a.After, a.Limit = after[:], int64(r.batch)
		return query(ctx, r.store, r.op, func(q queries) ([]T, error) { return read(ctx, q, a) })
	}, r.batch, uuid.Nil, id)
}

// tagVersion identifies a tag as written once: a tag that is removed and written again is another version.
type tagVersion struct{ uuid, attacker, batch uuid.UUID }

type lockedTag struct {
	tagVersion
	identity uuid.UUID
}

type lockedTagRow interface {
	sqlitegen.LockTagsRow | mysqlgen.LockTagsRow
}

func toLockedTag[R lockedTagRow](row R) lockedTag {
	r := sqlitegen.LockTagsRow(row)
	return lockedTag{tagVersion{toID(r.UUID), toID(r.AttackerUUID), toID(r.BatchUUID)}, toID(r.IdentityUUID)}
}
