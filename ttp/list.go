package ttp

import (
	"context"
	"fmt"
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
	listTagsByTechnique      = many((*sqlitegen.Queries).ListTagsByTechnique, (*mysqlgen.Queries).ListTagsByTechnique, toTag, toTag)
	listTagsByAttacker       = many((*sqlitegen.Queries).ListTagsByAttacker, (*mysqlgen.Queries).ListTagsByAttacker, toTag, toTag)
	listTagsBySession        = many((*sqlitegen.Queries).ListTagsBySession, (*mysqlgen.Queries).ListTagsBySession, toTag, toTag)
	listTagsBySessionInOrder = many(
		(*sqlitegen.Queries).ListTagsBySessionInOrder, (*mysqlgen.Queries).ListTagsBySessionInOrder, toTag, toTag)
	listPageStarts       = many((*sqlitegen.Queries).ListPageStarts, (*mysqlgen.Queries).ListPageStarts, self, self)
	listTagKeysByMembers = many(
		(*sqlitegen.Queries).ListTagKeysByMembers, (*mysqlgen.Queries).ListTagKeysByMembers, toPosition, toPosition)
	listTagsByMembers = many((*sqlitegen.Queries).ListTagsByMembers, (*mysqlgen.Queries).ListTagsByMembers, toTag, toTag)
	listTagsByUUID    = many((*sqlitegen.Queries).ListTagsByUUID, (*mysqlgen.Queries).ListTagsByUUID, toTag, toTag)
	getTag            = first(listTagsByUUID)
)

// MaxPage is the maximum limit of [Store.ListTags] and other paged reads.
const MaxPage = 10_000

// seqPage is the page size of a stream of tags. A page holds up to 64 KiB of evidence per tag.
const seqPage = 256

// TagPage is a page of tags, newest first.
type TagPage struct {
	Tags []Tag `json:"tags"`
	// Next is the cursor of the next page, empty on the last page.
	Next string `json:"next,omitempty"`
}

// GetTag returns the tag with the UUID, or [ErrNotFound].
func (s *Store) GetTag(ctx context.Context, id uuid.UUID) (Tag, error) {
	op := about("get tag", id.String())
	names, err := s.names(ctx, op)
	if err != nil {
		return Tag{}, err
	}
	tag, err := query(ctx, s, op, func(q queries) (Tag, error) { return getTag(ctx, q, byID(id)) })
	if err == nil {
		tag.Names = names.ofTag(&tag)
	}
	return tag, err
}

// CountTags returns the number of the scope's tags that match f.
func (s *Store) CountTags(ctx context.Context, scope Scope, f Filter) (int64, error) {
	const op = "count tags"
	filter, err := f.checkedIn(scope)
	if err != nil {
		return 0, s.refuse(ctx, op, err)
	}
	return inScope(ctx, s, op, scope, false, filter, func(ctx context.Context, q queries, m members, a args) (int64, error) {
		groups, err := listGroups(ctx, q, m, a)
		var n int64
		for _, g := range groups {
			n += g.tags
		}
		return n, err
	})
}

// ListTags returns a page of the scope's tags that match f, newest first, then by descending UUID. The limit is from
// 1 to [MaxPage]. The cursor is empty for the first page, and [TagPage.Next] of the previous page for the others; a
// cursor of another scope or filter fails with [ErrInvalidQuery].
//
// Pages use keyset pagination: their cost does not depend on their position, and concurrent writes do not shift
// tags between pages.
func (s *Store) ListTags(ctx context.Context, scope Scope, f Filter, limit int, cursor string) (TagPage, error) {
	const op = "list tags"
	var c checker
	scope.check(&c)
	filter := f.filterArgs(&c)
	c.limit("limit", limit)
	after := start
	if cursor != "" {
		after = c.cursor(cursor, scope, filter)
	}
	if err := c.queryError(); err != nil {
		return TagPage{}, s.refuse(ctx, op, err)
	}
	names, err := s.names(ctx, op)
	if err != nil {
		return TagPage{}, err
	}
	tags, err := s.tagPage(ctx, op, scope, filter, after, limit+1) // one more to detect a next page
	names.nameTags(tags)
	if err != nil || len(tags) <= limit {
		return TagPage{Tags: tags}, err
	}
	tags = tags[:limit]
	return TagPage{tags, positionOf(tags[limit-1]).cursor(scope, filter)}, nil
}

func (c *checker) limit(field string, n int) {
	if n < 1 || n > MaxPage {
		c.refuse(field, "must be from 1 to "+strconv.Itoa(MaxPage))
	}
}

// TagsSeq streams all of the scope's tags that match f in the order of [Store.ListTags], one page in memory at a
// time. It holds no transaction between pages, so that the loop body may write. An error ends the stream, with a
// zero Tag.
func (s *Store) TagsSeq(ctx context.Context, scope Scope, f Filter) iter.Seq2[Tag, error] {
	const op = "stream tags"
	return s.stream(ctx, op, scope, f, start, func(filter filterArgs, after position) ([]Tag, error) {
		return s.tagPage(ctx, op, scope, filter, after, seqPage)
	})
}

// SessionTags streams a session's tags that match f, oldest first, then by UUID. See [Store.TagsSeq].
func (s *Store) SessionTags(ctx context.Context, id string, f Filter) iter.Seq2[Tag, error] {
	const op = "stream session tags"
	oldest := position{math.MinInt64, uuid.Nil}
	return s.stream(ctx, op, OfSession(id), f, oldest, func(filter filterArgs, after position) ([]Tag, error) {
		filter = filter.orEverything()
		filter.Since = max(filter.Since, after.observedAt)
		return query(ctx, s, op, func(q queries) ([]Tag, error) {
			a := args{filterArgs: filter, SessionID: sessionID(id)}
			return listTagsBySessionInOrder(ctx, q, a.from(after, seqPage))
		})
	})
}

func (s *Store) stream(ctx context.Context, op string, scope Scope, f Filter, after position,
	page func(filterArgs, position) ([]Tag, error),
) iter.Seq2[Tag, error] {
	return func(yield func(Tag, error) bool) {
		filter, err := f.checkedIn(scope)
		if err != nil {
			yield(Tag{}, s.refuse(ctx, op, err))
			return
		}
		names, err := s.names(ctx, op)
		if err != nil {
			yield(Tag{}, err)
			return
		}
		read := func(after position) ([]Tag, error) { return page(filter, after) }
		for tags, err := range pages(read, seqPage, after, positionOf) {
			if err != nil {
				yield(Tag{}, err)
				return
			}
			names.nameTags(tags)
			for _, tag := range tags {
				if !yield(tag, nil) {
					return
				}
			}
		}
	}
}

// tagPage returns the tags after a position.
func (s *Store) tagPage(ctx context.Context, op string, scope Scope, filter filterArgs, after position, limit int) (
	[]Tag, error,
) {
	filter = filter.orEverything()
	if after.observedAt < filter.Before {
		filter.Before = after.observedAt + 1 // lets the index seek to the page; the query compares UUIDs of that time
	}
	return inScope(ctx, s, op, scope, false, filter, func(ctx context.Context, q queries, m members, a args) ([]Tag, error) {
		a = a.from(after, limit)
		switch scope.Kind {
		case FleetScope:
			return fleetTags(ctx, q, a)
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

// sortCost is the cost of reading and sorting one tag, relative to reading one entry of the time index in order.
const sortCost = 10

// fleetTags reads a page in the order of the time index. For a rare technique, it reads and sorts all of its tags
// instead.
func fleetTags(ctx context.Context, q queries, a args) ([]Tag, error) {
	if !a.oneTechnique() {
		return listTags(ctx, q, a)
	}
	counts, err := listCountedTechniques(ctx, q, args{}) // without the tags that ListTechniqueCounts reads for a stale count
	if err != nil {
		return nil, err
	}
	var total, matching float64
	for _, g := range counts {
		total += float64(g.tags)
		if key := int64(g.key); a.FirstKey <= key && key <= a.LastKey {
			matching += float64(g.tags)
		}
	}
	if sortCost*matching*matching < float64(a.Limit)*total { // the time index has total / matching entries per matching tag
		return listTagsByTechnique(ctx, q, a)
	}
	return listTags(ctx, q, a)
}

// newestTags returns a page of the members' tags. It locates the page by index-only reads of at most one page per
// member, plus ties in time.
func newestTags(ctx context.Context, q queries, m members, a args) ([]Tag, error) {
	if q.sharded {
		return newestTagsByKey(ctx, q, m, a)
	}
	a.Offset = a.Limit - 1
	starts, err := inMemberChunks(ctx, q, listPageStarts, m, a)
	if err != nil {
		return nil, err
	}
	since := a.Since
	a.Since = slices.Max(append(starts, since))
	read := func() ([]Tag, error) {
		if max(len(m.identities), len(m.attackers)) > maxSlice {
			return newestTagsByKey(ctx, q, m, a)
		}
		return inMemberChunks(ctx, q, listTagsByMembers, m, a)
	}
	tags, err := read()
	if err == nil && int64(len(tags)) < a.Limit && a.Since > since { // without a snapshot, tags of the page were removed
		a.Since = since
		return read()
	}
	return tags, err
}

// keyReads is the number of attempts to read a page's keys and rows. Without a snapshot, rows may be removed in between; a
// short page would end the stream.
const keyReads = 3

// newestTagsByKey reads the keys of the members' tags before the rows of the page. vtgate has no plan for both in one
// statement, and several chunks of members have only one page of rows.
func newestTagsByKey(ctx context.Context, q queries, m members, a args) ([]Tag, error) {
	for range keyReads {
		page, err := inMemberChunks(ctx, q, listTagKeysByMembers, m, a)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(page, position.compareNewest) // merges the chunks
		page = page[:min(len(page), int(a.Limit))]
		ids := make([]uuid.UUID, len(page))
		for i, p := range page {
			ids[i] = p.uuid
		}
		tags, err := inChunks(ctx, q, listTagsByUUID, ids, args{})
		if err != nil || len(tags) == len(page) {
			slices.SortFunc(tags, func(a, b Tag) int { return positionOf(a).compareNewest(positionOf(b)) })
			return tags, err
		}
	}
	return nil, fmt.Errorf("%w: tags of the page were removed while it was read", ErrBusy)
}

// from returns the parameters of the page after a position.
func (a args) from(p position, limit int) args {
	a.CursorObservedAt, a.CursorUUID, a.Limit = p.observedAt, p.uuid[:], int64(limit)
	return a
}
