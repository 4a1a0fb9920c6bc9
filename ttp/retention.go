package ttp

import (
	"context"
	"time"
)

// ExpireTags removes the tags that were observed longer ago than keep.
//
// It returns [ErrInvalidQuery] if keep is not positive or an option is invalid, and [ErrBusy].
func (s *Store) ExpireTags(ctx context.Context, keep time.Duration, opts ...RemovalOption) (Receipt, error) {
	var c checker
	if keep <= 0 {
		c.refuse("keep", "must be positive")
	}
	f := Filter{Until: s.now().Add(-keep)}
	filter := f.filterArgs(&c)
	return s.remove(ctx, "expire tags", describe(f), opts, &c, func(ctx context.Context, r *removal) error {
		return r.applyEach(ctx, r.tagsOf(ctx, Fleet(), filter), r.removeAll)
	})
}
