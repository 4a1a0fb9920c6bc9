package ttp

import (
	"cmp"
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The numbers of tags by scope. Attackers are compared without regard to the spelling of their UUIDs, sessions byte for
// byte, which the collations of MySQL would not do.
const (
	predecessorByAttacker = `SELECT REPLACE(LOWER(attacker_uuid), '-', ''), COUNT(*) FROM ttp_tag
WHERE attacker_uuid <> '' GROUP BY REPLACE(LOWER(attacker_uuid), '-', '')`
	predecessorBySession = "SELECT HEX(session_id), COUNT(*) FROM ttp_tag WHERE session_id <> '' GROUP BY HEX(session_id)"
	predecessorByActor   = `SELECT HEX(COALESCE(attacker_uuid, '')), HEX(COALESCE(identity_uuid, '')), COUNT(*) FROM ttp_tag
GROUP BY 1, 2`
	predecessorFleet = "SELECT '', COUNT(*) FROM ttp_tag"
)

const maxPredecessorDifferences = 100

// The keys of predecessorImport.leftOut, by scope.
const fleetKey = "fleet"

func attackerKey(id string) string {
	return "attacker " + strings.ReplaceAll(strings.ToLower(id), "-", "")
}

func sessionKey(id string) string { return "session " + hexOf(id) }

// actorKey returns the key of the two fields that determine a tag's identity.
func actorKey(attacker, identity string) string {
	return "actor " + hexOf(attacker) + " " + hexOf(identity)
}

// hexOf returns the result of SQL's HEX.
func hexOf(text string) string { return strings.ToUpper(hex.EncodeToString([]byte(text))) }

// compare compares the numbers of tags with the source's.
func (in *predecessorImport) compare(ctx context.Context) error {
	if in.opts.DryRun {
		return nil
	}
	by := &in.report.ComparedBy
	err := in.compareCounts(ctx, &by.Fleet, predecessorFleet, func(string) (Scope, string, bool) { return Fleet(), fleetKey, true })
	if err == nil {
		err = in.compareCounts(ctx, &by.Attackers, predecessorByAttacker, func(key string) (Scope, string, bool) {
			id, err := uuid.Parse(key)
			return OfAttacker(id), "attacker " + key, err == nil
		})
	}
	if err == nil {
		err = in.compareCounts(ctx, &by.Sessions, predecessorBySession, func(key string) (Scope, string, bool) {
			id, err := hex.DecodeString(key)
			return OfSession(string(id)), "session " + key, err == nil
		})
	}
	if err == nil {
		err = in.compareIdentities(ctx)
	}
	return err
}

// compareCounts compares the numbers of a query with the store's. It skips an invalid key, whose tags were refused.
func (in *predecessorImport) compareCounts(ctx context.Context, counts *PredecessorComparison, query string,
	scopeOf func(string) (Scope, string, bool),
) error {
	for row, err := range in.source.rowsFrom(ctx, query, 2) {
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return err
		}
		scope, key, ok := scopeOf(row[0])
		if n -= in.leftOut[key]; ok && n > 0 {
			if err := in.compareCount(ctx, counts, scope, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in *predecessorImport) compareCount(ctx context.Context, counts *PredecessorComparison, scope Scope, source int64) error {
	stored, err := in.store.CountTags(ctx, scope, Filter{})
	if err != nil {
		return err
	}
	counts.Compared++
	in.report.Compared++
	if stored == source {
		return nil
	}
	counts.Different++
	if in.report.Different++; len(in.report.Differences) < maxPredecessorDifferences {
		in.report.Differences = append(in.report.Differences, PredecessorCounts{scope.String(), source, stored})
	}
	return nil
}

// compareIdentities compares surviving identities, including the tags of the identities merged into them.
func (in *predecessorImport) compareIdentities(ctx context.Context) error {
	counts := map[uuid.UUID]int64{}
	err := in.pass(ctx, predecessorByActor, 3, true, func(texts [][]string) error {
		actors := make([]actor, len(texts))
		for i, text := range texts {
			actors[i] = in.actorOf(text)
		}
		attackers, err := storedAttackers(ctx, in, actors, func(a actor) uuid.UUID { return a.attacker })
		if err != nil {
			return err
		}
		for i, text := range texts {
			n, err := strconv.ParseInt(text[2], 10, 64)
			if err != nil {
				return err
			}
			id := cmp.Or(attackers[actors[i].attacker].IdentityUUID, actors[i].identity)
			counts[in.knownIdentities.survivor(id)] += n - in.leftOut["actor "+text[0]+" "+text[1]]
		}
		return nil
	})
	if err != nil {
		return err
	}
	delete(counts, uuid.Nil)
	for _, id := range byUUID(slices.Collect(maps.Keys(counts)), self) {
		if n := counts[id]; n > 0 {
			if err := in.compareCount(ctx, &in.report.ComparedBy.Identities, OfIdentity(id), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// actorOf parses the result of HEX.
func (in *predecessorImport) actorOf(text []string) (a actor) {
	attacker, _ := hex.DecodeString(text[0])
	identity, _ := hex.DecodeString(text[1])
	a.attacker, _ = in.id(string(attacker))
	a.identity, _ = in.id(string(identity))
	return a
}
