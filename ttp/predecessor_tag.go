package ttp

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// predecessorTags reads every value as text, since drivers would convert times and JSON.
const predecessorTags = `SELECT uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id, tactic,
technique_id, sub_technique_id, confidence * 1e0, rule_id, rule_version, CONCAT('', evidence), attack_release,
CONCAT('', created_at), decky_id = ''
FROM ttp_tag ORDER BY uuid`

// predecessorRepeated selects tags with several rows, by the fields that determine the UUID. It groups by HEX since the
// collations of MySQL ignore case.
const predecessorRepeated = `SELECT MIN(source_kind), MIN(source_id), MIN(rule_id), rule_version, MIN(technique_id),
MIN(sub_technique_id), MAX(confidence) * 1e0
FROM ttp_tag
GROUP BY HEX(source_kind), HEX(source_id), HEX(rule_id), rule_version, HEX(technique_id), HEX(COALESCE(sub_technique_id, ''))
HAVING COUNT(*) > 1`

// repeatedTag is a tag with several rows.
type repeatedTag struct {
	writable bool // a row reaches the write floor
	kept     bool // a row is kept, and later ones are refused
}

func (in *predecessorImport) repeatedTags(ctx context.Context) error {
	return in.pass(ctx, predecessorRepeated, 7, true, func(texts [][]string) error {
		for _, text := range texts {
			version, _ := strconv.Atoi(text[3]) // tags with an invalid one are refused anyway
			confidence, _ := strconv.ParseFloat(text[6], 64)
			in.repeated[ComputeTagUUID(text[0], text[1], text[2], version, text[4], text[5])] = &repeatedTag{
				writable: in.rounded(confidence) >= in.store.floor,
			}
		}
		return nil
	})
}

// rounded returns the decimal number of which a FLOAT column of MySQL holds the nearest value.
func (in *predecessorImport) rounded(confidence float64) float64 {
	if in.source.single {
		if decimal, err := strconv.ParseFloat(strconv.FormatFloat(confidence, 'g', 7, 64), 64); err == nil {
			return decimal
		}
	}
	return confidence
}

// keep keeps the first row of a tag with several, if possible one that reaches the write floor.
func (r *repeatedTag) keep(confidence, floor float64) bool {
	if r.kept || (r.writable && confidence < floor) {
		return false
	}
	r.kept = true
	return true
}

func (in *predecessorImport) tags(ctx context.Context) error {
	return in.pass(ctx, predecessorTags, 17, false, func(texts [][]string) error {
		in.report.Tags.Read += len(texts)
		var rows []predecessorTag
		for _, text := range texts {
			if row, ok := in.parseTag(text); ok {
				rows = append(rows, row)
			}
		}
		return in.storeTags(ctx, rows)
	})
}

// predecessorTag is a tag in canonical form with the scopes that count it in the source.
type predecessorTag struct {
	Tag
	scopes []string
}

func (in *predecessorImport) parseTag(text []string) (predecessorTag, bool) {
	scopes := []string{
		fleetKey, attackerKey(text[3]), actorKey(text[3], text[4]), sessionKey(text[5]),
	}
	t := Tag{
		SourceKind: text[1], SourceID: text[2], SessionID: text[5], DeckyID: text[6], Tactic: text[7], TechniqueID: text[8],
		SubTechniqueID: text[9], RuleID: text[11], Evidence: json.RawMessage(text[13]), AttackRelease: text[14],
	}
	var problems []Problem
	require := func(valid bool, field, rule string) {
		if !valid {
			problems = append(problems, Problem{Field: field, Reason: rule})
		}
	}
	var valid, validIdentity bool
	t.AttackerUUID, valid = in.id(text[3])
	require(valid, "attacker_uuid", uuidRule)
	t.IdentityUUID, validIdentity = in.id(text[4])
	confidence, err := strconv.ParseFloat(text[10], 64)
	require(err == nil, "confidence", "must be a number from 0 to 1")
	if t.Confidence = in.rounded(confidence); t.Confidence != confidence {
		in.report.Normalized["confidence"]++
	}
	t.RuleVersion, err = strconv.Atoi(text[12])
	require(err == nil, "rule_version", "must be a whole number")
	t.ObservedAt, err = predecessorTime(text[15])
	require(err == nil, "created_at", "must be a time such as 2026-03-15 17:06:27.727140")
	if len(problems) == 0 {
		problems = t.canonicalize()
	}
	if r := in.repeated[t.UUID]; r != nil && len(problems) == 0 && !r.keep(t.Confidence, in.store.floor) {
		problems = []Problem{{Field: "uuid", Reason: "the same tag as another row"}}
	}
	if len(problems) > 0 {
		for _, p := range problems {
			in.note(PredecessorNote{Table: "ttp_tag", UUID: text[0], Field: p.Field, Reason: p.Reason})
		}
		in.report.Tags.Refused++
		in.leaveOut(scopes)
		return predecessorTag{}, false
	}
	if !validIdentity {
		in.note(PredecessorNote{Table: "ttp_tag", UUID: text[0], Field: "identity_uuid", Reason: uuidRule, Kept: true})
	}
	in.inspect(text, t)
	return predecessorTag{t, scopes}, true
}

// inspect counts normalized values, references without a row, and IDs that the tag's release lacks.
func (in *predecessorImport) inspect(text []string, t Tag) {
	if id, err := uuid.Parse(text[0]); err != nil || id != t.UUID {
		in.report.Normalized["ttp_tag.uuid"]++
	}
	if text[14] != t.AttackRelease {
		in.report.Normalized["attack_release"]++
	}
	if text[16] == "1" { // an empty one, not NULL
		in.report.Normalized["decky_id"]++
	}
	in.report.Normalized["created_at as observed_at"]++
	if in.noRow[t.AttackerUUID] {
		in.noteNoRow("ttp_tag", "attacker_uuid", "attackers")
	}
	if in.knownIdentities.lack(t.IdentityUUID) {
		in.noteNoRow("ttp_tag", "identity_uuid", "attacker_identities")
	}
	if in.names == nil {
		return
	}
	release, ok := in.names.Release(t.AttackRelease)
	if !ok {
		in.report.Odd["release "+t.AttackRelease]++
		return
	}
	technique := cmp.Or(t.SubTechniqueID, t.TechniqueID)
	if _, ok := release.Technique(technique); !ok {
		in.report.Odd[technique+" in "+t.AttackRelease]++
	}
	if _, ok := release.Tactic(t.Tactic); !ok {
		in.report.Odd[t.Tactic+" in "+t.AttackRelease]++
	}
}

// predecessorTime parses a DATETIME in UTC, with or without a fraction.
func predecessorTime(text string) (time.Time, error) {
	return time.Parse(time.DateTime, strings.Replace(text, "T", " ", 1))
}

// storeTags writes tags in one transaction. A dry run only predicts their outcomes.
func (in *predecessorImport) storeTags(ctx context.Context, rows []predecessorTag) error {
	batch, err := uuid.NewV7()
	if err != nil {
		return err
	}
	attackers, err := storedAttackers(ctx, in, rows, func(t predecessorTag) uuid.UUID { return t.AttackerUUID })
	if err != nil {
		return err
	}
	call := insertCall{ctx: ctx, batch: batch, outcomes: make([]Outcome, len(rows)), attempts: new(atomic.Int64)}
	for i := range rows {
		row := &rows[i].Tag
		row.IdentityUUID = cmp.Or(attackers[row.AttackerUUID].IdentityUUID, row.IdentityUUID)
		row.BatchUUID, row.IngestedAt = batch, in.store.now()
		call.tags = append(call.tags, *row)
	}
	if in.opts.DryRun {
		if err = in.predict(ctx, &call); err == nil {
			in.report.Tags.addAll(outcomesOf(call.outcomes))
		}
		return err
	}
	observed := in.store.observe(ctx, predecessorOp)
	err = in.store.insertCalls(ctx, &call)
	observed(Observation{Rows: len(rows), Outcomes: outcomesOf(call.outcomes), Attempts: int(call.attempts.Load())}, err)
	if err != nil {
		return err
	}
	in.report.Tags.addAll(outcomesOf(call.outcomes))
	var others []predecessorTag
	for i, outcome := range call.outcomes {
		if outcome != Inserted {
			others = append(others, rows[i])
		}
	}
	return in.restoreIdentities(ctx, others)
}

// restoreIdentities sets the identity of tags that were already stored to the source's: an earlier import cleared it if the
// attacker left its identity. It leaves tags that are not stored out of the comparison.
func (in *predecessorImport) restoreIdentities(ctx context.Context, rows []predecessorTag) error {
	if len(rows) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.UUID
	}
	var stored map[uuid.UUID]lockedTag
	err := in.write(ctx, func(q queries) error {
		stored = map[uuid.UUID]lockedTag{}
		for chunk := range slices.Chunk(unique(ids), moveBatch) {
			locked, err := inShardOrder(ctx, q, lockTags, idBytes(chunk))
			if err != nil {
				return err
			}
			maps.Copy(stored, mapByID(locked, func(l lockedTag) uuid.UUID { return l.uuid }))
		}
		return setIdentities(ctx, q, rows, stored)
	})
	for _, row := range rows {
		if _, ok := stored[row.UUID]; !ok {
			in.leaveOut(row.scopes)
		}
	}
	return err
}

func setIdentities(ctx context.Context, q queries, rows []predecessorTag, stored map[uuid.UUID]lockedTag) error {
	changed := map[uuid.UUID][]uuid.UUID{} // tags by their identity
	for _, row := range rows {
		l, ok := stored[row.UUID]
		if ok && l.attacker == row.AttackerUUID && l.identity != row.IdentityUUID {
			changed[row.IdentityUUID] = append(changed[row.IdentityUUID], row.UUID)
		}
	}
	for _, identity := range byUUID(slices.Collect(maps.Keys(changed)), self) {
		if _, err := setTagIdentities(ctx, q, args{IdentityUUID: nullID(identity), UUIDs: idBytes(changed[identity])}); err != nil {
			return err
		}
	}
	return nil
}

// predict sets the outcomes that the tags would have.
func (in *predecessorImport) predict(ctx context.Context, call *insertCall) error {
	ids := make([]uuid.UUID, len(call.tags))
	for i, t := range call.tags {
		ids[i] = t.UUID
	}
	stored, err := readStored(ctx, in, listStoredTagUUIDs, ids, self)
	if err != nil {
		return err
	}
	tombstoned, err := readStored(ctx, in, listTombstonedTagUUIDs, ids, self)
	for i, t := range call.tags {
		_, isStored := stored[t.UUID]
		_, isTombstoned := tombstoned[t.UUID]
		switch {
		case t.Confidence < in.store.floor:
			call.outcomes[i] = BelowFloor
		case isStored:
			call.outcomes[i] = Duplicate
		case isTombstoned:
			call.outcomes[i] = Tombstoned
		default:
			call.outcomes[i] = Inserted
		}
	}
	return err
}

func (in *predecessorImport) leaveOut(scopes []string) {
	if in.opts.DryRun {
		return // it compares nothing
	}
	for _, scope := range scopes {
		in.leftOut[scope]++
	}
}
