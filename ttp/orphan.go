package ttp

import (
	"context"
	"fmt"
)

// Source is what was tagged.
type Source struct {
	Kind string `json:"source_kind"`
	ID   string `json:"source_id"`
}

// SweepOrphans removes the tags whose source is gone, as exists says: it is given the sources of a page of
// tags ([BatchSize]), none twice, and returns for each whether it still is there. A source whose tags are on
// several pages comes again. It is called between the sweep's transactions; its error ends the sweep. The
// other errors are those of [Store.RollbackRule].
func (s *Store) SweepOrphans(ctx context.Context, exists func(context.Context, []Source) ([]bool, error), opts ...RemovalOption) (Receipt, error) {
	var c checker
	if exists == nil {
		c.refuse("exists", "must be set")
	}
	return s.remove(ctx, "sweep orphans", "", opts, &c, func(ctx context.Context, r *removal) error {
		for tags, err := range r.tagsOf(ctx, Fleet(), filterArgs{}) {
			if err != nil {
				return err
			}
			r.looked += int64(len(tags))
			if tags, err = orphans(ctx, tags, exists); err != nil {
				return err
			}
			if len(tags) == 0 {
				r.did(Receipt{})
			} else if err := r.decide(ctx, tags, r.removeAll); err != nil {
				return err
			}
		}
		return nil
	})
}

// orphans returns the tags whose source is gone.
func orphans(ctx context.Context, tags []Tag, exists func(context.Context, []Source) ([]bool, error)) ([]Tag, error) {
	var sources []Source
	there := map[Source]bool{}
	for _, t := range tags {
		source := Source{t.SourceKind, t.SourceID}
		if _, known := there[source]; !known {
			there[source] = true
			sources = append(sources, source)
		}
	}
	answers, err := exists(ctx, sources)
	if err != nil {
		return nil, err
	}
	if len(answers) != len(sources) {
		return nil, fmt.Errorf("exists was asked about %d sources and answered about %d", len(sources), len(answers))
	}
	for i, source := range sources {
		there[source] = answers[i]
	}
	var gone []Tag
	for _, t := range tags {
		if !there[Source{t.SourceKind, t.SourceID}] {
			gone = append(gone, t)
		}
	}
	return gone, nil
}
