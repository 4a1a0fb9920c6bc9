package ttp

import (
	"context"
	"iter"
	"math"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var (
	listTags                 = many((*sqlitegen.Queries).ListTags, (*mysqlgen.Queries).ListTags, toTag, toTag)
	listTagsByAttacker       = many((*sqlitegen.Queries).ListTagsByAttacker, (*mysqlgen.Queries).ListTagsByAttacker, toTag, toTag)
	listTagsBySession        = many((*sqlitegen.Queries).ListTagsBySession, (*mysqlgen.Queries).ListTagsBySession, toTag, toTag)
	listTagsBySessionInOrder = many((*sqlitegen.Queries).ListTagsBySessionInOrder, (*mysqlgen.Queries).ListTagsBySessionInOrder, toTag, toTag)
	listPageStarts           = many((*sqlitegen.Queries).ListPageStarts, (*mysqlgen.Queries).ListPageStarts, itself, itself)
	listTagKeysByMembers     = many((*sqlitegen.Queries).ListTagKeysByMembers, (*mysqlgen.Queries).ListTagKeysByMembers, toPosition, toPosition)
	listTagsByUUID           = many((*sqlitegen.Queries).ListTagsByUUID, (*mysqlgen.Queries).ListTagsByUUID, toTag, toTag)
	getTag                   = first(listTagsByUUID)
)

// MaxPage is the highest limit of [Store.ListTags].
const MaxPage = 10_000

// seqPage bounds what a stream of tags holds at a time, at worst this many times 64 KiB of evidence.
const seqPage = 256

// TagPage is a page of tags, newest first.
type TagPage struct {
	Tags []Tag `json:"tags"`
	// Next is the cursor of the next page, empty after the last.
	Next string `json:"next,omitempty"`
}

// GetTag returns the tag with the id, or [ErrNotFound].
func (s *Store) GetTag(ctx context.Context, id uuid.UUID) (Tag, error) {
	return query(ctx, s, "get tag "+id.String(), func(q queries) (Tag, error) { return getTag(ctx, q, byID(id)) })
}

// CountTags counts the scope's tags that match the filter.
func (s *Store) CountTags(ctx context.Context, scope Scope, f Filter) (int64, error) {
	const op = "count tags"
	b, err := f.checked()
	if err != nil {
		return 0, s.fail(ctx, op, err)
	}
	return inScope(ctx, s, op, scope, b, func(ctx context.Context, q queries, m members, a args) (int64, error) {
		groups, err := listGroups(ctx, q, m, a)
		var n int64
		for _, g := range groups {
			n += g.tags
		}
		return n, err
	})
}

// ListTags returns a page of at most limit, 1 to [MaxPage], of the scope's tags that match the filter:
// the newest by ObservedAt first, ties by uuid. The cursor is empty for the first page, then Next of the
// page before; it is refused with [ErrInvalidQuery] for another scope or filter. A page costs
// the same wherever it is, but for what its filter passes over; tags that are written meanwhile move none
// from one page to another.
func (s *Store) ListTags(ctx context.Context, scope Scope, f Filter, limit int, cursor string) (TagPage, error) {
	const op = "list tags"
	var c checker
	b := f.filterArgs(&c)
	c.limit("limit", limit)
	after := start
	if cursor != "" {
		after = c.cursor(cursor, scope, b)
	}
	if err := c.queryError(); err != nil {
		return TagPage{}, s.fail(ctx, op, err)
	}
	tags, err := s.tagPage(ctx, op, scope, b, after, limit+1) // one more tells whether there is a next page
	if err != nil || len(tags) <= limit {
		return TagPage{Tags: tags}, err
	}
	tags = tags[:limit]
	return TagPage{tags, positionOf(tags[limit-1]).cursor(scope, b)}, nil
}

func (c *checker) limit(field string, n int) {
	if n < 1 || n > MaxPage {
		c.refuse(field, "must be from 1 to "+strconv.Itoa(MaxPage))
	}
}

// TagsSeq streams all of the scope's tags that match the filter, in the order of [Store.ListTags], from a
// page of them at a time. It holds no transaction between pages, so that the loop may write. The error is
// the last that comes, with no tag.
func (s *Store) TagsSeq(ctx context.Context, scope Scope, f Filter) iter.Seq2[Tag, error] {
	const op = "stream tags"
	return s.stream(ctx, op, f, start, func(b filterArgs, after position) ([]Tag, error) {
		return s.tagPage(ctx, op, scope, b, after, seqPage)
	})
}

// SessionTags streams a session's tags that match the filter as they happened, the oldest first, ties by
// uuid. Otherwise it is [Store.TagsSeq].
func (s *Store) SessionTags(ctx context.Context, id string, f Filter) iter.Seq2[Tag, error] {
	const op = "stream session tags"
	return s.stream(ctx, op, f, position{math.MinInt64, uuid.Nil}, func(b filterArgs, after position) ([]Tag, error) {
		b = b.orEverything()
		b.Since = max(b.Since, after.observedAt)
		return inScope(ctx, s, op, OfSession(id), b, func(ctx context.Context, q queries, _ members, a args) ([]Tag, error) {
			a.SessionID = sessionID(id)
			return listTagsBySessionInOrder(ctx, q, a.from(after, seqPage))
		})
	})
}

func (s *Store) stream(ctx context.Context, op string, f Filter, after position, page func(filterArgs, position) ([]Tag, error)) iter.Seq2[Tag, error] {
	return func(yield func(Tag, error) bool) {
		b, err := f.checked()
		if err != nil {
			yield(Tag{}, s.fail(ctx, op, err))
			return
		}
		read := func(after position) ([]Tag, error) { return page(b, after) }
		for tags, err := range pages(read, seqPage, after, positionOf) {
			if err != nil {
				yield(Tag{}, err)
				return
			}
			for _, tag := range tags {
				if !yield(tag, nil) {
					return
				}
			}
		}
	}
}

// tagPage reads the tags behind a position.
func (s *Store) tagPage(ctx context.Context, op string, scope Scope, b filterArgs, after position, limit int) ([]Tag, error) {
	b = b.orEverything()
	if after.observedAt < b.Before {
		b.Before = after.observedAt + 1 // the index gives the page's place; the uuid decides among tags of that time
	}
	return inScope(ctx, s, op, scope, b, func(ctx context.Context, q queries, m members, a args) ([]Tag, error) {
		a = a.from(after, limit)
		switch scope.Kind {
		case FleetScope:
			return listTags(ctx, q, a)
		case AttackerScope:
			a.AttackerUUID = scope.UUID[:]
			return listTagsByAttacker(ctx, q, a)
		case SessionScope:
			a.SessionID = sessionID(scope.SessionID)
			return listTagsBySession(ctx, q, a)
		}
		return newestTags(ctx, q, m, a)
	})
}

// newestTags returns a page of the members' tags. It finds where the page stands by the indexes alone, and reads
// at most a page of each member, but for tags of one instant.
func newestTags(ctx context.Context, q queries, m members, a args) ([]Tag, error) {
	if !q.sharded { // vtgate has no plan for it: each shard sorts its part of the keys
		a.Offset = a.Limit - 1
		starts, err := inMemberChunks(ctx, q, listPageStarts, m, a)
		if err != nil {
			return nil, err
		}
		a.Since = slices.Max(append(starts, a.Since))
	}
	page, err := inMemberChunks(ctx, q, listTagKeysByMembers, m, a)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(page, position.compareNewest) // several chunks
	page = page[:min(len(page), int(a.Limit))]
	ids := make([]uuid.UUID, len(page))
	for i, p := range page {
		ids[i] = p.uuid
	}
	tags, err := inChunks(ctx, q, listTagsByUUID, ids, args{})
	slices.SortFunc(tags, func(a, b Tag) int { return positionOf(a).compareNewest(positionOf(b)) })
	return tags, err
}

// from returns the parameters of a page behind a position.
func (a args) from(p position, limit int) args {
	a.CursorObservedAt, a.CursorUUID, a.Limit = p.observedAt, p.uuid[:], int64(limit)
	return a
}
