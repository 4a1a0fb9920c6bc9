package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows on a terminal how far a command is. On anything else it shows nothing.
type progress struct{ bar *progressbar.ProgressBar }

// newProgress counts bytes up to total, or units with a spinner when the total is not known (-1).
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
			progressbar.OptionSetSpinnerChangeInterval(0)) // else it turns by itself, over a question that is asked
	}
	return progress{progressbar.NewOptions64(total, options...)}
}

// The bar's errors are those of writing to the terminal, which are no reason to stop.

// add goes on by n bytes or units.
func (p progress) add(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n)
	}
}

// clear makes room for a line of text; the bar comes back with the next change.
func (p progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// finish takes the bar away.
func (p progress) finish() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}

// reader counts the bytes that are read.
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
	// In small steps: the buffer behind may hold the whole of a compressed file.
	n, err := r.r.Read(b[:min(len(b), 32<<10)])
	r.p.add(n)
	return n, err
}
