package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// latencies gathers how long calls take, in bounded memory, from any number of callers.
type latencies struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
}

// The range of a call's time; what lies outside counts as the nearest.
const (
	shortestCall = time.Microsecond
	longestCall  = 10 * time.Minute
)

func newLatencies() *latencies {
	return &latencies{histogram: hdrhistogram.New(int64(shortestCall), int64(longestCall), 3)}
}

// timed makes a call and records how long it took.
func (l *latencies) timed(call func() error) error {
	begin := time.Now()
	err := call()
	elapsed := min(time.Since(begin), longestCall)
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(err, l.histogram.RecordValue(int64(elapsed)))
}

// seconds returns the time within which this percentage of the calls returned.
func (l *latencies) seconds(percent float64) float64 {
	return time.Duration(l.histogram.ValueAtPercentile(percent)).Seconds()
}

func (l *latencies) calls() int64 { return l.histogram.TotalCount() }

// repeatFor lets workers repeat a call until the time is over. It returns how many calls each made and how
// long all of them took, up to the end of the last call. An error ends all.
func repeatFor(ctx context.Context, d time.Duration, workers int, call func(context.Context) error) ([]int, time.Duration, error) {
	made := make([]int, workers)
	group, ctx := errgroup.WithContext(ctx)
	begin := time.Now()
	for i := range workers {
		group.Go(func() error {
			for time.Since(begin) < d {
				if err := call(ctx); err != nil {
					return err
				}
				made[i]++
			}
			return nil
		})
	}
	err := group.Wait()
	return made, time.Since(begin), err
}
