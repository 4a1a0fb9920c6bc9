package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/decnet/ttpstore/ttp"
)

var recordCases = []testCase{
	{name: "ExportIsImportedUnchanged", run: exportIsImportedUnchanged},
	{name: "ImportReportsItsCounts", run: importReportsItsCounts},
	{name: "ImportStopsBeforeAnInvalidBatch", run: importStopsBeforeAnInvalidBatch},
	{name: "ImportSkipsInvalidLines", run: importSkipsInvalidLines},
	{name: "InvalidLinesAreReported", run: invalidLinesAreReported},
	{name: "DryRunWritesNothing", run: dryRunWritesNothing},
	{name: "CancelledDryRunDelaysNoWriter", run: cancelledDryRunDelaysNoWriter},
	{name: "ImportReadsGzip", run: importReadsGzip},
	{name: "ImportSkipsAByteOrderMark", run: importSkipsAByteOrderMark},
	{name: "ReadErrorKeepsEarlierBatches", run: readErrorKeepsEarlierBatches},
	{name: "ExportReadsOneSnapshot", run: exportReadsOneSnapshot},
}

const (
	campaignLine = `{"type":"campaign","uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188","name":"<Grün> & \"blau\"",` +
		`"merged_into_uuid":"12c72d85-295f-58f5-a150-10b0d099a397"}`
	identityLine = `{"type":"identity","uuid":"05205c50-66b3-53b4-af13-06b4501c4815",` +
		`"campaign_uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188","merged_into_uuid":"13593f38-c2d6-5760-b4ca-6b523e5fdfb1"}`
	attackerLine = `{"type":"attacker","uuid":"000d8a77-b228-502f-b2e9-96bd76c78316","ip":"192.0.2.7",` +
		`"identity_uuid":"05205c50-66b3-53b4-af13-06b4501c4815"}`
	tagLine = `{"type":"tag","uuid":"9aa491e5-f03b-5d8f-9eb5-161becedcdd6","source_kind":"command","source_id":"cmd_42",` +
		`"attacker_uuid":"000d8a77-b228-502f-b2e9-96bd76c78316","identity_uuid":"05205c50-66b3-53b4-af13-06b4501c4815",` +
		`"session_id":"s","decky_id":"d",` +
		`"tactic":"TA0007","technique_id":"T1083","confidence":0.7,"rule_id":"R0014","rule_version":2,"attack_release":"enterprise-v15.1",` +
		`"observed_at":"2018-05-06T17:44:05.877228Z","ingested_at":"2026-01-01T00:00:00.000001Z",` +
		`"batch_uuid":"019b76da-a800-7000-8000-000000000001",` +
		`"evidence":{"b": 1.0, "a":["<&>",3]}}`
	smallTagLine = `{"type":"tag","source_kind":"email","source_id":"1","identity_uuid":"05205c50-66b3-53b4-af13-06b4501c4815",` +
		`"tactic":"TA0001","technique_id":"T1566","sub_technique_id":"T1566.002","confidence":1,"rule_id":"R2","rule_version":0,` +
		`"attack_release":"18.1","observed_at":"2026-05-06T17:44:05+02:00","evidence":{}}`
)

func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

func imported(t *testing.T, s *ttp.Store, input string, opts ttp.ImportOptions) ttp.ImportReport {
	t.Helper()
	return must[ttp.ImportReport](t)(s.Import(context.Background(), strings.NewReader(input), opts))
}

func exportText(tb testing.TB, s *ttp.Store) string {
	tb.Helper()
	var out bytes.Buffer
	if _, err := s.Export(context.Background(), &out, ttp.Filter{}, nil); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// exported returns the lines of an export.
func exported(tb testing.TB, s *ttp.Store) [][]byte {
	tb.Helper()
	return bytes.Split(bytes.TrimSuffix([]byte(exportText(tb, s)), []byte("\n")), []byte("\n"))
}

// Complete records are exported unchanged. Values that a store has added are kept by an import into another store.
func exportIsImportedUnchanged(t *testing.T, db *database) {
	s := db.store(t)
	complete := lines(campaignLine, identityLine, attackerLine, tagLine)
	imported(t, s, complete, ttp.ImportOptions{})
	equal(t, "export of complete records", exportText(t, s), complete)

	imported(t, s, smallTagLine, ttp.ImportOptions{})
	for i, evidence := range goodEvidence {
		insert(t, s, newTag(fmt.Sprint(i), func(tag *ttp.Tag) { tag.Evidence = []byte(evidence) }))
	}
	first := exportText(t, s)
	second := newDatabase(t, db.Engine).store(t)
	imported(t, second, first, ttp.ImportOptions{})
	equal(t, "export of the import", exportText(t, second), first)

	insert(t, second, newTag("line breaks", func(tag *ttp.Tag) { tag.Evidence = []byte("{\n \"a\":\r\n1}") }))
	if got := exportText(t, second); !strings.Contains(got, `"evidence":{  "a":  1}}`) {
		t.Error("line breaks in evidence were not replaced by spaces")
	}
}

func importReportsItsCounts(t *testing.T, db *database) {
	s := db.store(t)
	low := strings.Replace(smallTagLine, `"confidence":1`, `"confidence":0.1`, 1)
	input := lines(campaignLine, "", identityLine, attackerLine, tagLine, smallTagLine, low, tagLine)
	want := ttp.ImportReport{Lines: 8, Campaigns: 1, Identities: 1, Attackers: 1, Read: 4, Inserted: 2, Duplicate: 1, BelowFloor: 1}
	var progress []ttp.ImportReport
	got := imported(t, s, input, ttp.ImportOptions{Batch: 7, Progress: func(r ttp.ImportReport) { progress = append(progress, r) }})
	equal(t, "report", got, want)
	if len(progress) != 2 || progress[1] != want || progress[0].Lines != 7 {
		t.Errorf("progress was %+v", progress)
	}
	want.Inserted, want.Duplicate = 0, 3
	equal(t, "report of a replay", imported(t, s, input, ttp.ImportOptions{Batch: 1}), want)
	equal(t, "report of an empty import", imported(t, s, "", ttp.ImportOptions{}), ttp.ImportReport{})
	for _, short := range []string{"1", "{}"} { // than a byte order mark
		equal(t, "report of "+short, imported(t, s, short, ttp.ImportOptions{SkipInvalid: true}), ttp.ImportReport{Lines: 1, Invalid: 1})
	}
	if _, err := s.Import(context.Background(), strings.NewReader(""), ttp.ImportOptions{Batch: -1}); err == nil {
		t.Error("a negative batch was accepted")
	}
}

func importStopsBeforeAnInvalidBatch(t *testing.T, db *database) {
	s := db.store(t)
	input := lines(attackerLine, identityLine, tagLine, `{"type":"tag"}`, smallTagLine)
	got, err := s.Import(context.Background(), strings.NewReader(input), ttp.ImportOptions{Batch: 2})
	if !errors.Is(err, ttp.ErrInvalidRecord) || !strings.Contains(err.Error(), "line 4: source_kind: must be set") {
		t.Errorf("got %v", err)
	}
	equal(t, "report", got, ttp.ImportReport{Lines: 4, Identities: 1, Attackers: 1, Invalid: 1})
	equal(t, "tags", count(t, s), 0)
	// A write error rolls back the whole batch too.
	loop := `{"type":"identity","uuid":"13593f38-c2d6-5760-b4ca-6b523e5fdfb1","merged_into_uuid":"05205c50-66b3-53b4-af13-06b4501c4815"}`
	_, err = s.Import(context.Background(), strings.NewReader(lines(tagLine, loop)), ttp.ImportOptions{})
	if !errors.Is(err, ttp.ErrConflict) {
		t.Errorf("a cycle: got %v", err)
	}
	equal(t, "tags", count(t, s), 0)
}

func importSkipsInvalidLines(t *testing.T, db *database) {
	s := db.store(t)
	var skipped []int
	long := `{"type":"campaign","uuid":"02cfc226-4a72-52c1-a22d-eb724ba07188","name":"` + strings.Repeat("x", 3<<20) + `"}`
	got := imported(t, s, lines(tagLine, "{", long, smallTagLine, long), ttp.ImportOptions{
		Batch: 2, SkipInvalid: true, OnInvalid: func(p ttp.Problem) { skipped = append(skipped, p.Index) },
	})
	equal(t, "report", got, ttp.ImportReport{Lines: 5, Read: 2, Inserted: 2, Invalid: 3})
	equal(t, "skipped lines", skipped, []int{2, 3, 5})
}

func invalidLinesAreReported(t *testing.T, db *database) {
	s := db.store(t)
	change := func(line, old, new string) string { return strings.Replace(line, old, new, 1) }
	for _, bad := range []struct {
		line string
		want []ttp.Problem
	}{
		{`x`, []ttp.Problem{{Reason: "must be a JSON object"}}},
		{`null`, []ttp.Problem{{Reason: "must be a JSON object"}}},
		{tagLine + tagLine, []ttp.Problem{{Reason: "must be a JSON object"}}},
		{change(tagLine, "cmd_42", "a\xffb"), []ttp.Problem{{Reason: "must be valid UTF-8"}}},
		{change(tagLine, "cmd_42", `a\ud800b`), []ttp.Problem{{Field: "source_id", Reason: "must not contain an unpaired surrogate"}}},
		{change(tagLine, `"decky_id":"d"`, `"decky_id":"d","decky_id":"e"`),
			[]ttp.Problem{{Field: "decky_id", Reason: "must not be given twice"}}},
		{change(identityLine, "05205c50-", "05205c50"), []ttp.Problem{{Field: "uuid", Reason: "must be a UUID"}}},
		{change(identityLine, "05205c50-66b3", "urn:uuid:05205c50-66b3"), []ttp.Problem{{Field: "uuid", Reason: "must be a UUID"}}},
		{`{}`,
			[]ttp.Problem{{Field: "type", Reason: "must be set"}, {Field: "type", Reason: `must be "campaign", "identity", "attacker" or "tag"`}}},
		{`{"type":"actor"}`, []ttp.Problem{{Field: "type", Reason: `must be "campaign", "identity", "attacker" or "tag"`}}},
		{`{"type":"campaign"}`, []ttp.Problem{{Field: "uuid", Reason: "must be set"}}},
		{change(campaignLine, `"name"`, `"title"`), []ttp.Problem{{Field: "title", Reason: "is not a field of this type"}}},
		{change(identityLine, "05205c50", "0520"), []ttp.Problem{{Field: "uuid", Reason: "must be a UUID"}}},
		{change(attackerLine, "192.0.2.7", "192.0.2"), []ttp.Problem{{Field: "ip", Reason: "must be an IP address"}}},
		{change(tagLine, `"confidence":0.7`, `"confidence":"high"`), []ttp.Problem{{Field: "confidence", Reason: "must be a number"}}},
		{change(tagLine, `"confidence":0.7,`, ``), []ttp.Problem{{Field: "confidence", Reason: "must be set"}}},
		{change(tagLine, `"confidence":0.7`, `"confidence":7`), []ttp.Problem{{Field: "confidence", Reason: "must be a number from 0 to 1"}}},
		{change(tagLine, `"rule_version":2,`, ``), []ttp.Problem{{Field: "rule_version", Reason: "must be set"}}},
		{change(tagLine, `"rule_version":2`, `"rule_version":2.5`), []ttp.Problem{{Field: "rule_version", Reason: "must be a whole number"}}},
		{change(tagLine, `"session_id":"s"`, `"session_id":1`), []ttp.Problem{{Field: "session_id", Reason: "must be a string"}}},
		{change(tagLine, `17:44:05.877228Z`, `17:44`), []ttp.Problem{{Field: "observed_at", Reason: "must be an RFC 3339 time"}}},
		{change(tagLine, `T17:44:05.877228Z`, `T7:44:05Z`), []ttp.Problem{{Field: "observed_at", Reason: "must be an RFC 3339 time"}}},
		{change(tagLine, `05.877228Z`, `05,877228Z`), []ttp.Problem{{Field: "observed_at", Reason: "must be an RFC 3339 time"}}},
		{change(tagLine, `00.000001Z`, `00+24:00`), []ttp.Problem{{Field: "ingested_at", Reason: "must be an RFC 3339 time"}}},
		{change(tagLine, `2026-01-01T00:00:00.000001Z`, `0001-01-01T00:00:00Z`), []ttp.Problem{{Field: "ingested_at", Reason: "must be set"}}},
		{change(tagLine, `"evidence":{"b"`, `"evidence":{"b":{},"b"`), nil},
		{change(tagLine, `{"b": 1.0, "a":["<&>",3]}`, `[]`),
			[]ttp.Problem{{Field: "evidence", Reason: "must be a JSON object, {} for none, without white space around it"}}},
		{change(tagLine, `"technique_id":"T1083"`, `"technique_id":"T1084"`),
			[]ttp.Problem{{Field: "uuid", Reason: "must be absent or " +
				ttp.ComputeTagUUID("command", "cmd_42", "R0014", 2, "T1084", "").String() + ", the UUID of the other fields"}}},
	} {
		_, err := s.Import(context.Background(), strings.NewReader(lines("", bad.line)), ttp.ImportOptions{})
		if bad.want == nil {
			succeed(t, err)
			continue
		}
		for i := range bad.want {
			bad.want[i].Place, bad.want[i].Index = ttp.LinePlace, 2
		}
		var invalid *ttp.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: got %v", bad.line, err)
			continue
		}
		equal(t, bad.line, invalid.Problems, bad.want)
	}
}

func dryRunWritesNothing(t *testing.T, db *database) {
	s := db.store(t)
	input := lines(attackerLine, tagLine, tagLine, smallTagLine)
	want := ttp.ImportReport{Lines: 4, Attackers: 1, Read: 3, Inserted: 2, Duplicate: 1}
	equal(t, "report", imported(t, s, input, ttp.ImportOptions{DryRun: true, Batch: 1}), want)
	equal(t, "export", exportText(t, s), "")
	equal(t, "report of the real run", imported(t, s, input, ttp.ImportOptions{Batch: 1}), want)
}

// The reader of a dry run may wait for its input long after the end of the context.
func cancelledDryRunDelaysNoWriter(t *testing.T, db *database) {
	s := db.store(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reader, writer := io.Pipe()
	begun, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		_, err := s.Import(ctx, reader, ttp.ImportOptions{
			DryRun: true, Batch: 1, Progress: func(ttp.ImportReport) { begun <- true },
		})
		ended <- err
	}()
	must[int](t)(io.WriteString(writer, lines(tagLine)))
	<-begun
	cancel()
	late, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	must[ttp.InsertResult](t)(s.InsertTags(late, newTags(1)))
	succeed(t, writer.Close())
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the dry run returned %v", err)
	}
}

func importReadsGzip(t *testing.T, db *database) {
	s := db.store(t)
	var input bytes.Buffer
	for _, line := range []string{tagLine, smallTagLine} { // two members, like the output of `cat a.gz b.gz`
		zip := gzip.NewWriter(&input)
		_, _ = io.WriteString(zip, line+"\n")
		succeed(t, zip.Close())
	}
	got := must[ttp.ImportReport](t)(s.Import(context.Background(), &input, ttp.ImportOptions{}))
	equal(t, "report", got, ttp.ImportReport{Lines: 2, Read: 2, Inserted: 2})
}

// Some editors write a byte order mark at the start of UTF-8 files.
func importSkipsAByteOrderMark(t *testing.T, db *database) {
	s := db.store(t)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(zip, "\ufeff"+lines(smallTagLine))
	succeed(t, zip.Close())
	for input, want := range map[string]ttp.ImportReport{
		"\ufeff" + lines(tagLine): {Lines: 1, Read: 1, Inserted: 1},
		zipped.String():           {Lines: 1, Read: 1, Inserted: 1},
		"\ufeff":                  {},
	} {
		equal(t, "report", imported(t, s, input, ttp.ImportOptions{}), want)
	}
	_, err := s.Import(context.Background(), strings.NewReader(lines(tagLine, "\ufeff"+tagLine)), ttp.ImportOptions{})
	if !errors.Is(err, ttp.ErrInvalidRecord) {
		t.Errorf("a mark on the second line: got %v", err)
	}
}

// The reader fails after the first batch, like for a truncated file.
func readErrorKeepsEarlierBatches(t *testing.T, db *database) {
	s := db.store(t)
	broken := errors.New("broken")
	input := io.MultiReader(strings.NewReader(lines(tagLine, smallTagLine, attackerLine)), &failingReader{broken})
	got, err := s.Import(context.Background(), input, ttp.ImportOptions{Batch: 2})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	equal(t, "report", got, ttp.ImportReport{Lines: 3, Read: 2, Inserted: 2})
	equal(t, "tags", count(t, s), 2)
}

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

// Tags that are written during an export are not exported. Without snapshots they may be.
func exportReadsOneSnapshot(t *testing.T, db *database) {
	if db.OverPool && db.Dialect == ttp.SQLite {
		return // the export holds the only connection
	}
	s := db.store(t)
	insert(t, s, newTags(1000)...)
	once := false
	report, err := s.Export(context.Background(), io.Discard, ttp.Filter{}, func(r ttp.ExportReport) {
		if r.Tags > 0 && !once {
			once = true
			insert(t, s, newTags(2000)...)
		}
	})
	succeed(t, err)
	if db.Capabilities.Snapshots || report.Tags < 1000 {
		equal(t, "exported tags", report.Tags, 1000)
	}
	equal(t, "stored tags", count(t, s), 2000)
}
