package main

import (
	"context"
	"errors"
	"io"

	"github.com/decnet/ttpstore/ttp"
)

const ttpstoreName = "ttpstore"

func ttpstoreSubject() subject {
	return subject{name: ttpstoreName, schema: ttpstoreSchema(), open: openTTPStore}
}

// ttpstoreSchema is the schema of Migrate.
func ttpstoreSchema() schema {
	return schema{
		name: ttpstoreName,
		tables: func(ctx context.Context, p place) error {
			s, err := ttp.Open(ctx, ttpstoreURL(p))
			if err != nil {
				return err
			}
			return errors.Join(s.Migrate(ctx), s.Close())
		},
		index: func(ctx context.Context, p place) error { return analyzeTags(ctx, p) },
	}
}

func ttpstoreURL(p place) string {
	if p.server != nil {
		return "mysql://" + p.server.FormatDSN()
	}
	return "sqlite://" + p.file
}

type ttpstore struct{ *ttp.Store }

func openTTPStore(ctx context.Context, p place) (store, error) {
	s, err := ttp.Open(ctx, ttpstoreURL(p))
	return ttpstore{s}, err
}

func (s ttpstore) insert(ctx context.Context, tags []ttp.Tag) (int, error) {
	result, err := s.InsertTags(ctx, tags)
	return result.Inserted, err
}

func (s ttpstore) link(ctx context.Context, g graph) error {
	if err := s.UpsertCampaigns(ctx, g.campaigns); err != nil {
		return err
	}
	if err := s.UpsertIdentities(ctx, g.identities); err != nil {
		return err
	}
	return s.UpsertAttackers(ctx, g.attackers)
}

func (s ttpstore) rollup(ctx context.Context, of scope) (rollupTotals, error) {
	rows, err := s.scopeRollup(ctx, of)
	a := rollupTotals{rows: len(rows)}
	for _, row := range rows {
		a.tags += row.Count
		a.identities += row.IdentityCount
	}
	return a, err
}

func (s ttpstore) scopeRollup(ctx context.Context, of scope) ([]ttp.TechniqueRollupRow, error) {
	switch of.kind {
	case "identity":
		return s.ListTechniquesByIdentity(ctx, of.id)
	case "attacker":
		return s.ListTechniquesByAttacker(ctx, of.id)
	case "campaign":
		return s.ListTechniquesByCampaign(ctx, of.id)
	case "session":
		return s.ListTechniquesBySession(ctx, of.text)
	}
	return s.ListDistinctTechniques(ctx)
}

// page reads up to the cursor first, which a reader would have from the previous page.
func (s ttpstore) page(ctx context.Context, n int) (func(context.Context) (int, error), error) {
	cursor := ""
	for n > 0 {
		limit := min(n, ttp.MaxPage)
		page, err := s.ListTags(ctx, ttp.Fleet(), ttp.Filter{}, limit, cursor)
		if err != nil {
			return nil, err
		}
		n, cursor = n-limit, page.Next
	}
	return func(ctx context.Context) (int, error) {
		page, err := s.ListTags(ctx, ttp.Fleet(), ttp.Filter{}, pageTags, cursor)
		return len(page.Tags), err
	}, nil
}

func (s ttpstore) export(ctx context.Context, w io.Writer) (int, error) {
	report, err := s.Export(ctx, w, ttp.Filter{}, nil)
	return report.Tags, err
}

func (s ttpstore) close() error { return s.Close() }

// analyzeTags updates the planner's statistics of any schema.
func analyzeTags(ctx context.Context, p place) error {
	if p.server != nil {
		db, err := openMySQL(p.server, false)
		if err != nil {
			return err
		}
		return errors.Join(execute(ctx, db, "ANALYZE TABLE ttp_tag"), db.Close())
	}
	db, err := openSQLite(ctx, goSQLite, p.file)
	if err != nil {
		return err
	}
	return errors.Join(execute(ctx, db, "ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"), db.Close())
}
