package ttp

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listTagsAfter = many((*sqlitegen.Queries).ListTagsAfter, (*mysqlgen.Queries).ListTagsAfter, toTag, toTag)

// exportPage is the number of rows in a page. An export holds at most three pages, each row with up to 64 KiB of
// evidence.
const exportPage = 256

// ExportReport counts the records that an export wrote.
type ExportReport struct {
	Campaigns  int `json:"campaigns"`
	Identities int `json:"identities"`
	Attackers  int `json:"attackers"`
	Tags       int `json:"tags"`
}

// Export writes all campaigns, identities and attackers, and the tags that match the filter, as JSON Lines in UUID
// order, for [Store.Import]. It reads one snapshot of the database if the server has them (see [Capabilities]), and its
// memory does not depend on the number of rows. Equal rows give equal bytes on every engine; line breaks between tokens
// of evidence become spaces. If progress is not nil, it is called after each page.
func (s *Store) Export(ctx context.Context, w io.Writer, f Filter, progress func(ExportReport)) (ExportReport, error) {
	b, err := f.checked()
	if err != nil {
		return ExportReport{}, s.refuse(ctx, "export", err)
	}
	return snapshot(ctx, s, "export", func(q queries) (ExportReport, error) {
		e := exporter{w, newLineEncoder(), b, progress, ExportReport{}}
		err := export(ctx, &e, &e.report.Campaigns, q, listCampaignsAfter, e.lines.campaign, Campaign.id)
		if err == nil {
			err = export(ctx, &e, &e.report.Identities, q, listIdentitiesAfter, e.lines.identity, Identity.id)
		}
		if err == nil {
			err = export(ctx, &e, &e.report.Attackers, q, listAttackersAfter, e.lines.attacker, Attacker.id)
		}
		if err == nil {
			err = export(ctx, &e, &e.report.Tags, q, listTagsAfter, e.lines.tag, Tag.id)
		}
		return e.report, err
	})
}

type exporter struct {
	w          io.Writer
	lines      *lineEncoder
	filterArgs filterArgs // of the tags
	progress   func(ExportReport)
	report     ExportReport
}

// export writes all rows of one table, page by page.
func export[T any](ctx context.Context, e *exporter, written *int,
	q queries, page generated[[]T],
	encode func(T) ([]byte, error), id func(T) uuid.UUID,
) error {
	read := func(after uuid.UUID) ([]T, error) {
		return page(ctx, q, args{filterArgs: e.filterArgs, After: after[:], Limit: exportPage})
	}
	for rows, err := range readAhead(pages(read, exportPage, uuid.Nil, id)) {
		if err != nil {
			return err
		}
		for _, row := range rows {
			line, err := encode(row)
			if err != nil {
				return err
			}
			if _, err := e.w.Write(line); err != nil {
				return err
			}
			*written++
		}
		if e.progress != nil {
			e.progress(e.report)
		}
	}
	return nil
}
