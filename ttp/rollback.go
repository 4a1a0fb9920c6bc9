package ttp

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/decnet/ttpstore/db/mysqlgen"
	"github.com/decnet/ttpstore/db/sqlitegen"
)

var listTagsInBatch = many((*sqlitegen.Queries).ListTagsInBatch, (*mysqlgen.Queries).ListTagsInBatch, toTag, toTag)

// RollbackRule removes the tags of a rule. The filter must have RuleID; all other fields narrow it. No index covers
// rules, so that it scans all tags, or those in the filter's window.
//
// It returns [ErrInvalidQuery] for an invalid filter or option, and [ErrBusy].
func (s *Store) RollbackRule(ctx context.Context, rule Filter, opts ...RemovalOption) (Receipt, error) {
	var c checker
	filter := rule.filterArgs(&c)
	if rule.RuleID == "" {
		c.refuse("rule_id", "must be set")
	}
	return s.remove(ctx, "roll back rule", describe(rule), opts, &c, func(ctx context.Context, r *removal) error {
		return r.applyEach(ctx, r.tagsOf(ctx, Fleet(), filter), r.removeAll)
	})
}

// RollbackBatch removes the tags that one call of [Store.InsertTags] wrote, by its [InsertResult.BatchUUID]. No index
// covers batches, so that it scans all tags. It returns the same errors as [Store.RollbackRule].
func (s *Store) RollbackBatch(ctx context.Context, batch uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	var c checker
	c.id("batch_uuid", batch)
	return s.remove(ctx, "roll back batch", batch.String(), opts, &c, func(ctx context.Context, r *removal) error {
		return r.applyEach(ctx, pagesByUUID(ctx, r, listTagsInBatch, args{BatchUUID: batch[:]}, Tag.id), r.removeAll)
	})
}

// describe returns the filter as JSON, truncated to fit in a tombstone.
func describe(f Filter) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // escapes take more space
	_ = e.Encode(f)        // text, numbers and times: cannot fail
	text := []rune(string(bytes.TrimSpace(b.Bytes())))
	return string(text[:min(len(text), 2000)])
}
