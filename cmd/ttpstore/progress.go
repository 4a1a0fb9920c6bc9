package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
)

// progressBar is a line on a terminal with the progress and the remaining time. On other outputs the bar is nil and
// does nothing.
type progressBar struct {
	stderr      io.Writer
	unit        string // empty for bytes
	done, total int64  // the total is 0 if it is unknown
	start, last time.Time
	now         func() time.Time
}

// newBar returns a bar for total units.
func newBar(stderr io.Writer, unit string, total int64) *progressBar {
	if !isTerminal(stderr) {
		return nil
	}
	return &progressBar{stderr: stderr, unit: unit, total: total, start: time.Now(), now: time.Now}
}

// newProgress returns a bar whose total is counted by a query. If the query fails, so will the operation, and there is
// no bar.
func newProgress(stderr io.Writer, unit string, total func() (int64, error)) *progressBar {
	if !isTerminal(stderr) {
		return nil
	}
	n, err := total()
	if err != nil {
		return nil
	}
	return newBar(stderr, unit, n)
}

// The escape sequence erases a line.
const eraseLine = "\r\x1b[K"

// set sets the progress, and draws the bar at most ten times a second.
func (b *progressBar) set(n int64) {
	if b == nil {
		return
	}
	b.done = n
	if now := b.now(); now.Sub(b.last) >= 100*time.Millisecond {
		b.last = now
		notef(b.stderr, "%s%s", eraseLine, b.line(now.Sub(b.start)))
	}
}

// add advances the bar.
func (b *progressBar) add(n int64) {
	if b != nil {
		b.set(b.done + n)
	}
}

// clear hides the bar until it advances, so that a line of text can be printed.
func (b *progressBar) clear() {
	if b != nil && !b.last.IsZero() {
		notef(b.stderr, eraseLine)
		b.last = time.Time{}
	}
}

// line returns the bar's text. In the first second, a rate would be a guess.
func (b *progressBar) line(elapsed time.Duration) string {
	total := max(b.total, b.done)
	line := b.format(b.done)
	if b.total > 0 {
		line = fmt.Sprintf("%3d%%  %s of %s", 100*b.done/total, line, b.format(total))
	}
	if b.unit != "" {
		line += " " + b.unit
	}
	if elapsed < time.Second || b.done == 0 {
		return line
	}
	line += fmt.Sprintf("  %s/s", b.format(int64(float64(b.done)/elapsed.Seconds())))
	if b.total > 0 {
		left := time.Duration(float64(elapsed) * float64(total-b.done) / float64(b.done))
		line += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	return line
}

func (b *progressBar) format(n int64) string {
	if b.unit == "" {
		return humanize.Bytes(uint64(n)) //nolint:gosec // not negative
	}
	return humanize.Comma(n)
}

// reader returns a reader that advances the bar by the bytes read from r.
func (b *progressBar) reader(r io.Reader) io.Reader {
	if b == nil {
		return r
	}
	return barReader{r, b}
}

type barReader struct {
	r io.Reader
	b *progressBar
}

func (r barReader) Read(p []byte) (int, error) {
	// Read in small steps: one buffer may hold an entire compressed file.
	n, err := r.r.Read(p[:min(len(p), 32<<10)])
	r.b.add(int64(n))
	return n, err
}
