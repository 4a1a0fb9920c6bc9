package ttp

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listKeyedTagsAfter = many((*sqlitegen.Queries).ListTagsAfter, (*mysqlgen.Queries).ListTagsAfter, toKeyedTag, toKeyedTag)
	setTagKey          = execRows((*sqlitegen.Queries).SetTagKey, (*mysqlgen.Queries).SetTagKey)
)

// related holds the rows that the tags of a page are checked against.
type related struct {
	tombstoned map[uuid.UUID]uuid.UUID
	attackers  map[uuid.UUID]Attacker
	identities map[uuid.UUID]Identity
}

func readRelated(ctx context.Context, q queries, page []keyedTag) (related, error) {
	var tags, attackers, identities []uuid.UUID
	for _, t := range page {
		tags, attackers, identities = append(tags, t.UUID), append(attackers, t.AttackerUUID), append(identities, t.IdentityUUID)
	}
	tombstoned, err := listTombstonedTagUUIDs(ctx, q, args{UUIDs: idBytes(tags)})
	if err != nil {
		return related{}, err
	}
	storedAttackers, err := listAttackersByUUID(ctx, q, args{UUIDs: idBytes(attackers)})
	if err != nil {
		return related{}, err
	}
	for _, a := range storedAttackers {
		identities = append(identities, a.IdentityUUID)
	}
	storedIdentities, err := listIdentitiesByUUID(ctx, q, args{UUIDs: idBytes(identities)})
	return related{mapByID(tombstoned, self), mapByID(storedAttackers, Attacker.id), mapByID(storedIdentities, Identity.id)}, err
}

// survivor returns the survivor of an identity. An identity that is not stored survives itself.
func (r related) survivor(identity uuid.UUID) uuid.UUID {
	if stored, ok := r.identities[identity]; ok {
		return stored.SurvivorUUID
	}
	return identity
}

func (v *verifier) checkTags(ctx context.Context, q queries, page []keyedTag) ([]fault, error) {
	faults, err := v.checkIndexed(ctx, q, page[0].UUID, page[len(page)-1].UUID)
	if err != nil {
		return nil, err
	}
	related, err := readRelated(ctx, q, page)
	if err != nil {
		return nil, err
	}
	for _, keyed := range page {
		t := keyed.Tag
		faults = append(faults, checkFields(t, keyed.key)...)
		faults = append(faults, related.checkScopes(t)...)
		if _, ok := related.tombstoned[t.UUID]; ok {
			f := Finding{Kind: TombstonedTag, Of: tagType, UUID: t.UUID, Detail: "has a tombstone but is stored"}
			faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
				return removeTombstoned(ctx, q, t)
			}})
		}
	}
	return faults, nil
}

// checkFields checks the values of a tag, its UUID and its key.
func checkFields(t Tag, key groupKey) []fault {
	var faults []fault
	if want := t.ComputeUUID(); t.UUID != want {
		f := Finding{Kind: WrongUUID, Of: tagType, UUID: t.UUID, Detail: "must be " + want.String() + ", the UUID of its fields"}
		faults = append(faults, fault{Finding: f})
	}
	canonical := t
	canonical.UUID = uuid.Nil // checked above
	problems := canonical.canonicalize()
	if len(problems) == 0 && canonical.AttackRelease != t.AttackRelease {
		problems = []Problem{{Field: "attack_release", Reason: "must be " + canonical.AttackRelease}}
	}
	faults = append(faults, invalid(tagType, t.UUID, problems)...)
	if len(problems) > 0 {
		return faults
	}
	if want := keyOf(&canonical); key != want {
		f := Finding{Kind: WrongTechniqueKey, Of: tagType, UUID: t.UUID, Detail: fmt.Sprintf("is %d but must be %d", key, want)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			n, err := setTagKey(ctx, q, args{UUID: t.UUID[:], TechniqueKey: int64(want)})
			return n > 0, err // the counts were computed from the fields
		}})
	}
	return faults
}

// checkScopes checks the references of a tag to its attacker and identity.
func (r related) checkScopes(t Tag) []fault {
	var faults []fault
	attacker, ok := r.attackers[t.AttackerUUID]
	if !ok && t.AttackerUUID != uuid.Nil {
		faults = append(faults, dangling(tagType, t.UUID, "attacker_uuid", t.AttackerUUID))
	}
	if t.IdentityUUID == uuid.Nil {
		return faults
	}
	if _, ok := r.identities[t.IdentityUUID]; !ok {
		faults = append(faults, dangling(tagType, t.UUID, "identity_uuid", t.IdentityUUID))
	}
	if attacker.IdentityUUID != uuid.Nil && r.survivor(t.IdentityUUID) != r.survivor(attacker.IdentityUUID) {
		f := Finding{Kind: IdentityMismatch, Of: tagType, UUID: t.UUID, Detail: fmt.Sprintf(
			"has the identity %s but its attacker %s has %s", t.IdentityUUID, t.AttackerUUID, attacker.IdentityUUID)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			return assignToAttackersIdentity(ctx, q, t, attacker)
		}})
	}
	return faults
}

// assignToAttackersIdentity sets the identity of a tag to that of its attacker, unless one of the two changed since, merges
// form a cycle, or the attacker's identity is not stored.
func assignToAttackersIdentity(ctx context.Context, q queries, t Tag, attacker Attacker) (bool, error) {
	stored, err := lockStoredAttackers(ctx, q, []uuid.UUID{attacker.UUID})
	if err != nil || stored[attacker.UUID].IdentityUUID != attacker.IdentityUUID {
		return false, err
	}
	tags, err := lockCurrentTags(ctx, q, []Tag{t})
	if err != nil || len(tags) == 0 || tags[0].IdentityUUID != t.IdentityUUID {
		return false, err
	}
	next := identityMerges.lockedMergedInto(q)
	current, err := follow(ctx, t.IdentityUUID, next)
	if err != nil {
		return false, err
	}
	want, err := follow(ctx, attacker.IdentityUUID, next)
	if err != nil || current.cycle || want.cycle || !want.stored || current.survivor == want.survivor {
		return false, err
	}
	n, err := setTagIdentities(ctx, q, args{IdentityUUID: attacker.IdentityUUID[:], UUIDs: uuidsOf(tags)})
	return n > 0, err
}

// removeTombstoned removes a tag, unless its tombstone was lifted since.
func removeTombstoned(ctx context.Context, q queries, t Tag) (bool, error) {
	tombstoned, err := listTombstonedTagUUIDs(ctx, q, args{UUIDs: [][]byte{t.UUID[:]}})
	if err != nil || len(tombstoned) == 0 {
		return false, err
	}
	tags, err := lockCurrentTags(ctx, q, []Tag{t})
	if err != nil || len(tags) == 0 {
		return false, err
	}
	return true, deleteCountedTags(ctx, q, tags)
}

// keyedTag is a tag with its stored technique_key.
type keyedTag struct {
	Tag
	key groupKey
}

func toKeyedTag[R tagRow](row R) keyedTag {
	return keyedTag{toTag(row), groupKey(sqlitegen.TtpTag(row).TechniqueKey)}
}
