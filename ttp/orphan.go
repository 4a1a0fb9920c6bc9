package ttp

import (
	"context"
	"fmt"
)

// Source identifies a tagged event.
type Source struct {
	Kind string `json:"source_kind"`
	ID   string `json:"source_id"`
}

// SweepOrphans removes the tags whose source no longer exists. The function exists receives the distinct sources of a
// page of tags ([WithBatchSize]) and reports for each whether it exists; a source with tags on several pages is passed
// once per page. It is called outside of transactions, and its error ends the sweep.
//
// SweepOrphans returns [ErrInvalidQuery] for an invalid option, and [ErrBusy].
func (s *Store) SweepOrphans(ctx context.Context, exists func(context.Context, []Source) ([]bool, error),
	opts ...RemovalOption,
) (Receipt, error) {
	var c checker
	if exists == nil {
		c.refuse("exists", "must be set")
	}
	return s.remove(ctx, "sweep orphans", "", opts, &c, func(ctx context.Context, r *removal) error {
		for tags, err := range r.tagsOf(ctx, Fleet(), filterArgs{}) {
			if err != nil {
				return err
			}
			r.examined += int64(len(tags))
			if tags, err = orphans(ctx, tags, exists); err != nil {
				return err
			}
			if len(tags) == 0 {
				r.report(Receipt{})
			} else if err := r.apply(ctx, tags, r.removeAll); err != nil {
				return err
			}
		}
		return nil
	})
}

// orphans returns the tags whose source no longer exists.
func orphans(ctx context.Context, tags []Tag, exists func(context.Context, []Source) ([]bool, error)) ([]Tag, error) {
	var sources []Source
	present := map[Source]bool{}
	for _, t := range tags {
		source := Source{t.SourceKind, t.SourceID}
		if _, known := present[source]; !known {
			present[source] = true
			sources = append(sources, source)
		}
	}
	results, err := exists(ctx, sources)
	if err != nil {
		return nil, err
	}
	if len(results) != len(sources) {
		return nil, fmt.Errorf("exists returned %d results for %d sources", len(results), len(sources))
	}
	for i, source := range sources {
		present[source] = results[i]
	}
	var orphaned []Tag
	for _, t := range tags {
		if !present[Source{t.SourceKind, t.SourceID}] {
			orphaned = append(orphaned, t)
		}
	}
	return orphaned, nil
}
