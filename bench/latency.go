package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// latencies records the durations of concurrent calls in bounded memory.
type latencies struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
}

// The range of recorded durations. Others are clamped to it.
const (
	shortestCall = time.Microsecond
	longestCall  = 10 * time.Minute
)

func newLatencies() *latencies {
	return &latencies{histogram: hdrhistogram.New(int64(shortestCall), int64(longestCall), 3)}
}

// timed calls a function and records its duration.
func (l *latencies) timed(call func() error) error {
	begin := time.Now()
	err := call()
	elapsed := min(time.Since(begin), longestCall)
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(err, l.histogram.RecordValue(int64(elapsed)))
}

// seconds returns a percentile of the durations.
func (l *latencies) seconds(percent float64) float64 {
	return time.Duration(l.histogram.ValueAtPercentile(percent)).Seconds()
}

func (l *latencies) calls() int64 { return l.histogram.TotalCount() }

// repeatFor repeats a call by concurrent workers for a duration. It returns the number of calls of each worker and the time
// until the last call ended. An error ends all workers.
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
