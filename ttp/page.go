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

// readAhead runs a sequence in another goroutine, which computes the next value while the loop handles one. It returns
// when that goroutine has ended. It panics if the sequence does.
func readAhead[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type result struct {
		value    T
		err      error
		panicked any
	}
	return func(yield func(T, error) bool) {
		results, stop := make(chan result), make(chan struct{})
		go func() {
			defer close(results)
			ended := false
			defer func() {
				if ended {
					return
				}
				r := result{panicked: recover()}
				if r.panicked == nil {
					r.panicked = "ttp: a reader called runtime.Goexit"
				}
				select {
				case results <- r:
				case <-stop:
				}
			}()
			for value, err := range seq {
				select {
				case results <- result{value: value, err: err}:
				case <-stop:
					ended = true
					return
				}
			}
			ended = true
		}()
		defer func() {
			close(stop)
			for range results { // until the goroutine has ended
			}
		}()
		for r := range results {
			if r.panicked != nil {
				panic(r.panicked)
			}
			if !yield(r.value, r.err) {
				return
			}
		}
	}
}
