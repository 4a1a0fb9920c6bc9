package ttp

import "iter"

// pages streams the pages of rows that read returns, each of at most limit rows after a key. A page that is not
// full is the last; none is empty. The error comes last, with no page.
func pages[T, K any](read func(after K) ([]T, error), limit int, after K, key func(T) K) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for {
			page, err := read(after)
			if err != nil {
				yield(nil, err)
				return
			}
			n := len(page)
			if n > 0 {
				after = key(page[n-1]) // before the loop's body, which may change the page
			}
			if n == 0 || !yield(page, nil) || n < limit {
				return
			}
		}
	}
}
