package ttp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// predecessorTags reads every value as text, since drivers would convert times and JSON.
const predecessorTags = `SELECT t.uuid, t.source_kind, t.source_id, t.attacker_uuid,
COALESCE(NULLIF(a.identity_id, ''), t.identity_uuid), t.session_id, t.decky_id, t.tactic, t.technique_id, t.sub_technique_id,
t.confidence * 1e0, t.rule_id, t.rule_version, CONCAT('', t.evidence), t.attack_release, CONCAT('', t.created_at), t.decky_id = ''
FROM ttp_tag t LEFT JOIN attackers a ON a.uuid = t.attacker_uuid
ORDER BY t.uuid`

func (in *predecessorImport) tags(ctx context.Context) error {
	for texts, err := range in.source.batchesFrom(ctx, predecessorTags, 17) {
		if err != nil {
			return err
		}
		in.report.Tags.Read += len(texts)
		var rows []predecessorTag
		for _, text := range texts {
			if row, ok := in.parseTag(text); ok {
				rows = append(rows, row)
			}
		}
		if err := in.storeTags(ctx, rows); err != nil {
			return err
		}
		in.progress(len(texts))
	}
	return nil
}

// predecessorTag is a tag in canonical form with the scopes that count it in the source.
type predecessorTag struct {
	Tag
	scopes []string
}

func (in *predecessorImport) parseTag(text []string) (predecessorTag, bool) {
	scopes := []string{
		fleetKey, attackerKey(text[3]), identityKey(text[4]), sessionKey(text[5]),
	}
	t := Tag{
		SourceKind: text[1], SourceID: text[2], SessionID: text[5], DeckyID: text[6], Tactic: text[7], TechniqueID: text[8],
		SubTechniqueID: text[9], RuleID: text[11], Evidence: json.RawMessage(text[13]), AttackRelease: text[14],
	}
	var problems []Problem
	take := func(field string, err error) {
		if err != nil {
			problems = append(problems, Problem{Field: field, Reason: err.Error()})
		}
	}
	var err error
	t.AttackerUUID, err = in.idOf(text[3])
	take("attacker_uuid", err)
	t.IdentityUUID, err = in.idOf(text[4])
	take("identity_uuid", err)
	t.Confidence, err = strconv.ParseFloat(text[10], 64)
	take("confidence", err)
	t.RuleVersion, err = strconv.Atoi(text[12])
	take("rule_version", err)
	t.ObservedAt, err = predecessorTime(text[15])
	take("created_at", err)
	if in.source.single {
		rounded, err := strconv.ParseFloat(strconv.FormatFloat(t.Confidence, 'g', 7, 64), 64)
		if err == nil && rounded != t.Confidence {
			in.report.Normalised["confidence"]++
			t.Confidence = rounded
		}
	}
	if len(problems) == 0 {
		problems = t.canonicalize()
	}
	if len(problems) > 0 {
		for _, p := range problems {
			in.note(PredecessorNote{Table: "ttp_tag", UUID: text[0], Field: p.Field, Reason: p.Reason})
		}
		in.report.Tags.Refused++
		in.leaveOut(scopes)
		return predecessorTag{}, false
	}
	in.inspect(text, t)
	return predecessorTag{t, scopes}, true
}

// inspect counts normalised values, and IDs that the tag's release lacks.
func (in *predecessorImport) inspect(text []string, t Tag) {
	if id, err := uuid.Parse(text[0]); err != nil || id != t.UUID {
		in.report.Normalised["ttp_tag.uuid"]++
	}
	if text[14] != t.AttackRelease {
		in.report.Normalised["attack_release"]++
	}
	if text[16] == "1" { // an empty one, not NULL
		in.report.Normalised["decky_id"]++
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

func (in *predecessorImport) idOf(text string) (uuid.UUID, error) {
	id, ok := in.id(text)
	if !ok {
		return uuid.Nil, errors.New(uuidRule)
	}
	return id, nil
}

// predecessorTime parses a DATETIME in UTC, with or without a fraction.
func predecessorTime(text string) (time.Time, error) {
	t, err := time.Parse(time.DateTime, strings.Replace(text, "T", " ", 1))
	if err != nil {
		return time.Time{}, errors.New("must be a time such as 2026-03-15 17:06:27.727140")
	}
	return t, nil
}

// storeTags writes tags in one transaction. A dry run only predicts their outcomes.
func (in *predecessorImport) storeTags(ctx context.Context, rows []predecessorTag) error {
	batch, err := uuid.NewV7()
	if err != nil {
		return err
	}
	call := insertCall{ctx: ctx, batch: batch, outcomes: make([]Outcome, len(rows)), attempts: new(atomic.Int64)}
	for _, row := range rows {
		row.BatchUUID, row.IngestedAt = batch, in.store.now()
		call.tags = append(call.tags, row.Tag)
	}
	if in.opts.DryRun {
		err = in.predict(ctx, &call)
	} else {
		observed := in.store.observe(ctx, "import predecessor")
		err = in.store.insertCalls(ctx, &call)
		observed(Observation{Rows: len(rows), Outcomes: outcomesOf(call.outcomes), Attempts: int(call.attempts.Load())}, err)
	}
	if err != nil {
		return err
	}
	in.report.Tags.addAll(outcomesOf(call.outcomes))
	for i, outcome := range call.outcomes {
		if outcome == BelowFloor || outcome == Tombstoned {
			in.leaveOut(rows[i].scopes)
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
			stored[t.UUID] = t.UUID // the batch may contain the tag again
		}
	}
	return err
}

func (in *predecessorImport) leaveOut(scopes []string) {
	for _, scope := range scopes {
		in.leftOut[scope]++
	}
}
