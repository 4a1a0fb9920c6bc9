package ttp

import (
	"context"

	"github.com/google/uuid"
)

// ListTagsByUUID returns a page of all tags in UUID order. The page starts after the UUID after, uuid.Nil for the
// first page; the limit is from 1 to [MaxPage].
func (s *Store) ListTagsByUUID(ctx context.Context, after uuid.UUID, limit int) ([]Tag, error) {
	const op = "list tags by uuid"
	names, err := s.names(ctx, op)
	if err != nil {
		return nil, err
	}
	tags, err := scopePage(ctx, s, op, args{filterArgs: everything, After: after[:]}, limit, listTagsAfter)
	names.nameTags(tags)
	return tags, err
}
