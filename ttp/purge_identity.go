package ttp

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"

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
// attackers stay, without an identity, and so do their tags.
//
// It returns [ErrConflict] for an identity that is merged into another, also when that happens meanwhile:
// purge the survivor, or unmerge it. Otherwise it is [Store.PurgeAttacker].
func (s *Store) PurgeIdentity(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, "purge identity "+identity.String(), identity, opts, identityPurge.release)
}

// PurgeIdentityAndAttackers removes an identity with all that is merged into it, all their tags, as
// [Store.ListTechniquesByIdentity] counts them, and their attackers with all tags that these have.
// Otherwise it is [Store.PurgeIdentity].
func (s *Store) PurgeIdentityAndAttackers(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, "purge identity and attackers "+identity.String(), identity, opts, identityPurge.purge)
}

// purgeIdentity empties the identity, deletes it, and begins anew while others have put something into it
// in between.
func (s *Store) purgeIdentity(ctx context.Context, op string, identity uuid.UUID, opts []RemovalOption, empty func(identityPurge, context.Context) error) (Receipt, error) {
	var c checker
	c.id("identity_uuid", identity)
	return s.remove(ctx, op, "", opts, &c, func(ctx context.Context, r *removal) error {
		p := identityPurge{r, identity}
		for {
			before := r.rows()
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
			if r.rows() == before {
				return fmt.Errorf("%w: others use identity %s, in a way that is not to be seen yet", ErrBusy, identity)
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
	err := p.each(ctx, p.tagsOf(OfIdentity(p.identity), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (f fate, err error) {
		own, _, err := p.own(ctx, q, tags)
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
	return p.eachAttackers(ctx, func(member uuid.UUID, attackers []Attacker) error {
		return p.run(ctx, func(q queries) (done Receipt, err error) {
			if err := p.requireUnmerged(ctx, q); err != nil || p.dryRun {
				return Receipt{ReleasedAttackers: int64(len(attackers))}, err
			}
			ids := make([]uuid.UUID, len(attackers))
			for i, a := range attackers {
				ids[i] = a.UUID
			}
			done.ReleasedAttackers, err = releaseAttackers(ctx, q, args{IdentityUUID: member[:], UUIDs: idBytes(ids)})
			return done, err
		})
	})
}

// purge removes the identity's tags and its attackers.
func (p identityPurge) purge(ctx context.Context) error {
	err := p.each(ctx, p.tagsOf(OfIdentity(p.identity), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (fate, error) {
		own, _, err := p.own(ctx, q, tags)
		return fate{remove: own}, err
	})
	if err != nil {
		return err
	}
	return p.eachAttackers(ctx, func(_ uuid.UUID, attackers []Attacker) error {
		for _, a := range attackers {
			if err := p.purgeAttacker(ctx, a.UUID); err != nil {
				return err
			}
		}
		return nil
	})
}

// purgeAttacker removes what is left of an attacker's tags, and the attacker, while it is the identity's.
func (p identityPurge) purgeAttacker(ctx context.Context, attacker uuid.UUID) error {
	err := p.each(ctx, p.tagsOf(OfAttacker(attacker), filterArgs{}), func(ctx context.Context, q queries, tags []Tag) (fate, error) {
		own, around, err := p.own(ctx, q, tags)
		if err != nil || around.survivor(around.attackers[attacker].IdentityUUID) != p.identity {
			return fate{}, err
		}
		if p.dryRun {
			return fate{remove: except(tags, own)}, nil // its own were counted before
		}
		return p.removeAll(ctx, q, tags)
	})
	if err != nil {
		return err
	}
	return p.run(ctx, func(q queries) (Receipt, error) {
		around, err := p.related(ctx, q, []uuid.UUID{attacker}, nil)
		if err != nil || around.survivor(around.attackers[attacker].IdentityUUID) != p.identity {
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

// own returns those of the tags that are left and that the identity answers for. It locks in the order of
// AssignAttackers: the identity, attackers, tags.
func (p identityPurge) own(ctx context.Context, q queries, tags []Tag) ([]Tag, related, error) {
	var attackers []uuid.UUID
	for _, t := range tags {
		attackers = append(attackers, t.AttackerUUID)
	}
	around, err := p.related(ctx, q, attackers, func() (identities []uuid.UUID, err error) {
		tags, err = p.current(ctx, q, tags)
		for _, t := range tags {
			identities = append(identities, t.IdentityUUID)
		}
		return identities, err
	})
	var own []Tag
	for _, t := range tags {
		identity := t.IdentityUUID
		if identity == uuid.Nil {
			identity = around.attackers[t.AttackerUUID].IdentityUUID
		}
		if identity != uuid.Nil && around.survivor(identity) == p.identity {
			own = append(own, t)
		}
	}
	return own, around, err
}

// related locks the identity and then the attackers, and finds out whose they are, and those that more
// names.
func (p identityPurge) related(ctx context.Context, q queries, attackers []uuid.UUID, more func() ([]uuid.UUID, error)) (around related, err error) {
	if err := p.requireUnmerged(ctx, q); err != nil {
		return around, err
	}
	read := lockAttackers
	if p.dryRun {
		read = listAttackersByUUID
	}
	stored, err := read(ctx, q, args{UUIDs: idBytes(byUUID(attackers, self))})
	if err != nil {
		return around, err
	}
	around.attackers = mapByID(stored, Attacker.id)
	var identities []uuid.UUID
	if more != nil {
		if identities, err = more(); err != nil {
			return around, err
		}
	}
	for _, a := range stored {
		identities = append(identities, a.IdentityUUID)
	}
	named, err := listIdentitiesByUUID(ctx, q, args{UUIDs: idBytes(identities)})
	around.identities = mapByID(named, Identity.id)
	return around, err
}

// except returns the tags that are not among the others, which are some of them.
func except(tags, others []Tag) []Tag {
	out := mapByID(others, Tag.id)
	var left []Tag
	for _, t := range tags {
		if _, ok := out[t.UUID]; !ok {
			left = append(left, t)
		}
	}
	return left
}

// eachAttackers visits the attackers of an identity and of all merged into it, by pages.
func (p identityPurge) eachAttackers(ctx context.Context, visit func(member uuid.UUID, attackers []Attacker) error) error {
	ofMember := func(member uuid.UUID) error {
		return eachPage(ctx, p, listAttackersByIdentity, args{IdentityUUID: member[:]}, Attacker.id, func(attackers []Attacker) error {
			return visit(member, attackers)
		})
	}
	if err := ofMember(p.identity); err != nil { // which need not be stored
		return err
	}
	return p.eachMembers(ctx, func(members []Identity) error {
		for _, member := range members {
			if member.UUID == p.identity {
				continue
			}
			if err := ofMember(member.UUID); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachMembers visits the stored identities that this one stands for, by pages.
func (p identityPurge) eachMembers(ctx context.Context, visit func([]Identity) error) error {
	return eachPage(ctx, p, listIdentitiesBySurvivor, args{SurvivorUUID: p.identity[:]}, Identity.id, visit)
}

// eachPage visits pages in uuid order.
func eachPage[T any](ctx context.Context, p identityPurge, read pageQuery[T], a args, id func(T) uuid.UUID, visit func([]T) error) error {
	after := uuid.Nil
	for {
		a.After, a.Limit = after[:], int64(p.batch)
		page, err := query(ctx, p.store, p.op, func(q queries) ([]T, error) { return read(ctx, q, a) })
		if err != nil || len(page) == 0 {
			return err
		}
		if err := visit(page); err != nil || len(page) < p.batch {
			return err
		}
		after = id(page[len(page)-1])
	}
}

// deleteIdentities deletes the identity and all merged into it, those first that no other points at. It
// returns false where something names one of them still, or again.
func (p identityPurge) deleteIdentities(ctx context.Context) (done bool, err error) {
	if p.dryRun {
		return true, p.eachMembers(ctx, func(members []Identity) error {
			p.did(Receipt{Identities: int64(len(members))})
			return nil
		})
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

// deleteUnmerged deletes a batch of those that no other points at. When there is none, it tells whether the
// identity is gone.
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
		if errors.Is(err, sql.ErrNoRows) {
			return 0, true, nil
		}
		return 0, false, err
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
