package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/ttp"
)

const (
	handwrittenName = "handwritten"
	cSQLiteName     = "C SQLite"
)

// handwrittenSubject is optimized database/sql code on ttpstore's own schema. With C SQLite it shows the limit of SQLite.
func handwrittenSubject(driver string) subject {
	name := handwrittenName
	if driver == cSQLite {
		name = cSQLiteName
	}
	return subject{name: name, schema: ttpstoreSchema(), open: func(ctx context.Context, p place) (store, error) {
		if p.server != nil {
			db, err := openMySQL(p.server, true)
			return handwritten{db, true}, err
		}
		db, err := openSQLite(ctx, driver, p.file)
		return handwritten{db, false}, err
	}}
}

type handwritten struct {
	db    *sql.DB
	mysql bool
}

const (
	tagColumns = `uuid, source_kind, source_id, attacker_uuid, identity_uuid, session_id, decky_id,` +
		` tactic, technique_id, sub_technique_id, confidence, rule_id, rule_version,` +
		` evidence, attack_release, observed_at, ingested_at, batch_uuid`
	insertColumns = `INSERT INTO ttp_tag (` + tagColumns + `, technique_key) VALUES `
	insertTuple   = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	// insertRows is the number of rows per statement on MySQL. More rows are no faster.
	insertRows = 500
)

// insert sorts by UUID, which prevents deadlocks of concurrent writers on MySQL and is faster on both engines. It neither
// validates the tags nor returns the outcome of each.
func (h handwritten) insert(ctx context.Context, tags []ttp.Tag) (int, error) {
	batch, err := uuid.NewV7()
	if err != nil {
		return 0, err
	}
	now := time.Now()
	rows := slices.Clone(tags)
	for i := range rows {
		row := &rows[i]
		row.UUID, row.BatchUUID, row.IngestedAt = row.ComputeUUID(), batch, now
	}
	slices.SortFunc(rows, func(a, b ttp.Tag) int { return bytes.Compare(a.UUID[:], b.UUID[:]) })
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	write := insertBySQLite
	if h.mysql {
		write = insertByMySQL
	}
	written, err := write(ctx, tx, rows)
	if err != nil {
		return 0, err
	}
	return int(written), tx.Commit()
}

// insertBySQLite executes one prepared statement per row. Several rows per statement are no faster.
func insertBySQLite(ctx context.Context, tx *sql.Tx, rows []ttp.Tag) (written int64, err error) {
	stmt, err := tx.PrepareContext(ctx, insertColumns+insertTuple+` ON CONFLICT (uuid) DO NOTHING`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	var args []any
	for i := range rows {
		args = appendArgs(args[:0], &rows[i])
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

func insertByMySQL(ctx context.Context, tx *sql.Tx, rows []ttp.Tag) (written int64, err error) {
	var args []any
	for chunk := range slices.Chunk(rows, insertRows) {
		args = args[:0]
		for i := range chunk {
			args = appendArgs(args, &chunk[i])
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

// link does nothing: ttpstore fills the stores for reads, and writes need no scopes.
func (h handwritten) link(context.Context, graph) error { return nil }

const (
	groupColumns = `COUNT(*), MIN(observed_at), MAX(observed_at), MAX(confidence)`
	groupSelect  = `SELECT technique_key, NULL, ` + groupColumns + ` FROM ttp_tag `
	groupBy      = ` GROUP BY technique_key`
	memberSelect = `SELECT technique_key, i.survivor_uuid, ` + groupColumns + ` FROM ttp_identity i `
	memberGroup  = ` GROUP BY technique_key, i.survivor_uuid`
)

// rollupQueries use one index each. A tag without an identity counts for that of its attacker. The query of a campaign
// also groups by identity, to count identities.
var rollupQueries = map[string]string{
	"attacker": groupSelect + `WHERE attacker_uuid = ?` + groupBy,
	"session":  groupSelect + `WHERE session_id = ?` + groupBy,
	"fleet":    groupSelect + groupBy,
	"identity": groupSelect + `WHERE identity_uuid = ?` + groupBy + ` UNION ALL ` +
		groupSelect + `WHERE attacker_uuid IN (SELECT uuid FROM ttp_attacker WHERE identity_uuid = ?) AND identity_uuid IS NULL` + groupBy,
	"campaign": memberSelect + `JOIN ttp_tag t ON t.identity_uuid = i.uuid WHERE i.campaign_uuid = ?` + memberGroup + ` UNION ALL ` +
		memberSelect + `JOIN ttp_attacker a ON a.identity_uuid = i.uuid JOIN ttp_tag t ON t.attacker_uuid = a.uuid` +
		` WHERE i.campaign_uuid = ? AND t.identity_uuid IS NULL` + memberGroup,
}

func (s scope) arguments() []any {
	switch s.kind {
	case "identity", "campaign":
		return []any{s.id[:], s.id[:]}
	case "attacker":
		return []any{s.id[:]}
	case "session":
		return []any{s.text}
	}
	return nil
}

func (h handwritten) rollup(ctx context.Context, of scope) (a rollupTotals, err error) {
	rows, err := h.db.QueryContext(ctx, rollupQueries[of.kind], of.arguments()...)
	if err != nil {
		return a, err
	}
	defer func() { _ = rows.Close() }()
	type member struct {
		technique int64
		identity  uuid.UUID
	}
	seen, members := map[int64]bool{}, map[member]bool{}
	for rows.Next() {
		var key, count, first, last int64
		var identity sql.RawBytes
		var confidence float64
		if err := rows.Scan(&key, &identity, &count, &first, &last, &confidence); err != nil {
			return a, err
		}
		seen[key/1e10] = true
		a.tags += count
		if len(identity) > 0 {
			members[member{key / 1e10, uuid.UUID(identity)}] = true
		}
	}
	a.rows, a.identities = len(seen), int64(len(members))
	return a, rows.Err()
}

// page starts at a known position, like a cursor of ttpstore.
func (h handwritten) page(ctx context.Context, n int) (func(context.Context) (int, error), error) {
	var at int64
	var id []byte
	err := h.db.QueryRowContext(ctx, `SELECT observed_at, uuid FROM ttp_tag`+
		` ORDER BY observed_at DESC, uuid DESC LIMIT 1 OFFSET ?`, n-1).Scan(&at, &id)
	return func(ctx context.Context) (int, error) {
		tags := 0
		err := h.scan(ctx, func(*ttp.Tag) error { tags++; return nil }, `SELECT `+tagColumns+
			` FROM ttp_tag WHERE observed_at <= ? AND (observed_at < ? OR uuid < ?)`+
			` ORDER BY observed_at DESC, uuid DESC LIMIT ?`, at, at, id, pageTags)
		return tags, err
	}, err
}

func (h handwritten) export(ctx context.Context, w io.Writer) (int, error) {
	tags, line := 0, encodeLines(w)
	err := h.scan(ctx, func(t *ttp.Tag) error { tags++; return line(t) }, `SELECT `+tagColumns+` FROM ttp_tag ORDER BY uuid`)
	return tags, err
}

func (h handwritten) scan(ctx context.Context, each func(*ttp.Tag) error, query string, args ...any) error {
	rows, err := h.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t ttp.Tag
		var id, attacker, identity, batch, evidence []byte
		var session, decky, sub sql.NullString
		var observed, ingested int64
		if err := rows.Scan(&id, &t.SourceKind, &t.SourceID, &attacker, &identity, &session, &decky, &t.Tactic,
			&t.TechniqueID, &sub, &t.Confidence, &t.RuleID, &t.RuleVersion, &evidence, &t.AttackRelease,
			&observed, &ingested, &batch); err != nil {
			return err
		}
		copy(t.UUID[:], id)
		copy(t.AttackerUUID[:], attacker)
		copy(t.IdentityUUID[:], identity)
		copy(t.BatchUUID[:], batch)
		t.SessionID, t.DeckyID, t.SubTechniqueID = session.String, decky.String, sub.String
		t.Evidence = json.RawMessage(evidence)
		t.ObservedAt, t.IngestedAt = time.UnixMicro(observed).UTC(), time.UnixMicro(ingested).UTC()
		if err := each(&t); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (h handwritten) close() error { return h.db.Close() }
