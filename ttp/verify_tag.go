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

// related are what the tags of a page are compared with.
type related struct {
	buried     map[uuid.UUID]uuid.UUID
	attackers  map[uuid.UUID]Attacker
	identities map[uuid.UUID]Identity
}

func readRelated(ctx context.Context, q queries, page []keyedTag) (around related, err error) {
	var tags, attackers, identities []uuid.UUID
	for _, t := range page {
		tags, attackers, identities = append(tags, t.UUID), append(attackers, t.AttackerUUID), append(identities, t.IdentityUUID)
	}
	buried, err := listTombstonedTagUUIDs(ctx, q, args{UUIDs: idBytes(tags)})
	if err != nil {
		return around, err
	}
	stored, err := listAttackersByUUID(ctx, q, args{UUIDs: idBytes(attackers)})
	if err != nil {
		return around, err
	}
	for _, a := range stored {
		identities = append(identities, a.IdentityUUID)
	}
	named, err := listIdentitiesByUUID(ctx, q, args{UUIDs: idBytes(identities)})
	return related{mapByID(buried, self), mapByID(stored, Attacker.id), mapByID(named, Identity.id)}, err
}

// survivor is the identity that answers for one, which need not be stored.
func (around related) survivor(identity uuid.UUID) uuid.UUID {
	if stored, ok := around.identities[identity]; ok {
		return stored.SurvivorUUID
	}
	return identity
}

func (v *verifier) checkTags(ctx context.Context, q queries, page []keyedTag) ([]fault, error) {
	faults, err := v.checkIndexed(ctx, q, page[0].UUID, page[len(page)-1].UUID)
	if err != nil {
		return nil, err
	}
	around, err := readRelated(ctx, q, page)
	if err != nil {
		return nil, err
	}
	for _, keyed := range page {
		t := keyed.Tag
		faults = append(faults, checkFields(t, keyed.key)...)
		faults = append(faults, around.checkAnchors(t)...)
		if _, ok := around.buried[t.UUID]; ok {
			f := Finding{Kind: TombstonedTag, Of: tagType, UUID: t.UUID, Detail: "a tombstone keeps it from being written"}
			faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) { return removeBuried(ctx, q, t) }})
		}
	}
	return faults, nil
}

// checkFields looks at what a tag says of itself.
func checkFields(t Tag, key groupKey) []fault {
	var faults []fault
	if want := t.ComputeUUID(); t.UUID != want {
		faults = append(faults, fault{Finding: Finding{Kind: WrongUUID, Of: tagType, UUID: t.UUID, Detail: "its fields give " + want.String()}})
	}
	canonical := t
	canonical.UUID = uuid.Nil // checked above
	problems := canonical.canonicalize()
	if len(problems) == 0 && canonical.AttackRelease != t.AttackRelease {
		problems = []Problem{{Field: "attack_release", Reason: "must be spelt " + canonical.AttackRelease}}
	}
	faults = append(faults, refused(tagType, t.UUID, problems)...)
	if len(problems) > 0 {
		return faults
	}
	if want := keyOf(&canonical); key != want {
		f := Finding{Kind: WrongTechniqueKey, Of: tagType, UUID: t.UUID, Detail: fmt.Sprintf("is %d, its fields give %d", key, want)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) {
			n, err := setTagKey(ctx, q, args{UUID: t.UUID[:], TechniqueKey: int64(want)})
			return n > 0, err // the counts, which went by the fields, are right
		}})
	}
	return faults
}

// checkAnchors looks for a tag's attacker and identity.
func (around related) checkAnchors(t Tag) []fault {
	var faults []fault
	attacker, ok := around.attackers[t.AttackerUUID]
	if !ok && t.AttackerUUID != uuid.Nil {
		faults = append(faults, dangling(tagType, t.UUID, "attacker_uuid", t.AttackerUUID))
	}
	if t.IdentityUUID == uuid.Nil {
		return faults
	}
	if _, ok := around.identities[t.IdentityUUID]; !ok {
		faults = append(faults, dangling(tagType, t.UUID, "identity_uuid", t.IdentityUUID))
	}
	if attacker.IdentityUUID != uuid.Nil && around.survivor(t.IdentityUUID) != around.survivor(attacker.IdentityUUID) {
		f := Finding{Kind: IdentityMismatch, Of: tagType, UUID: t.UUID, Detail: fmt.Sprintf("names %s, its attacker %s is of %s", t.IdentityUUID, t.AttackerUUID, attacker.IdentityUUID)}
		faults = append(faults, fault{f, func(ctx context.Context, q queries) (bool, error) { return followAttacker(ctx, q, t, attacker) }})
	}
	return faults
}

// followAttacker gives a tag its attacker's identity, if both are as they were found and it is merges that
// are in order that tell them apart.
func followAttacker(ctx context.Context, q queries, t Tag, attacker Attacker) (bool, error) {
	stored, err := lockStoredAttackers(ctx, q, []uuid.UUID{attacker.UUID})
	if err != nil || stored[attacker.UUID].IdentityUUID != attacker.IdentityUUID {
		return false, err
	}
	tags, err := lockCurrentTags(ctx, q, []Tag{t})
	if err != nil || len(tags) == 0 || tags[0].IdentityUUID != t.IdentityUUID {
		return false, err
	}
	next := identityMerges.lockedMergedInto(q)
	of, err := follow(ctx, t.IdentityUUID, next)
	if err != nil {
		return false, err
	}
	its, err := follow(ctx, attacker.IdentityUUID, next)
	if err != nil || of.cycle || its.cycle || !its.stored || of.survivor == its.survivor {
		return false, err
	}
	n, err := setTagIdentities(ctx, q, args{IdentityUUID: attacker.IdentityUUID[:], UUIDs: uuidsOf(tags)})
	return n > 0, err
}

// removeBuried removes a tag if its tombstone was not lifted meanwhile.
func removeBuried(ctx context.Context, q queries, t Tag) (bool, error) {
	buried, err := listTombstonedTagUUIDs(ctx, q, args{UUIDs: [][]byte{t.UUID[:]}})
	if err != nil || len(buried) == 0 {
		return false, err
	}
	tags, err := lockCurrentTags(ctx, q, []Tag{t})
	if err != nil || len(tags) == 0 {
		return false, err
	}
	return true, deleteCountedTags(ctx, q, tags)
}

// keyedTag is a tag with its technique_key as it is stored.
type keyedTag struct {
	Tag
	key groupKey
}

func toKeyedTag[R tagRow](row R) keyedTag {
	return keyedTag{toTag(row), groupKey(sqlitegen.TtpTag(row).TechniqueKey)}
}
