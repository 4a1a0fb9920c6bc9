package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

var tagCases = []testCase{
	{name: "TagUUIDsNeverChange", run: tagUUIDsNeverChange},
	{name: "TagIsReadBack", run: tagIsReadBack},
	{name: "OptionalFieldsStayAbsent", run: optionalFieldsStayAbsent},
	{name: "ValuesAtTheirLimitsAreKept", run: valuesAtTheirLimitsAreKept},
	{name: "ValuesPastTheirLimitsAreRefused", run: valuesPastTheirLimitsAreRefused},
	{name: "EveryInvalidRowIsReported", run: everyInvalidRowIsReported},
	{name: "TextIsComparedByteForByte", run: textIsComparedByteForByte},
	{name: "TimesKeepMicroseconds", run: timesKeepMicroseconds},
	{name: "ReleasesAreStoredCanonically", run: releasesAreStoredCanonically},
	{name: "EvidenceIsKeptByteForByte", run: evidenceIsKeptByteForByte},
	{name: "NilEvidenceIsAnEmptyObject", run: nilEvidenceIsAnEmptyObject},
}

func tagUUIDsNeverChange(t *testing.T, db *database) {
	golden := map[uuid.UUID]uuid.UUID{
		ttp.ComputeTagUUID("command", "cmd_42", "R0014", 2, "T1083", ""):          uuid.MustParse("9aa491e5-f03b-5d8f-9eb5-161becedcdd6"),
		ttp.ComputeTagUUID("command", "cmd_42", "R0015", 1, "T1548", "T1548.001"): uuid.MustParse("4fd57b14-c135-544c-97d9-4fabc1051584"),
	}
	for got, want := range golden {
		equal(t, "uuid", got, want)
	}
	s := db.store(t)
	insert(t, s, newTag("cmd_42", func(tag *ttp.Tag) { tag.RuleID, tag.RuleVersion, tag.TechniqueID = "R0014", 2, "T1083" }))
	equal(t, "stored uuid", stored(t, s)[0].UUID, uuid.MustParse("9aa491e5-f03b-5d8f-9eb5-161becedcdd6"))
}

func tagIsReadBack(t *testing.T, db *database) {
	s := db.store(t)
	tag := ttp.Tag{
		SourceKind: "auth_attempt", SourceID: "übung|1", AttackerUUID: id("attacker"), IdentityUUID: id("identity"),
		SessionID: "session-1", DeckyID: "decky-1", Tactic: "TA0006", TechniqueID: "T1110", SubTechniqueID: "T1110.001",
		Confidence: 1.0 / 3, RuleID: "R1001", RuleVersion: math.MaxInt, Evidence: json.RawMessage(`{"user":"root"}`),
		AttackRelease: "enterprise-v15.1", ObservedAt: at(123456),
	}
	before := time.Now().Add(-time.Second)
	result := insert(t, s, tag)
	got := stored(t, s)[0]
	if got.IngestedAt.Before(before) || got.IngestedAt.After(time.Now().Add(time.Second)) {
		t.Errorf("ingested_at is %v, not now", got.IngestedAt)
	}
	equal(t, "the batch's version", got.BatchUUID.Version(), 7)
	want := tag
	want.UUID = tag.ComputeUUID()
	want.BatchUUID, want.IngestedAt = result.BatchUUID, got.IngestedAt
	equal(t, "tag", got, want)
}

func optionalFieldsStayAbsent(t *testing.T, db *database) {
	s := db.store(t)
	attackerOnly := newTag("1")
	identityOnly := newTag("2", func(tag *ttp.Tag) { tag.AttackerUUID, tag.IdentityUUID = uuid.Nil, id("identity") })
	insert(t, s, attackerOnly, identityOnly)
	for _, got := range stored(t, s) {
		want := attackerOnly
		if got.SourceID == "2" {
			want = identityOnly
		}
		want.UUID, want.BatchUUID, want.IngestedAt = got.UUID, got.BatchUUID, got.IngestedAt
		equal(t, "tag", got, want)
	}
}

// limits holds the maximum lengths of text fields, in characters.
var limits = []struct {
	field string
	most  int
	set   func(tag *ttp.Tag, value string)
}{
	{"source_kind", 64, func(tag *ttp.Tag, v string) { tag.SourceKind = v }},
	{"source_id", 255, func(tag *ttp.Tag, v string) { tag.SourceID = v }},
	{"session_id", 255, func(tag *ttp.Tag, v string) { tag.SessionID = v }},
	{"decky_id", 255, func(tag *ttp.Tag, v string) { tag.DeckyID = v }},
	{"rule_id", 64, func(tag *ttp.Tag, v string) { tag.RuleID = v }},
}

func valuesAtTheirLimitsAreKept(t *testing.T, db *database) {
	s := db.store(t)
	tags := []ttp.Tag{
		newTag("confidence of the floor", func(tag *ttp.Tag) { tag.Confidence = ttp.DefaultConfidenceFloor }),
		newTag("full confidence", func(tag *ttp.Tag) { tag.Confidence = 1 }),
		newTag("rule version", func(tag *ttp.Tag) { tag.RuleVersion = 0 }),
		newTag("release", func(tag *ttp.Tag) { tag.AttackRelease = "enterprise-v999.99" }),
		newTag("earliest", func(tag *ttp.Tag) { tag.ObservedAt = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC) }),
		newTag("latest", func(tag *ttp.Tag) { tag.ObservedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC) }),
	}
	for _, limit := range limits {
		for _, char := range []string{"a", "é", "😀"} {
			tags = append(tags, newTag("limit "+limit.field+char, func(tag *ttp.Tag) { limit.set(tag, strings.Repeat(char, limit.most)) }))
		}
	}
	equal(t, "inserted", insert(t, s, tags...).Inserted, len(tags))
	want := map[uuid.UUID]ttp.Tag{}
	for _, tag := range tags {
		tag.UUID = tag.ComputeUUID()
		want[tag.UUID] = tag
	}
	got := map[uuid.UUID]ttp.Tag{}
	for _, tag := range stored(t, s) {
		tag.BatchUUID, tag.IngestedAt = uuid.Nil, time.Time{}
		got[tag.UUID] = tag
	}
	equal(t, "tags", got, want)
}

// badTag is a change that makes a tag invalid.
type badTag struct {
	field  string
	change func(*ttp.Tag)
}

func badTags() []badTag {
	bad := []badTag{
		{"source_kind", func(tag *ttp.Tag) { tag.SourceKind = "" }},
		{"source_kind", func(tag *ttp.Tag) { tag.SourceKind = "a|b" }},
		{"source_id", func(tag *ttp.Tag) { tag.SourceID = "" }},
		{"attacker_uuid, identity_uuid", func(tag *ttp.Tag) { tag.AttackerUUID = uuid.Nil }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "" }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "ta0006" }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "TA00061" }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "0006" }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "TA000/" }},
		{"tactic", func(tag *ttp.Tag) { tag.Tactic = "TA000:" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "1110" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "T111x" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "t1110" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "T1110\n" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "T111" }},
		{"technique_id", func(tag *ttp.Tag) { tag.TechniqueID = "T١٢٣٤" }},
		{"sub_technique_id", func(tag *ttp.Tag) { tag.SubTechniqueID = "T1111.001" }},
		{"sub_technique_id", func(tag *ttp.Tag) { tag.SubTechniqueID = "T1110.1" }},
		{"sub_technique_id", func(tag *ttp.Tag) { tag.SubTechniqueID = "T1110" }},
		{"confidence", func(tag *ttp.Tag) { tag.Confidence = math.NaN() }},
		{"confidence", func(tag *ttp.Tag) { tag.Confidence = math.Inf(1) }},
		{"confidence", func(tag *ttp.Tag) { tag.Confidence = math.Inf(-1) }},
		{"confidence", func(tag *ttp.Tag) { tag.Confidence = -0.1 }},
		{"confidence", func(tag *ttp.Tag) { tag.Confidence = math.Nextafter(1, 2) }},
		{"rule_id", func(tag *ttp.Tag) { tag.RuleID = "" }},
		{"rule_id", func(tag *ttp.Tag) { tag.RuleID = "R|1" }},
		{"rule_version", func(tag *ttp.Tag) { tag.RuleVersion = -1 }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "" }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "cloud-v18.1" }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "enterprise-18.1" }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "enterprise-v18" }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "enterprise-v18.01" }},
		{"attack_release", func(tag *ttp.Tag) { tag.AttackRelease = "Enterprise-v18.1" }},
		{"observed_at", func(tag *ttp.Tag) { tag.ObservedAt = time.Time{} }},
		{"observed_at", func(tag *ttp.Tag) { tag.ObservedAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"observed_at", func(tag *ttp.Tag) { tag.ObservedAt = time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC) }},
		{"uuid", func(tag *ttp.Tag) { tag.UUID = id("another") }},
	}
	for _, limit := range limits {
		for _, value := range []string{
			strings.Repeat("a", limit.most+1), strings.Repeat("é", limit.most+1),
			" a", "a ", "a\u00a0", "a\tb", "a\x00b", "a\u0085b", "\xff",
		} {
			bad = append(bad, badTag{limit.field, func(tag *ttp.Tag) { limit.set(tag, value) }})
		}
	}
	for _, evidence := range badEvidence {
		bad = append(bad, badTag{"evidence", func(tag *ttp.Tag) { tag.Evidence = json.RawMessage(evidence) }})
	}
	return bad
}

// Each invalid tag is inserted together with a valid one, and neither may be written.
func valuesPastTheirLimitsAreRefused(t *testing.T, db *database) {
	s := db.store(t)
	for i, bad := range badTags() {
		tag := newTag("bad", bad.change)
		_, err := s.InsertTags(context.Background(), []ttp.Tag{newTag("good"), tag})
		var invalid *ttp.InvalidError
		if !errors.Is(err, ttp.ErrInvalidTag) || !errors.As(err, &invalid) {
			t.Errorf("value %d of %s: got %v", i, bad.field, err)
			continue
		}
		if p := invalid.Problems; len(p) != 1 || p[0].Index != 1 || p[0].Field != bad.field || p[0].Reason == "" {
			t.Errorf("value %d of %s: got problems %+v", i, bad.field, invalid.Problems)
		}
	}
	equal(t, "tags", count(t, s), 0)
}

func everyInvalidRowIsReported(t *testing.T, db *database) {
	s := db.store(t)
	tags := newTags(2000)
	tags[3].Tactic, tags[3].RuleID = "", ""
	tags[1999].AttackerUUID = uuid.Nil
	_, err := s.InsertTags(context.Background(), tags)
	var invalid *ttp.InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	type place struct {
		index int
		field string
	}
	var got []place
	for _, p := range invalid.Problems {
		got = append(got, place{p.Index, p.Field})
	}
	if want := []place{{3, "tactic"}, {3, "rule_id"}, {1999, "attacker_uuid, identity_uuid"}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	equal(t, "message", err.Error(), `ttp: insert tags: invalid tag: row 3: tactic: must be "TA" and four digits; `+
		`row 3: rule_id: must not be empty; row 1999: attacker_uuid, identity_uuid: at least one must be set`)
	_, err = s.InsertTags(context.Background(), newTags(7, func(tag *ttp.Tag) { tag.RuleID = "" }))
	equal(t, "message of seven", err.Error(), "ttp: insert tags: invalid tag: "+
		"row 0: rule_id: must not be empty; row 1: rule_id: must not be empty; "+
		"row 2: rule_id: must not be empty; row 3: rule_id: must not be empty; row 4: rule_id: must not be empty; and 2 more")
	equal(t, "tags", count(t, s), 0)
}

// Default collations ignore case, accents and trailing spaces.
func textIsComparedByteForByte(t *testing.T, db *database) {
	s := db.store(t)
	for _, session := range []string{"s", "S", "ß", "ss", "é", "e\u0301", "e"} {
		result := insert(t, s, newTag("source "+session, func(tag *ttp.Tag) { tag.SessionID = session }))
		equal(t, "inserted for "+session, result.Inserted, 1)
	}
	for _, session := range []string{"s", "S", "ß", "ss", "é", "e\u0301", "e"} {
		rows := must[[]ttp.IdentityTechniqueRow](t)(s.ListTechniquesBySession(context.Background(), session))
		if len(rows) != 1 || rows[0].Count != 1 {
			t.Errorf("session %q has %+v", session, rows)
		}
	}
	for _, session := range []string{"s ", " s", "É", ""} {
		rows := must[[]ttp.IdentityTechniqueRow](t)(s.ListTechniquesBySession(context.Background(), session))
		equal(t, "rows of "+session, rows, []ttp.IdentityTechniqueRow{})
	}
}

func timesKeepMicroseconds(t *testing.T, db *database) {
	s := db.store(t)
	zone := time.FixedZone("", 5*3600+1800)
	tags := []ttp.Tag{
		newTag("zone", func(tag *ttp.Tag) { tag.ObservedAt = at(1).In(zone) }),
		newTag("nanoseconds", func(tag *ttp.Tag) { tag.ObservedAt = at(2).Add(999 * time.Nanosecond) }),
		newTag("before 1970", func(tag *ttp.Tag) { tag.ObservedAt = time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC) }),
	}
	insert(t, s, tags...)
	want := map[string]time.Time{"zone": at(1), "nanoseconds": at(2), "before 1970": time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)}
	got := map[string]time.Time{}
	for _, tag := range stored(t, s) {
		got[tag.SourceID] = tag.ObservedAt
		equal(t, "zone", tag.ObservedAt.Location().String(), "UTC")
	}
	equal(t, "times", got, want)
	row := must[[]ttp.TechniqueRollupRow](t)(s.ListDistinctTechniques(context.Background()))[0]
	equal(t, "first seen", row.FirstSeen, want["before 1970"])
	equal(t, "last seen", row.LastSeen, at(2))
}

func releasesAreStoredCanonically(t *testing.T, db *database) {
	s := db.store(t)
	want := map[string]string{
		"v15.1": "enterprise-v15.1", "15.1": "enterprise-v15.1", "enterprise-v15.1": "enterprise-v15.1",
		"ics-v18.1": "ics-v18.1", "mobile-v10.0": "mobile-v10.0",
	}
	for given := range want {
		insert(t, s, newTag(given, func(tag *ttp.Tag) { tag.AttackRelease = given }))
	}
	got := map[string]string{}
	for _, tag := range stored(t, s) {
		got[tag.SourceID] = tag.AttackRelease
	}
	equal(t, "releases", got, want)
}

// goodEvidence holds valid evidence that engines or JSON libraries may change or refuse.
var goodEvidence = []string{
	`{}`,
	`{"b":1.0,  "a":[1,2],"a":3,"big":12345678901234567890123,"tiny":1e-999,"zero":-0.0e-99999999999,"large":9.9e307}`,
	`{"html":"<a href='x'>&amp;</a>","quote":"\"\\\/","tab":"\t","nul":"\u0000"}`,
	`{"é":"\u00e9","😀":"\ud83d\ude00","":"'; DROP TABLE ttp_tag; --?"}`,
	`{ "spaces" : [ 1 , 2 ] }`,
	`{"control":"` + "\u0085\u2028\x7f" + `"}`,
	`{"deep":` + strings.Repeat(`[`, 30) + strings.Repeat(`]`, 30) + `}`,
	`{"long":"` + strings.Repeat("x", 64<<10-11) + `"}`,
	`{"braces":"` + strings.Repeat("{[", 40) + `"}`,
}

var badEvidence = []string{
	``, ` `, ` {}`, "{}\n", `null`, `[]`, `"{}"`, `{`, `{}{}`, `{'a':1}`, `{"a":01}`, "{\"a\":\"\xff\"}",
	`{"long":"` + strings.Repeat("x", 64<<10-10) + `"}`,
	`{"deep":` + strings.Repeat(`[`, 31) + strings.Repeat(`]`, 31) + `}`,
	`{"big":1.7976931348623158e308}`, `{"big":0e999}`, `{"big":0.0E+400}`, `{"big":1` + strings.Repeat("0", 400) + `e-300}`,
	`{"big":1e999}`, `{"big":[-1e999]}`, `{"big":-1e309 }`,
	`{"half":"\ud83d"}`, `{"half":"\ude00"}`, `{"half":"\ud83d\ud83d\ude00"}`, `{"half":"\ud83d\n"}`, `{"\ud83dx":1}`,
}

func evidenceIsKeptByteForByte(t *testing.T, db *database) {
	s := db.store(t)
	want := map[uuid.UUID]string{}
	for i, evidence := range goodEvidence {
		tag := newTag(strings.Repeat("e", i+1), func(tag *ttp.Tag) { tag.Evidence = json.RawMessage(evidence) })
		want[tag.ComputeUUID()] = evidence
		insert(t, s, tag)
	}
	got := map[uuid.UUID]string{}
	for _, tag := range stored(t, s) {
		got[tag.UUID] = string(tag.Evidence)
	}
	equal(t, "evidence", got, want)
}

func nilEvidenceIsAnEmptyObject(t *testing.T, db *database) {
	s := db.store(t)
	insert(t, s, newTag("a", func(tag *ttp.Tag) { tag.Evidence = nil }))
	equal(t, "evidence", string(stored(t, s)[0].Evidence), "{}")
}
