package ttp

import "iter"

// pages streams rows that read returns a page at a time: those behind a key, at most limit. A page that is
// not full is the last. The error comes last, with no row.
func pages[T, K any](read func(after K) ([]T, error), limit int, after K, key func(T) K) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			rows, err := read(after)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			if len(rows) < limit {
				return
			}
			after = key(rows[len(rows)-1])
		}
	}
}
