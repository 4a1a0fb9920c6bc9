package ttp

import (
	"context"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The numbers of tags by scope. UUIDs are compared without regard to their spelling, sessions byte for byte, which
// the collations of MySQL would not do. MariaDB does not recognize a repeated COALESCE of two tables in GROUP BY.
const (
	predecessorByAttacker = `SELECT REPLACE(LOWER(attacker_uuid), '-', ''), COUNT(*) FROM ttp_tag
WHERE attacker_uuid <> '' GROUP BY REPLACE(LOWER(attacker_uuid), '-', '')`
	predecessorBySession  = "SELECT HEX(session_id), COUNT(*) FROM ttp_tag WHERE session_id <> '' GROUP BY HEX(session_id)"
	predecessorByIdentity = `SELECT REPLACE(LOWER(COALESCE(NULLIF(a.identity_id, ''), t.identity_uuid)), '-', ''), COUNT(*)
FROM ttp_tag t LEFT JOIN attackers a ON a.uuid = t.attacker_uuid
WHERE COALESCE(NULLIF(a.identity_id, ''), t.identity_uuid) <> ''
GROUP BY 1`
	predecessorFleet = "SELECT '', COUNT(*) FROM ttp_tag"
)

const maxPredecessorDifferences = 100

// The keys of predecessorImport.leftOut, by scope.
const fleetKey = "fleet"

func attackerKey(id string) string { return "attacker " + bareID(id) }
func identityKey(id string) string { return "identity " + bareID(id) }
func sessionKey(id string) string {
	return "session " + strings.ToUpper(hex.EncodeToString([]byte(id)))
}

func bareID(id string) string { return strings.ReplaceAll(strings.ToLower(id), "-", "") }

// compare compares the numbers of tags with the source's.
func (in *predecessorImport) compare(ctx context.Context) error {
	if in.opts.DryRun {
		return nil
	}
	err := in.compareCounts(ctx, predecessorFleet, func(string) (Scope, string, bool) { return Fleet(), fleetKey, true })
	if err == nil {
		err = in.compareCounts(ctx, predecessorByAttacker, func(key string) (Scope, string, bool) {
			id, err := uuid.Parse(key)
			return OfAttacker(id), "attacker " + key, err == nil
		})
	}
	if err == nil {
		err = in.compareCounts(ctx, predecessorBySession, func(key string) (Scope, string, bool) {
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
func (in *predecessorImport) compareCounts(ctx context.Context, query string, scopeOf func(string) (Scope, string, bool)) error {
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
			if err := in.compareCount(ctx, scope, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (in *predecessorImport) compareCount(ctx context.Context, scope Scope, source int64) error {
	stored, err := in.store.CountTags(ctx, scope, Filter{})
	if err != nil {
		return err
	}
	in.report.Compared++
	if stored == source {
		return nil
	}
	if in.report.Different++; len(in.report.Differences) < maxPredecessorDifferences {
		in.report.Differences = append(in.report.Differences, PredecessorCounts{scope.String(), source, stored})
	}
	return nil
}

// compareIdentities compares surviving identities, including the tags of the identities merged into them.
func (in *predecessorImport) compareIdentities(ctx context.Context) error {
	winners := map[uuid.UUID]uuid.UUID{}
	for row, err := range in.source.rowsFrom(ctx, "SELECT uuid, merged_into_uuid FROM attacker_identities WHERE merged_into_uuid <> ''", 2) {
		if err != nil {
			return err
		}
		from, _ := uuid.Parse(row[0])
		if into, err := uuid.Parse(row[1]); err == nil {
			winners[from] = into
		}
	}
	counts := map[uuid.UUID]int64{}
	for row, err := range in.source.rowsFrom(ctx, predecessorByIdentity, 2) {
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return err
		}
		id, err := uuid.Parse(row[0])
		if n -= in.leftOut["identity "+row[0]]; err == nil {
			counts[survivorIn(winners, id)] += n
		}
	}
	for _, id := range byUUID(slices.Collect(maps.Keys(counts)), self) {
		if n := counts[id]; n > 0 {
			if err := in.compareCount(ctx, OfIdentity(id), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// survivorIn follows merges. In a cycle, which the import does not close, it ends after as many steps as there are merges.
func survivorIn(winners map[uuid.UUID]uuid.UUID, id uuid.UUID) uuid.UUID {
	for range winners {
		into, merged := winners[id]
		if !merged {
			break
		}
		id = into
	}
	return id
}
