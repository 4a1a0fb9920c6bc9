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
	lockTagNaming      = many((*sqlitegen.Queries).LockTagNaming, (*mysqlgen.Queries).LockTagNaming, toID, toID)
	lockAttackerNaming = many((*sqlitegen.Queries).LockAttackerNaming, (*mysqlgen.Queries).LockAttackerNaming, toID, toID)
	releaseAttackers   = execRows((*sqlitegen.Queries).ReleaseAttackers, (*mysqlgen.Queries).ReleaseAttackers)
	deleteAttackers    = execRows((*sqlitegen.Queries).DeleteAttackers, (*mysqlgen.Queries).DeleteAttackers)
	lockUnmergedOf     = many((*sqlitegen.Queries).LockUnmergedOf, (*mysqlgen.Queries).LockUnmergedOf, toID, toID)
	deleteIdentities   = execRows((*sqlitegen.Queries).DeleteIdentities, (*mysqlgen.Queries).DeleteIdentities)
)

// PurgeIdentity removes an identity with all that is merged into it, and their identity-rollup tags. Its
// attackers stay, without an identity, and so do their tags. While others write tags that name the identity, it
// goes on.
//
// It returns [ErrConflict] for an identity that is merged into another, also when that happens meanwhile:
// purge the survivor, or unmerge it. Otherwise it is [Store.PurgeAttacker].
func (s *Store) PurgeIdentity(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, about("purge identity", identity.String()), identity, opts, identityPurge.release)
}

// PurgeIdentityAndAttackers removes an identity with all that is merged into it, all their tags, as
// [Store.ListTechniquesByIdentity] counts them, and their attackers with all tags that these have.
// Otherwise it is [Store.PurgeIdentity].
func (s *Store) PurgeIdentityAndAttackers(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, about("purge identity and attackers", identity.String()), identity, opts, identityPurge.purge)
}

// purgeIdentity empties the identity and deletes it, again and again while others put something into it in
// between.
func (s *Store) purgeIdentity(ctx context.Context, op string, identity uuid.UUID, opts []RemovalOption, empty func(identityPurge, context.Context) error) (Receipt, error) {
	var c checker
	c.id("identity_uuid", identity)
	return s.remove(ctx, op, "", opts, &c, func(ctx context.Context, r *removal) error {
		p := identityPurge{r, identity}
		for rows, changed := r.rows(), time.Now(); ; {
			err := p.run(ctx, func(q queries) (Receipt, error) { return Receipt{}, p.requireUnmerged(ctx, q) }) // also of an empty one
			if err == nil {
				err = empty(p, ctx)
			}
			if err != nil {
				return err
			}
			done, err := p.deleteIdentities(ctx)
			if err != nil || done {
				return err
			}
			if r.rows() > rows {
				rows, changed = r.rows(), time.Now()
			} else if s.tx != nil || time.Since(changed) > maxRetryTime {
				return fmt.Errorf("%w: identity %s is named by rows that the purge does not see: roll back a transaction of your own, or run Verify", ErrBusy, identity)
			}
		}
	})
}

// rows is how many rows the removal has changed.
func (r *removal) rows() int64 {
	return r.receipt.Tags + r.receipt.ReleasedTags + r.receipt.Attackers + r.receipt.ReleasedAttackers + r.receipt.Identities
}

// identityPurge decides by whom the tags and attackers belong to, which others may change between its
// transactions: so each of them looks again.
type identityPurge struct {
	*removal
	identity uuid.UUID
}

// release parts the identity from its attackers and their tags.
func (p identityPurge) release(ctx context.Context) error {
	err := p.each(ctx, p.tagsOf(ctx, OfIdentity(p.identity), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (f fate, err error) {
		own, _, err := p.divide(ctx, q, tags)
		for _, t := range own {
			if t.AttackerUUID == uuid.Nil {
				f.remove = append(f.remove, t)
			} else if t.IdentityUUID != uuid.Nil { // others go with their attackers
				f.release = append(f.release, t)
			}
		}
		return f, err
	})
	if err != nil {
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

// releaseAttackers takes the identity from attackers of one of its members.
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

// purge removes the identity's tags and its attackers.
func (p identityPurge) purge(ctx context.Context) error {
	err := p.each(ctx, p.tagsOf(ctx, OfIdentity(p.identity), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (fate, error) {
		own, _, err := p.divide(ctx, q, tags)
		return fate{remove: own}, err
	})
	if err != nil {
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

// purgeAttacker removes what is left of an attacker's tags, and the attacker, while it is the identity's.
func (p identityPurge) purgeAttacker(ctx context.Context, attacker uuid.UUID) error {
	err := p.each(ctx, p.tagsOf(ctx, OfAttacker(attacker), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (fate, error) {
		has, err := p.has(ctx, q, attacker)
		if err != nil || !has {
			return fate{}, err
		}
		if p.dryRun {
			_, others, err := p.divide(ctx, q, tags) // its own were counted before
			return fate{remove: others}, err
		}
		return p.removeAll(ctx, q, tags)
	})
	if err != nil {
		return err
	}
	return p.run(ctx, func(q queries) (Receipt, error) {
		has, err := p.has(ctx, q, attacker)
		if err != nil || !has {
			return Receipt{}, err
		}
		return p.deleteAttacker(ctx, q, attacker)
	})
}

// requireUnmerged refuses an identity that is merged into another.
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
		return fmt.Errorf("%w: identity %s is merged into %s: purge that one, or unmerge this one first", ErrConflict, p.identity, cmp.Or(stored.MergedIntoUUID, stored.SurvivorUUID))
	}
	return nil
}

// lock locks the identity and then attackers, as AssignAttackers does; tags come after them.
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

// has locks an attacker and reports whether it is the identity's.
func (p identityPurge) has(ctx context.Context, q queries, attacker uuid.UUID) (bool, error) {
	attackers, err := p.lock(ctx, q, []uuid.UUID{attacker})
	if err != nil {
		return false, err
	}
	identity := attackers[attacker].IdentityUUID
	survivors, err := survivorsOf(ctx, q, []uuid.UUID{identity})
	return survivors[identity] == p.identity, err
}

// divide locks the tags and tells the identity's own from others. It leaves out what is gone.
func (p identityPurge) divide(ctx context.Context, q queries, tags []Tag) (own, others []Tag, err error) {
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

// attackers returns the pages of attackers of the identity, which need not be stored, and of all merged into it.
// Those of one page have one identity.
func (p identityPurge) attackers(ctx context.Context) iter.Seq2[[]Attacker, error] {
	return func(yield func([]Attacker, error) bool) {
		of := func(member uuid.UUID) bool {
			for page, err := range pagesByUUID(ctx, p.removal, listAttackersByIdentity, args{IdentityUUID: member[:]}, Attacker.id) {
				if !yield(page, err) || err != nil {
					return false
				}
			}
			return true
		}
		if !of(p.identity) {
			return
		}
		for members, err := range p.members(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, member := range members {
				if member.UUID != p.identity && !of(member.UUID) {
					return
				}
			}
		}
	}
}

// members returns the pages of stored identities that have this one as survivor.
func (p identityPurge) members(ctx context.Context) iter.Seq2[[]Identity, error] {
	return pagesByUUID(ctx, p.removal, listIdentitiesBySurvivor, args{SurvivorUUID: p.identity[:]}, Identity.id)
}

// deleteIdentities deletes the identity and all merged into it, those first that no other points at. It
// returns false where something names one of them still, or again.
func (p identityPurge) deleteIdentities(ctx context.Context) (done bool, err error) {
	if p.dryRun {
		for members, err := range p.members(ctx) {
			if err != nil {
				return false, err
			}
			p.did(Receipt{Identities: int64(len(members))})
		}
		return true, nil
	}
	for {
		more := false
		err := p.run(ctx, func(q queries) (deleted Receipt, err error) {
			deleted.Identities, done, err = p.deleteUnmerged(ctx, q)
			more = deleted.Identities > 0
			return deleted, err
		})
		if err != nil || !more {
			return done, err
		}
	}
}

// deleteUnmerged deletes a batch of those that no other points at. When there is none, the identity is gone, or its
// merges are not in order.
func (p identityPurge) deleteUnmerged(ctx context.Context, q queries) (n int64, gone bool, err error) {
	if err := lockMerges(ctx, q, args{Kind: "identity"}); err != nil {
		return 0, false, err
	}
	leaves, err := lockUnmergedOf(ctx, q, args{SurvivorUUID: p.identity[:], Limit: int64(p.batch)})
	if err != nil {
		return 0, false, err
	}
	if len(leaves) == 0 {
		_, err := lockIdentity(ctx, q, byID(p.identity))
		gone = errors.Is(err, sql.ErrNoRows)
		switch {
		case gone:
			err = nil
		case err == nil && p.store.tx == nil: // whose snapshot may show merges that are no more
			err = fmt.Errorf("%w: the merges into identity %s form a cycle or have another survivor: see Verify", ErrConflict, p.identity)
		}
		return 0, gone, err
	}
	a := args{UUIDs: idBytes(leaves)}
	for _, naming := range []generated[[]uuid.UUID]{lockAttackerNaming, lockTagNaming} {
		if found, err := naming(ctx, q, a); err != nil || len(found) > 0 {
			return 0, false, err
		}
	}
	n, err = deleteIdentities(ctx, q, a)
	return n, false, err
}
