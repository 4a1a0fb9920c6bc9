package ttp

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// PurgeAttacker removes an attacker's tags, as [Store.ListTechniquesByAttacker] counts them, and then the
// attacker. One that is not known leaves an empty receipt.
//
// It returns [ErrInvalidQuery] for an id that is not set, and [ErrBusy].
func (s *Store) PurgeAttacker(ctx context.Context, attacker uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	var c checker
	c.id("attacker_uuid", attacker)
	return s.remove(ctx, "purge attacker "+attacker.String(), "purge attacker "+attacker.String(), opts, &c, func(ctx context.Context, r *removal) error {
		return r.purgeAttacker(ctx, attacker, removeAll)
	})
}

// PurgeSession removes a session's tags. Otherwise it is [Store.PurgeAttacker].
func (s *Store) PurgeSession(ctx context.Context, session string, opts ...RemovalOption) (Receipt, error) {
	var c checker
	if session == "" {
		c.refuse("session_id", "must be set")
	}
	return s.remove(ctx, "purge session", "purge session "+session, opts, &c, func(ctx context.Context, r *removal) error {
		return r.each(ctx, r.tagsOf(OfSession(session), everything), removeAll)
	})
}

// PurgeIdentity removes an identity with all that is merged into it, and their identity-rollup tags. Its
// attackers stay, without an identity, and so do their tags.
//
// It returns [ErrConflict] for an identity that is merged into another: purge the survivor, or unmerge
// it. Otherwise it is [Store.PurgeAttacker].
func (s *Store) PurgeIdentity(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, "purge identity ", identity, opts, (*removal).releaseMembers)
}

// PurgeIdentityAndAttackers removes an identity with all that is merged into it, all their tags, as
// [Store.ListTechniquesByIdentity] counts them, and their attackers with all tags that these have.
// Otherwise it is [Store.PurgeIdentity].
func (s *Store) PurgeIdentityAndAttackers(ctx context.Context, identity uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	return s.purgeIdentity(ctx, "purge identity and attackers ", identity, opts, (*removal).purgeMembers)
}

func (s *Store) purgeIdentity(ctx context.Context, what string, identity uuid.UUID, opts []RemovalOption, empty func(*removal, context.Context, uuid.UUID) error) (Receipt, error) {
	var c checker
	c.id("identity_uuid", identity)
	what += identity.String()
	return s.remove(ctx, what, what, opts, &c, func(ctx context.Context, r *removal) error {
		if err := r.refuseMerged(ctx, identity); err != nil {
			return err
		}
		for {
			if err := empty(r, ctx, identity); err != nil {
				return err
			}
			done, err := r.deleteIdentities(ctx, identity)
			if err != nil || done {
				return err
			}
		}
	})
}

func (r *removal) refuseMerged(ctx context.Context, identity uuid.UUID) error {
	stored, err := query(ctx, r.store, r.op, func(q queries) ([]Identity, error) {
		return q.identitiesByUUID(ctx, asked{UUIDs: [][]byte{identity[:]}})
	})
	if err == nil && len(stored) > 0 && stored[0].MergedIntoUUID != uuid.Nil {
		err = fmt.Errorf("%w: identity %s is merged into %s: purge that one, or unmerge this one first", ErrConflict, identity, stored[0].MergedIntoUUID)
	}
	return err
}

// purgeAttacker removes the tags that decide says, and then the attacker.
func (r *removal) purgeAttacker(ctx context.Context, attacker uuid.UUID, decide decision) error {
	if err := r.each(ctx, r.tagsOf(OfAttacker(attacker), everything), decide); err != nil {
		return err
	}
	ids := asked{UUIDs: [][]byte{attacker[:]}}
	if r.dryRun {
		stored, err := query(ctx, r.store, r.op, func(q queries) ([]Attacker, error) { return q.attackersByUUID(ctx, ids) })
		r.did(Receipt{Attackers: int64(len(stored))})
		return err
	}
	return r.commit(ctx, func(q queries) (done Receipt, err error) {
		done.Attackers, err = q.deleteAttackers(ctx, ids)
		return done, err
	})
}

// releaseMembers parts the identity from its attackers and their tags.
func (r *removal) releaseMembers(ctx context.Context, identity uuid.UUID) error {
	err := r.each(ctx, r.tagsOf(OfIdentity(identity), everything), func(_ context.Context, tags []Tag) (f fate, err error) {
		for _, t := range tags {
			switch uuid.Nil {
			case t.AttackerUUID:
				f.remove = append(f.remove, t)
			case t.IdentityUUID: // goes with its attacker
			default:
				f.release = append(f.release, t)
			}
		}
		return f, nil
	})
	if err != nil {
		return err
	}
	return r.eachAttacker(ctx, identity, func(ctx context.Context, member uuid.UUID, attackers [][]byte) error {
		if r.dryRun {
			r.did(Receipt{ReleasedAttackers: int64(len(attackers))})
			return nil
		}
		return r.commit(ctx, func(q queries) (done Receipt, err error) {
			done.ReleasedAttackers, err = q.releaseAttackers(ctx, asked{IdentityUUID: member[:], UUIDs: attackers})
			return done, err
		})
	})
}

// purgeMembers removes the identity's tags and its attackers.
func (r *removal) purgeMembers(ctx context.Context, identity uuid.UUID) error {
	if err := r.each(ctx, r.tagsOf(OfIdentity(identity), everything), removeAll); err != nil {
		return err
	}
	decide := removeAll
	if r.dryRun {
		decide = r.tagsOfOthers(identity) // those of the identity were counted
	}
	return r.eachAttacker(ctx, identity, func(ctx context.Context, _ uuid.UUID, attackers [][]byte) error {
		for _, attacker := range attackers {
			if err := r.purgeAttacker(ctx, uuid.UUID(attacker), decide); err != nil {
				return err
			}
		}
		return nil
	})
}

// tagsOfOthers removes the tags that name an identity which the given one does not stand for.
func (r *removal) tagsOfOthers(identity uuid.UUID) decision {
	return func(ctx context.Context, tags []Tag) (f fate, err error) {
		ids := make([][]byte, len(tags))
		for i := range tags {
			ids[i] = tags[i].IdentityUUID[:]
		}
		stored, err := query(ctx, r.store, r.op, func(q queries) ([]Identity, error) { return q.identitiesByUUID(ctx, asked{UUIDs: ids}) })
		survivors := map[uuid.UUID]uuid.UUID{uuid.Nil: identity}
		for _, i := range stored {
			survivors[i.UUID] = i.SurvivorUUID
		}
		for _, t := range tags {
			if survivor, ok := survivors[t.IdentityUUID]; t.IdentityUUID != identity && (!ok || survivor != identity) {
				f.remove = append(f.remove, t)
			}
		}
		return f, err
	}
}

// eachAttacker visits the attackers of an identity and of all merged into it, by pages.
func (r *removal) eachAttacker(ctx context.Context, identity uuid.UUID, visit func(ctx context.Context, member uuid.UUID, attackers [][]byte) error) error {
	ofMember := func(member uuid.UUID) error {
		return eachPage(ctx, r, queries.attackersByIdentity, asked{IdentityUUID: member[:]}, func(attackers []Attacker) (uuid.UUID, error) {
			ids := make([][]byte, len(attackers))
			for i := range attackers {
				ids[i] = attackers[i].UUID[:]
			}
			return attackers[len(attackers)-1].UUID, visit(ctx, member, ids)
		})
	}
	if err := ofMember(identity); err != nil { // which need not be stored
		return err
	}
	return r.eachMember(ctx, identity, func(members []Identity) error {
		for _, member := range members {
			if member.UUID == identity {
				continue
			}
			if err := ofMember(member.UUID); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachMember visits the stored identities that one stands for, by pages.
func (r *removal) eachMember(ctx context.Context, identity uuid.UUID, visit func([]Identity) error) error {
	return eachPage(ctx, r, queries.identitiesBySurvivor, asked{SurvivorUUID: identity[:]}, func(members []Identity) (uuid.UUID, error) {
		return members[len(members)-1].UUID, visit(members)
	})
}

// eachPage visits pages in uuid order; visit returns the last uuid of its page.
func eachPage[T any](ctx context.Context, r *removal, read func(queries, context.Context, asked) ([]T, error), a asked, visit func([]T) (uuid.UUID, error)) error {
	after := uuid.Nil
	for {
		a.After, a.Limit = after[:], int64(r.batch)
		page, err := query(ctx, r.store, r.op, func(q queries) ([]T, error) { return read(q, ctx, a) })
		if err != nil || len(page) == 0 {
			return err
		}
		if after, err = visit(page); err != nil || len(page) < r.batch {
			return err
		}
	}
}

// deleteIdentities deletes an identity and all merged into it, those first that no other points at. It
// stops with false where one has got attackers again.
func (r *removal) deleteIdentities(ctx context.Context, identity uuid.UUID) (done bool, err error) {
	if r.dryRun {
		return true, r.eachMember(ctx, identity, func(members []Identity) error {
			r.did(Receipt{Identities: int64(len(members))})
			return nil
		})
	}
	for {
		found, inUse := 0, false
		err := r.commit(ctx, func(q queries) (done Receipt, err error) {
			if err := q.lockMerges(ctx, "identity"); err != nil {
				return done, err
			}
			leaves, err := q.lockUnmergedOf(ctx, asked{SurvivorUUID: identity[:], Limit: int64(r.batch)})
			if found, inUse = len(leaves), false; err != nil || found == 0 {
				return done, err
			}
			for _, leaf := range leaves {
				attackers, err := q.attackersByIdentity(ctx, asked{IdentityUUID: leaf[:], After: uuid.Nil[:], Limit: 1})
				if inUse = len(attackers) > 0; err != nil || inUse {
					return done, err
				}
			}
			done.Identities, err = q.deleteIdentities(ctx, asked{UUIDs: idBytes(leaves)})
			return done, err
		})
		if err != nil || inUse || found == 0 {
			return !inUse, err
		}
	}
}
