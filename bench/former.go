package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/decnet/ttpstore/ttp"
)

// formerBatch is the number of rows per statement of GORM and bun, similar to their documentation.
const formerBatch = 500

// formerSchema is the schema of the system that ttpstore replaces: UUIDs as text, times as DATETIME, evidence as JSON, and
// thirteen indexes. It omits the foreign keys, which would slow down GORM and bun.
func formerSchema() schema {
	return schema{
		name:   "former",
		tables: func(ctx context.Context, p place) error { return onFormer(ctx, p, formerTables(p)) },
		index: func(ctx context.Context, p place) error {
			return errors.Join(onFormer(ctx, p, formerIndexes()), analyzeTags(ctx, p))
		},
	}
}

func formerTables(p place) []string {
	text, confidence := "TEXT", "FLOAT"
	if p.server != nil {
		text = "VARCHAR(255)"
	}
	tables := []string{
		`CREATE TABLE ttp_tag (uuid TEXT NOT NULL PRIMARY KEY, source_kind TEXT NOT NULL, source_id TEXT NOT NULL,` +
			` attacker_uuid TEXT, identity_uuid TEXT, session_id TEXT, decky_id TEXT, tactic TEXT NOT NULL,` +
			` technique_id TEXT NOT NULL, sub_technique_id TEXT, confidence ` + confidence + ` NOT NULL, rule_id TEXT NOT NULL,` +
			` rule_version INTEGER NOT NULL, evidence JSON NOT NULL, attack_release TEXT NOT NULL, mitre_url TEXT,` +
			` created_at DATETIME NOT NULL, CHECK (attacker_uuid IS NOT NULL OR identity_uuid IS NOT NULL),` +
			` CHECK (confidence BETWEEN 0 AND 1))`,
		`CREATE TABLE attackers (uuid TEXT NOT NULL PRIMARY KEY, ip TEXT, identity_id TEXT)`,
		`CREATE TABLE attacker_identities (uuid TEXT NOT NULL PRIMARY KEY, campaign_id TEXT, merged_into_uuid TEXT)`,
		`CREATE TABLE campaigns (uuid TEXT NOT NULL PRIMARY KEY, merged_into_uuid TEXT)`,
	}
	for i := range tables {
		tables[i] = strings.ReplaceAll(tables[i], "TEXT", text)
	}
	return append(tables, `CREATE INDEX attackers_identity ON attackers (identity_id)`,
		`CREATE INDEX identities_campaign ON attacker_identities (campaign_id)`)
}

func formerIndexes() []string {
	var statements []string
	for i, columns := range []string{
		"attack_release", "attacker_uuid", "identity_uuid", "session_id", "decky_id", "tactic", "technique_id",
		"sub_technique_id", "rule_id", "created_at", "attacker_uuid, technique_id", "identity_uuid, technique_id",
		"technique_id, created_at",
	} {
		statements = append(statements, fmt.Sprintf("CREATE INDEX ttp_tag_%02d ON ttp_tag (%s)", i+1, columns))
	}
	return statements
}

func onFormer(ctx context.Context, p place, statements []string) error {
	db, err := openFormer(ctx, cSQLite, p)
	if err != nil {
		return err
	}
	return errors.Join(execute(ctx, db, statements...), db.Close())
}

func openFormer(ctx context.Context, driver string, p place) (*sql.DB, error) {
	if p.server != nil {
		return openMySQL(p.server, false)
	}
	return openSQLite(ctx, driver, p.file)
}

// formerTag is the model of GORM and bun. Evidence is a string, since MySQL does not accept bytes as JSON.
type formerTag struct {
	bun.BaseModel  `bun:"table:ttp_tag" gorm:"-" json:"-"`
	UUID           string    `bun:"uuid,pk" gorm:"column:uuid;primaryKey" json:"uuid"`
	SourceKind     string    `json:"source_kind"`
	SourceID       string    `json:"source_id"`
	AttackerUUID   *string   `bun:"attacker_uuid" gorm:"column:attacker_uuid" json:"attacker_uuid,omitempty"`
	IdentityUUID   *string   `bun:"identity_uuid" gorm:"column:identity_uuid" json:"identity_uuid,omitempty"`
	SessionID      *string   `json:"session_id,omitempty"`
	DeckyID        *string   `json:"decky_id,omitempty"`
	Tactic         string    `json:"tactic"`
	TechniqueID    string    `json:"technique_id"`
	SubTechniqueID *string   `json:"sub_technique_id,omitempty"`
	Confidence     float64   `json:"confidence"`
	RuleID         string    `json:"rule_id"`
	RuleVersion    int       `json:"rule_version"`
	Evidence       string    `json:"evidence"`
	AttackRelease  string    `json:"attack_release"`
	MitreURL       *string   `bun:"mitre_url" gorm:"column:mitre_url" json:"mitre_url,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
}

// TableName implements GORM's Tabler.
func (formerTag) TableName() string { return "ttp_tag" }

// formerTags returns the rows to write in UUID order, which prevents deadlocks of concurrent writers on MySQL and is faster.
func formerTags(tags []ttp.Tag) []formerTag {
	rows := make([]formerTag, len(tags))
	for i := range tags {
		t := &tags[i]
		rows[i] = formerTag{
			UUID: t.ComputeUUID().String(), SourceKind: t.SourceKind, SourceID: t.SourceID,
			AttackerUUID: uuidOrNil(t.AttackerUUID), IdentityUUID: uuidOrNil(t.IdentityUUID),
			SessionID: stringOrNil(t.SessionID), DeckyID: stringOrNil(t.DeckyID), Tactic: t.Tactic,
			TechniqueID: t.TechniqueID, SubTechniqueID: stringOrNil(t.SubTechniqueID), Confidence: t.Confidence,
			RuleID: t.RuleID, RuleVersion: t.RuleVersion, Evidence: string(t.Evidence), AttackRelease: t.AttackRelease,
			CreatedAt: t.ObservedAt,
		}
	}
	slices.SortFunc(rows, func(a, b formerTag) int { return strings.Compare(a.UUID, b.UUID) })
	return rows
}

func uuidOrNil(id uuid.UUID) *string {
	if id == uuid.Nil {
		return nil
	}
	s := id.String()
	return &s
}

func stringOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// formerLink inserts the scopes by plain SQL for GORM and bun. It is not measured.
func formerLink(ctx context.Context, db *sql.DB, g graph) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	insert := func(statement string, args ...any) {
		if err == nil {
			_, err = tx.ExecContext(ctx, statement, args...)
		}
	}
	for _, c := range g.campaigns {
		insert("INSERT INTO campaigns (uuid) VALUES (?)", c.UUID.String())
	}
	for _, i := range g.identities {
		insert("INSERT INTO attacker_identities (uuid, campaign_id) VALUES (?, ?)", i.UUID.String(), i.CampaignUUID.String())
	}
	for _, a := range g.attackers {
		insert("INSERT INTO attackers (uuid, identity_id) VALUES (?, ?)", a.UUID.String(), a.IdentityUUID.String())
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

const (
	// formerSelect returns less than ttpstore's rollup: neither tactics nor releases.
	formerSelect = "technique_id, sub_technique_id, COUNT(*) AS count, MIN(created_at) AS first_seen," +
		" MAX(created_at) AS last_seen, MAX(confidence) AS confidence_max"
	formerOfIdentity = "identity_uuid = ?" +
		" OR (identity_uuid IS NULL AND attacker_uuid IN (SELECT uuid FROM attackers WHERE identity_id = ?))"
	formerOfCampaign = "identity_uuid IN (SELECT uuid FROM attacker_identities WHERE campaign_id = ?)" +
		" OR (identity_uuid IS NULL AND attacker_uuid IN (SELECT a.uuid FROM attackers a" +
		" JOIN attacker_identities i ON i.uuid = a.identity_id WHERE i.campaign_id = ?))"
)

// formerWhere returns the condition of a scope's tags, or "" for the fleet. A tag without an identity counts for that of
// its attacker.
func formerWhere(s scope) (where string, args []any) {
	switch s.kind {
	case "identity":
		return formerOfIdentity, []any{s.id.String(), s.id.String()}
	case "campaign":
		return formerOfCampaign, []any{s.id.String(), s.id.String()}
	case "attacker":
		return "attacker_uuid = ?", []any{s.id.String()}
	case "session":
		return "session_id = ?", []any{s.text}
	}
	return "", nil
}

// retried repeats a transaction after a deadlock or a lock wait timeout, which MySQL expects of applications.
func retried(write func() (int, error)) (int, error) {
	for attempt := 0; ; attempt++ {
		n, err := write()
		if e, ok := errors.AsType[*mysql.MySQLError](err); !ok || attempt == 10 || (e.Number != 1213 && e.Number != 1205) {
			return n, err
		}
		time.Sleep(time.Duration(attempt+1) * 5 * time.Millisecond)
	}
}
