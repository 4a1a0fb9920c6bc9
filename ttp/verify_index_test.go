package ttp

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

var indexTestAttacker = uuid.MustParse("000d8a77-b228-502f-b2e9-96bd76c78316")

// misindexedStore returns a store with five tags of one attacker. The statement has changed their rows without updating
// the index.
func misindexedStore(t *testing.T, index, statement string) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ttp.db")
	s, err := Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var tags []Tag
	for i := range 5 {
		tags = append(tags, Tag{
			SourceKind: "command", SourceID: fmt.Sprint(i), AttackerUUID: indexTestAttacker, SessionID: "s", Tactic: "TA0006",
			TechniqueID: "T1110", Confidence: 0.7, RuleID: "R1", Evidence: []byte("{}"), AttackRelease: "enterprise-v18.1",
			ObservedAt: time.Date(2026, 3, 1, 0, 0, i, 0, time.UTC),
		})
	}
	if _, err := s.InsertTags(t.Context(), tags); err != nil {
		t.Fatal(err)
	}
	if err := s.UpsertAttackers(t.Context(), []Attacker{{UUID: indexTestAttacker}}); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	var root, version int
	var create string
	if err := db.QueryRow("SELECT rootpage, sql FROM sqlite_schema WHERE name = ?", index).Scan(&root, &create); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow("PRAGMA schema_version").Scan(&version); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{"PRAGMA writable_schema = 1", nil},
		{"DELETE FROM sqlite_schema WHERE name = ?", []any{index}},
		{"PRAGMA writable_schema = RESET", nil},
		{statement, nil},
		{"PRAGMA writable_schema = 1", nil},
		{"INSERT INTO sqlite_schema VALUES ('index', ?, 'ttp_tag', ?, ?)", []any{index, root, create}},
		{fmt.Sprintf("PRAGMA schema_version = %d", version+1), nil},
	} {
		if _, err := db.Exec(step.statement, step.args...); err != nil {
			t.Fatalf("%s: %v", step.statement, err)
		}
	}
	return s
}

// findings returns the kind, object and detail of each finding, and whether all were repaired.
func findings(t *testing.T, s *Store, repair bool) (found []string, repaired bool) {
	t.Helper()
	repaired = true
	for f, err := range s.Verify(t.Context(), VerifyOptions{Repair: repair}) {
		if err != nil {
			t.Fatal(err)
		}
		found, repaired = append(found, fmt.Sprint(f.Kind, " ", f.Of, " ", f.Detail)), repaired && f.Repaired
	}
	return found, repaired
}

// uncheckedSQLite skips the comparison of indexes with tables by SQLite itself.
type uncheckedSQLite struct{ sqliteEngine }

func (uncheckedSQLite) checkTables(context.Context, *sql.DB) ([]damage, error) { return nil, nil }

// Each index serves another scope, and each change of a row makes its rollup wrong in another way.
func TestVerifyFindsIndexesThatDifferFromTheirRows(t *testing.T) {
	const count = "wrong_count technique T1110 TA0006 enterprise-v18.1 has 5 tags, but its stored count (5), times or confidence are wrong"
	for _, c := range []struct {
		index, statement  string
		bySQLite, byStore []string
	}{
		{
			"ttp_tag_attacker", "UPDATE ttp_tag SET confidence = 0.9 WHERE source_id = '1'",
			[]string{"wrong_index database row 5 missing from index ttp_tag_attacker"},
			[]string{"wrong_index tag has no matching entry in the index ttp_tag_attacker", count},
		},
		{
			"ttp_tag_session", "UPDATE ttp_tag SET observed_at = 1, session_id = 't' WHERE source_id = '1'",
			[]string{"wrong_index database row 5 missing from index ttp_tag_session"},
			[]string{"wrong_index tag has no matching entry in the index ttp_tag_session", count},
		},
		{
			"ttp_tag_observed", "DELETE FROM ttp_tag WHERE source_id = '1'",
			[]string{"wrong_index database wrong # of entries in index ttp_tag_observed"},
			[]string{
				"wrong_index index ttp_tag_observed has 5 entries for 4 tags",
				"wrong_count technique T1110 TA0006 enterprise-v18.1 has 4 tags, but its stored count (5), times or confidence are wrong",
			},
		},
		{
			"ttp_tag_technique", "UPDATE ttp_tag SET confidence = 0.9 WHERE source_id IN ('1', '2')", // SQLite reports both
			[]string{"wrong_index database row 4 missing from index ttp_tag_technique"},
			[]string{
				"wrong_index tag has no matching entry in the index ttp_tag_technique",
				"wrong_index tag has no matching entry in the index ttp_tag_technique",
			},
		},
		{
			"ttp_tag_identity", "UPDATE ttp_tag SET identity_uuid = X'000d8a77b228502fb2e996bd76c78316' WHERE source_id = '1'",
			[]string{"wrong_index database row 5 missing from index ttp_tag_identity"},
			[]string{
				"wrong_index tag has no matching entry in the index ttp_tag_identity",
				"dangling tag identity_uuid 000d8a77-b228-502f-b2e9-96bd76c78316 is not stored",
				"wrong_index index ttp_tag_identity has 0 entries for 1 tags",
			},
		},
	} {
		t.Run(c.index, func(t *testing.T) {
			t.Parallel()
			s := misindexedStore(t, c.index, c.statement)
			if found, _ := findings(t, s, false); !slices.Equal(found, slices.Concat(c.bySQLite, c.byStore)) {
				t.Errorf("found %q", found)
			}
			findings(t, s, true)
			if found, _ := findings(t, s, false); slices.ContainsFunc(found, isNotDangling) {
				t.Errorf("left %q", found)
			}

			s = misindexedStore(t, c.index, c.statement)
			s.engine = uncheckedSQLite{s.engine.(sqliteEngine)}
			if found, _ := findings(t, s, false); !slices.Equal(found, c.byStore) {
				t.Errorf("without SQLite's check: found %q", found)
			}
			repairable := !slices.ContainsFunc(c.byStore, func(finding string) bool { return !isNotDangling(finding) })
			if _, repaired := findings(t, s, true); repaired != repairable {
				t.Errorf("without SQLite's check: repaired %v, want %v", repaired, repairable)
			}
			if found, _ := findings(t, s, false); slices.ContainsFunc(found, isNotDangling) {
				t.Errorf("without SQLite's check: left %q", found)
			}
		})
	}
}

func isNotDangling(finding string) bool { return finding[:len(Dangling)] != string(Dangling) }

func TestRollupsAreRightAfterTheirIndexIsRepaired(t *testing.T) {
	s := misindexedStore(t, "ttp_tag_attacker", "UPDATE ttp_tag SET confidence = 0.9 WHERE source_id = '1'")
	for _, want := range []float64{0.7, 0.9} {
		rows, err := s.ListTechniquesByAttacker(t.Context(), indexTestAttacker)
		if err != nil || len(rows) != 1 || rows[0].ConfidenceMax != want {
			t.Errorf("got %+v, %v, want the confidence %v", rows, err, want)
		}
		if _, repaired := findings(t, s, true); !repaired {
			t.Error("not repaired")
		}
	}
}

// In a caller's transaction the engine's own check does not run, and without it indexes are not rebuilt.
func TestVerifyInATransactionLeavesIndexesAlone(t *testing.T) {
	s := misindexedStore(t, "ttp_tag_technique", "UPDATE ttp_tag SET confidence = 0.9 WHERE source_id = '1'")
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	found, repaired := findings(t, s.WithTx(tx), true)
	want := []string{"wrong_index tag has no matching entry in the index ttp_tag_technique"}
	if !slices.Equal(found, want) || repaired {
		t.Errorf("found %q, repaired %v", found, repaired)
	}
}
