package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a progress bar on a terminal. On other outputs it does nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress returns a bar for total bytes, or a spinner that counts units if the total is unknown (-1).
func newProgress(stderr io.Writer, total int64, unit string) progress {
	if !isTerminal(stderr) {
		return progress{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100 * time.Millisecond),
	}
	if total >= 0 {
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionFullWidth())
	} else {
		options = append(options, progressbar.OptionSpinnerType(14), progressbar.OptionShowCount(),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionSetSpinnerChangeInterval(0)) // otherwise it redraws itself over a confirmation prompt
	}
	return progress{progressbar.NewOptions64(total, options...)}
}

// The methods ignore the bar's errors: failing to draw it is no reason to stop.

// add advances the bar by n bytes or units.
func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// clear hides the bar for a line of text, until the next add.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// finish removes the bar.
func (p progress) finish() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}

// reader returns a reader that advances the bar by the bytes read from r.
func (p progress) reader(r io.Reader) io.Reader {
	if p.bar == nil {
		return r
	}
	return progressReader{r, p}
}

type progressReader struct {
	r io.Reader
	p progress
}

func (r progressReader) Read(b []byte) (int, error) {
	// Read in small steps: one buffer may hold an entire compressed file.
	n, err := r.r.Read(b[:min(len(b), 32<<10)])
	r.p.add(n)
	return n, err
}
