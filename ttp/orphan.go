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

// SweepOrphans removes the tags whose source is gone, as exists says: it is given some hundreds of
// sources, none twice, and returns for each whether it still is there. It is asked outside of any
// transaction; its error ends the sweep. The other errors are those of [Store.RollbackRule].
func (s *Store) SweepOrphans(ctx context.Context, exists func(context.Context, []Source) ([]bool, error), opts ...RemovalOption) (Receipt, error) {
	return s.remove(ctx, "sweep orphans", "sweep orphans", opts, new(checker), func(ctx context.Context, r *removal) error {
		return r.each(ctx, r.tagsOf(Fleet(), everything), func(ctx context.Context, tags []Tag) (fate, error) {
			var f fate
			sources := distinctSources(tags)
			kept, err := exists(ctx, sources)
			if err != nil {
				return f, err
			}
			if len(kept) != len(sources) {
				return f, fmt.Errorf("exists was asked about %d sources and answered about %d", len(sources), len(kept))
			}
			gone := map[Source]bool{}
			for i, source := range sources {
				gone[source] = !kept[i]
			}
			for _, t := range tags {
				if gone[Source{t.SourceKind, t.SourceID}] {
					f.remove = append(f.remove, t)
				}
			}
			return f, nil
		})
	})
}

func distinctSources(tags []Tag) []Source {
	var sources []Source
	seen := map[Source]bool{}
	for _, t := range tags {
		source := Source{t.SourceKind, t.SourceID}
		if !seen[source] {
			seen[source] = true
			sources = append(sources, source)
		}
	}
	return sources
}
