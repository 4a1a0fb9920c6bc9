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

// RollbackRule removes the tags that a rule wrote, as a filter says it: RuleID must be set; RuleVersion,
// Since and Until and all else narrow it. No index knows rules: without a window it walks all tags.
//
// It returns [ErrInvalidQuery] for a filter that no read would take, and [ErrBusy].
func (s *Store) RollbackRule(ctx context.Context, rule Filter, opts ...RemovalOption) (Receipt, error) {
	var c checker
	b := rule.filterArgs(&c)
	if rule.RuleID == "" {
		c.refuse("rule_id", "must be set")
	}
	return s.remove(ctx, "roll back rule", describe(rule), opts, &c, func(ctx context.Context, r *removal) error {
		return r.each(ctx, r.tagsOf(ctx, Fleet(), b), r.removeAll)
	})
}

// RollbackBatch removes the tags that one call of InsertTags wrote, by its [InsertResult.BatchUUID]. No
// index knows batches: it walks all tags. Its errors are those of [Store.RollbackRule].
func (s *Store) RollbackBatch(ctx context.Context, batch uuid.UUID, opts ...RemovalOption) (Receipt, error) {
	var c checker
	c.id("batch_uuid", batch)
	return s.remove(ctx, "roll back batch", batch.String(), opts, &c, func(ctx context.Context, r *removal) error {
		return r.each(ctx, pagesByUUID(ctx, r, listTagsInBatch, args{BatchUUID: batch[:]}, Tag.id), r.removeAll)
	})
}

// describe spells a filter as JSON.
func describe(f Filter) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // three times as long
	_ = e.Encode(f)        // all its fields are text, numbers or times
	text := []rune(string(bytes.TrimSpace(b.Bytes())))
	return string(text[:min(len(text), 2000)]) // a tombstone has no room for more
}
