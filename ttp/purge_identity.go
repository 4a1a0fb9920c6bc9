package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	lockTagByIdentity      = many((*sqlitegen.Queries).LockTagByIdentity, (*mysqlgen.Queries).LockTagByIdentity, toID, toID)
	lockAttackerByIdentity = many((*sqlitegen.Queries).LockAttackerByIdentity, (*mysqlgen.Queries).LockAttackerByIdentity, toID, toID)
	releaseAttackers       = execRows((*sqlitegen.Queries).ReleaseAttackers, (*mysqlgen.Queries).ReleaseAttackers)
	deleteAttackers        = execRows((*sqlitegen.Queries).DeleteAttackers, (*mysqlgen.Queries).DeleteAttackers)
	lockMergeLeaves        = many((*sqlitegen.Queries).LockMergeLeaves, (*mysqlgen.Queries).LockMergeLeaves, toID, toID)
	deleteIdentities       = execRows((*sqlitegen.Queries).DeleteIdentities, (*mysqlgen.Queries).DeleteIdentities)
)

// PurgeIdentity removes an identity, all identities merged into it, and their tags without an attacker. Their attackers
// and the tags of these are kept, without an identity. Tags that are written to the identity concurrently are purged
// too.
//
// It returns [ErrConflict] if the identity is merged into another one, now or by a concurrent call: purge the survivor,
// or unmerge the identity first. Its other errors are those of [Store.PurgeAttacker].
func (s *Store) PurgeIdentity(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, about("purge identity", identity.String()), identity, opts, identityPurge.release)
}

// PurgeIdentityAndAttackers removes an identity, all identities merged into it, their attackers, and all tags of these
// scopes. It returns the same errors as [Store.PurgeIdentity].
func (s *Store) PurgeIdentityAndAttackers(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, about("purge identity and attackers", identity.String()), identity, opts, identityPurge.purge)
}

// purgeIdentity empties the identity and deletes it, and repeats both while concurrent writers add to the identity.
func (s *Store) purgeIdentity(ctx context.Context, op string, identity uuid.UUID, opts []RemovalOption,
	empty func(identityPurge, context.Context) error,
) (Receipt, error) {
	var c checker
	c.id("identity_uuid", identity)
	return s.remove(ctx, op, "", opts, &c, func(ctx context.Context, r *removal) error {
		p := identityPurge{r, identity}
		for rows, changed := r.rows(), time.Now(); ; {
			// An identity without tags and attackers must be checked too.
			err := p.run(ctx, func(q queries) (Receipt, error) { return Receipt{}, p.requireUnmerged(ctx, q) })
			if err == nil {
				err = empty(p, ctx)
			}
			if err != nil {
				return err
			}
			deleted, err := p.deleteIdentities(ctx)
			if err != nil || deleted {
				return err
			}
			if r.rows() > rows {
				rows, changed = r.rows(), time.Now()
			} else if s.tx != nil || time.Since(changed) > maxRetryTime {
				return fmt.Errorf("%w: rows that the purge cannot see reference identity %s: end your own open transactions, or run Verify",
					ErrBusy, identity)
			}
		}
	})
}

// rows returns the number of rows that the removal has changed.
func (r *removal) rows() int64 {
	return r.receipt.Tags + r.receipt.ReleasedTags + r.receipt.Attackers + r.receipt.ReleasedAttackers + r.receipt.Identities
}

// identityPurge purges an identity in many transactions. Each of them checks again which tags and attackers belong to
// the identity, since concurrent calls may change that.
type identityPurge struct {
	*removal
	identity uuid.UUID
}

// release removes the tags without an attacker, and the identity from attackers and their tags.
func (p identityPurge) release(ctx context.Context) error {
	if err := p.applyEach(ctx, p.tagsOf(ctx, OfIdentity(p.identity), filterArgs{}), p.planRelease); err != nil {
		return err
	}
	for attackers, err := range p.attackers(ctx) {
		if err == nil {
			err = p.run(ctx, func(q queries) (Receipt, error) { return p.releaseAttackers(ctx, q, attackers) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p identityPurge) planRelease(ctx context.Context, q queries, tags []Tag) (plan removalPlan, err error) {
	own, _, err := p.partition(ctx, q, tags)
	for _, t := range own {
		if t.AttackerUUID == uuid.Nil {
			plan.remove = append(plan.remove, t)
		} else if t.IdentityUUID != uuid.Nil { // others follow their attackers
			plan.release = append(plan.release, t)
		}
	}
	return plan, err
}

// releaseAttackers removes attackers, all of one member, from that member.
func (p identityPurge) releaseAttackers(ctx context.Context, q queries, attackers []Attacker) (done Receipt, err error) {
	if err := p.requireUnmerged(ctx, q); err != nil || p.dryRun {
		return Receipt{ReleasedAttackers: int64(len(attackers))}, err
	}
	ids := make([][]byte, len(attackers))
	for i := range attackers {
		ids[i] = attackers[i].UUID[:]
	}
	done.ReleasedAttackers, err = releaseAttackers(ctx, q, args{IdentityUUID: attackers[0].IdentityUUID[:], UUIDs: ids})
	return done, err
}

// purge removes the tags of the identity, and its attackers with all of their tags.
func (p identityPurge) purge(ctx context.Context) error {
	if err := p.applyEach(ctx, p.tagsOf(ctx, OfIdentity(p.identity), filterArgs{}), p.planPurge); err != nil {
		return err
	}
	for attackers, err := range p.attackers(ctx) {
		if err != nil {
			return err
		}
		for _, a := range attackers {
			if err := p.purgeAttacker(ctx, a.UUID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p identityPurge) planPurge(ctx context.Context, q queries, tags []Tag) (removalPlan, error) {
	own, _, err := p.partition(ctx, q, tags)
	return removalPlan{remove: own}, err
}

// purgeAttacker removes an attacker and its remaining tags, unless it no longer belongs to the identity.
func (p identityPurge) purgeAttacker(ctx context.Context, attacker uuid.UUID) error {
	pages := p.tagsOf(ctx, OfAttacker(attacker), filterArgs{})
	err := p.applyEach(ctx, pages, func(ctx context.Context, q queries, tags []Tag) (removalPlan, error) {
		owned, err := p.owns(ctx, q, attacker)
		if err != nil || !owned {
			return removalPlan{}, err
		}
		if p.dryRun {
			_, others, err := p.partition(ctx, q, tags) // planPurge has counted the identity's own tags
			return removalPlan{remove: others}, err
		}
		return p.removeAll(ctx, q, tags)
	})
	if err != nil {
		return err
	}
	return p.run(ctx, func(q queries) (Receipt, error) {
		owned, err := p.owns(ctx, q, attacker)
		if err != nil || !owned {
			return Receipt{}, err
		}
		return p.deleteAttacker(ctx, q, attacker)
	})
}

// requireUnmerged locks the identity and returns ErrConflict if it is merged into another one.
func (p identityPurge) requireUnmerged(ctx context.Context, q queries) error {
	read := lockIdentity
	if p.dryRun {
		read = getIdentity
	}
	stored, err := read(ctx, q, byID(p.identity))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case stored.SurvivorUUID != p.identity:
		return fmt.Errorf("%w: identity %s is merged into %s: purge that one, or unmerge this one first",
			ErrConflict, p.identity, cmp.Or(stored.MergedIntoUUID, stored.SurvivorUUID))
	}
	return nil
}

// lock locks the identity and then the attackers, the order of AssignAttackers. Tags must be locked afterwards.
func (p identityPurge) lock(ctx context.Context, q queries, attackers []uuid.UUID) (map[uuid.UUID]Attacker, error) {
	if err := p.requireUnmerged(ctx, q); err != nil {
		return nil, err
	}
	read := lockAttackers
	if p.dryRun {
		read = listAttackersByUUID
	}
	stored, err := read(ctx, q, args{UUIDs: idBytes(unique(attackers))})
	return mapByID(stored, Attacker.id), err
}

// owns locks an attacker and reports whether it belongs to the identity.
func (p identityPurge) owns(ctx context.Context, q queries, attacker uuid.UUID) (bool, error) {
	attackers, err := p.lock(ctx, q, []uuid.UUID{attacker})
	if err != nil {
		return false, err
	}
	identity := attackers[attacker].IdentityUUID
	survivors, err := survivorsOf(ctx, q, []uuid.UUID{identity})
	return survivors[identity] == p.identity, err
}

// partition locks the tags and separates those of the identity from others. Tags that are no longer stored are in
// neither part.
func (p identityPurge) partition(ctx context.Context, q queries, tags []Tag) (own, others []Tag, err error) {
	ids := make([]uuid.UUID, len(tags))
	for i, t := range tags {
		ids[i] = t.AttackerUUID
	}
	attackers, err := p.lock(ctx, q, ids)
	if err != nil {
		return nil, nil, err
	}
	if tags, err = p.current(ctx, q, tags); err != nil {
		return nil, nil, err
	}
	identities := make([]uuid.UUID, len(tags))
	for i, t := range tags {
		identities[i] = cmp.Or(t.IdentityUUID, attackers[t.AttackerUUID].IdentityUUID)
	}
	survivors, err := survivorsOf(ctx, q, identities)
	for i, t := range tags {
		if survivors[identities[i]] == p.identity {
			own = append(own, t)
		} else {
			others = append(others, t)
		}
	}
	return own, others, err
}

// attackers streams pages of the attackers of the identity, which need not be stored, and of all identities merged into
// it. All attackers of a page have the same identity.
func (p identityPurge) attackers(ctx context.Context) iter.Seq2[[]Attacker, error] {
	return func(yield func([]Attacker, error) bool) {
		merged, err := p.merged(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		members := []uuid.UUID{p.identity}
		for _, i := range merged {
			members = append(members, i.UUID)
		}
		for _, member := range unique(members) {
			for page, err := range pagesByUUID(ctx, p.removal, listAttackersByIdentity, args{IdentityUUID: member[:]}, Attacker.id) {
				if !yield(page, err) || err != nil {
					return
				}
			}
		}
	}
}

// merged returns the stored identities whose survivor is this one, including itself.
func (p identityPurge) merged(ctx context.Context) ([]Identity, error) {
	return query(ctx, p.store, p.op, func(q queries) ([]Identity, error) {
		return listIdentitiesBySurvivors(ctx, q, byID(p.identity))
	})
}

// deleteIdentities deletes the identity and all identities merged into it, leaves of the merge tree first. It returns
// false if a tag or an attacker still references one of them.
func (p identityPurge) deleteIdentities(ctx context.Context) (deleted bool, err error) {
	if p.dryRun {
		merged, err := p.merged(ctx)
		if err == nil {
			p.report(Receipt{Identities: int64(len(merged))})
		}
		return err == nil, err
	}
	for {
		more := false
		err := p.run(ctx, func(q queries) (done Receipt, err error) {
			done.Identities, deleted, err = p.deleteMergeLeaves(ctx, q)
			more = done.Identities > 0
			return done, err
		})
		if err != nil || !more {
			return deleted, err
		}
	}
}

// deleteMergeLeaves deletes a batch of leaves of the merge tree and returns their number. Without leaves, either all
// identities are deleted, or the merges are inconsistent.
func (p identityPurge) deleteMergeLeaves(ctx context.Context, q queries) (n int64, deleted bool, err error) {
	if err := lockMerges(ctx, q, args{Kind: "identity"}); err != nil {
		return 0, false, err
	}
	leaves, err := lockMergeLeaves(ctx, q, args{SurvivorUUID: p.identity[:], Limit: int64(p.batch)})
	if err != nil {
		return 0, false, err
	}
	if len(leaves) == 0 {
		_, err := lockIdentity(ctx, q, byID(p.identity))
		deleted = errors.Is(err, sql.ErrNoRows)
		switch {
		case deleted:
			err = nil
		case err == nil && p.store.tx == nil: // the snapshot of a caller's transaction may show merges that were undone since
			err = fmt.Errorf("%w: the merges into identity %s form a cycle or have another survivor: run Verify", ErrConflict, p.identity)
		}
		return 0, deleted, err
	}
	a := args{UUIDs: idBytes(leaves)}
	for _, lockReference := range []generated[[]uuid.UUID]{lockAttackerByIdentity, lockTagByIdentity} {
		if found, err := lockReference(ctx, q, a); err != nil || len(found) > 0 {
			return 0, false, err
		}
	}
	n, err = deleteIdentities(ctx, q, a)
	return n, false, err
}
