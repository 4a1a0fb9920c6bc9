package main

import (
	"strings"
	"testing"
	"time"
)

func TestBar(t *testing.T) {
	for _, test := range []struct {
		bar     progressBar
		elapsed time.Duration
		want    string
	}{
		{progressBar{unit: "tags", total: 20_000}, 0, "  0%  0 of 20,000 tags"},
		{progressBar{unit: "tags", total: 20_000, done: 5000}, time.Millisecond, " 25%  5,000 of 20,000 tags"},
		{progressBar{unit: "tags", total: 20_000, done: 5000}, 2 * time.Second, " 25%  5,000 of 20,000 tags  2,500/s  6s left"},
		{progressBar{unit: "tags", total: 10, done: 30}, 2 * time.Second, "100%  30 of 30 tags  15/s  0s left"}, // rows were added
		{progressBar{unit: "lines", done: 3000}, 3 * time.Second, "3,000 lines  1,000/s"},
		{progressBar{total: 4_000_000, done: 1_000_000}, 90 * time.Second, " 25%  1.0 MB of 4.0 MB  11 kB/s  4m30s left"},
	} {
		if got := test.bar.line(test.elapsed); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestBarIsDrawnNowAndThen(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	b := &progressBar{stderr: &out, unit: "tags", total: 4, start: now, now: func() time.Time { return now }}
	b.clear() // nothing is drawn yet
	for range 4 {
		now = now.Add(60 * time.Millisecond)
		b.add(1)
	}
	b.clear()
	want := eraseLine + " 25%  1 of 4 tags" + eraseLine + " 75%  3 of 4 tags" + eraseLine
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	var none *progressBar
	none.add(1)
	none.clear()
	if r := strings.NewReader("x"); none.reader(r) != r {
		t.Error("a reader without a bar")
	}
}
