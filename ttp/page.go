package ttp

import "iter"

// pages streams pages in key order. The function read returns at most limit rows after a key; fewer rows end the
// stream. No page is empty. An error ends the stream, with a nil page.
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
				after = key(page[n-1]) // before yield, since the loop body may change the page
			}
			if n == 0 || !yield(page, nil) || n < limit {
				return
			}
		}
	}
}
