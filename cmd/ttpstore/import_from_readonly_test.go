//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/decnet/ttpstore/internal/conformance"
)

// A source that the user cannot write is read with locks. In WAL mode these would need side files; there, the import ends
// instead once another program writes the file.
func TestImportFromAFileThatAnotherWrites(t *testing.T) {
	busy := "ttpstore: import predecessor: source: database busy: another program has started to write the file: open it again\n"
	for _, test := range []struct{ mode, wrote, ended string }{
		{"DELETE", "database is locked (5) (SQLITE_BUSY)", "3001 read: 1 inserted, 0 duplicate, 0 below floor, 0 tombstoned, 3000 refused"},
		{"WAL", "", busy},
	} {
		t.Run(test.mode, func(t *testing.T) {
			wrote, ended := importWhileWriting(t, test.mode)
			if wrote != test.wrote || !strings.Contains(ended, test.ended) {
				t.Errorf("the writer got %q, the import %q", wrote, ended)
			}
		})
	}
}

// importWhileWriting returns the error of a writer that tries to commit during an import, and the end of the import's
// output. The import waits for the writer, since its notes on refused tags do not fit in a pipe.
func importWhileWriting(t *testing.T, mode string) (wrote, ended string) {
	r := newReader(t, records())
	r.chmod(filepath.Dir(r.db), 0o755)
	source := filepath.Join(filepath.Dir(r.db), "decnet.db")
	conformance.PredecessorFile(t, source, "PRAGMA journal_mode="+mode, `INSERT INTO ttp_tag
SELECT 'x' || value, source_kind, value, attacker_uuid, identity_uuid, session_id, decky_id, tactic, technique_id,
sub_technique_id, confidence, rule_id, rule_version, 'null', attack_release, mitre_url, created_at
FROM ttp_tag, (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 3000) SELECT value FROM n)`)
	r.chmod(source, 0o444)
	r.chmod(filepath.Dir(r.db), 0o555)
	own := t.TempDir()
	for path := own; path != os.TempDir(); path = filepath.Dir(path) {
		r.chmod(path, 0o777)
	}
	r.db = filepath.Join(own, "ttp.db")

	cmd, _ := r.command("import", "--from", "sqlite://"+source)
	cmd.Stderr = nil
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = cmd.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(output, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	r.chmod(filepath.Dir(source), 0o755)
	r.chmod(source, 0o644)
	if err := conformance.WriteFile(source, "DELETE FROM ttp_tag WHERE source_id > '2'"); err != nil {
		wrote = err.Error()
	}
	text, err := io.ReadAll(output)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return wrote, string(text)
}
