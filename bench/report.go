package main

import (
	"bytes"
	_ "embed" // for the notes
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// unit is the unit of samples. The scale converts them to that of benchstat.
type unit struct {
	name  string
	scale float64
}

var (
	seconds       = unit{"ns/op", 1e9}
	secondsPerTag = unit{"ns/tag", 1e9}
	p50           = unit{"p50-ns/op", 1e9}
	p99           = unit{"p99-ns/op", 1e9}
	serverTime    = unit{"server-ns/op", 1e9}
	lockTime      = unit{"lock-ns/op", 1e9}
	roundTrips    = unit{"roundtrips/op", 1}
	perTag        = unit{"allocs/tag", 1}
	bytesPerTag   = unit{"B/tag", 1}
	calls         = unit{"calls", 1}
)

// The tables of the report.
const (
	mainTable   = "main"
	smallTable  = "small"
	growthTable = "growth"
)

// row is a measured job.
type row struct {
	table  string
	engine string
	job    string
	tags   int
	unit   unit
}

// in returns the row of the same job in another unit.
func (w row) in(u unit) row {
	w.unit = u
	return w
}

// sample is the result of a subject in a round.
type sample struct {
	row
	subject string
	value   float64
}

// notes holds the conclusions from profiles, with figures of other runs.
//
//go:embed notes.md
var notes string

// report collects samples and formats them.
type report struct {
	config   config
	versions []string
	records  string
	failed   error // ended the run early
	remarks  []string
	rows     []row // in the order in which they were measured
	loads    []loadResult
	samples  map[row]map[string][]float64
	raw      bytes.Buffer
}

func newReport(c config) *report {
	return &report{config: c, samples: map[row]map[string][]float64{}, records: "No honeypot records were found."}
}

func (r *report) add(s sample) {
	if r.samples[s.row] == nil {
		r.samples[s.row] = map[string][]float64{}
		r.rows = append(r.rows, s.row)
	}
	r.samples[s.row][s.subject] = append(r.samples[s.row][s.subject], s.value)
	name := strings.NewReplacer(" ", "_", ":", "", ",", "").Replace(s.job)
	fmt.Fprintf(&r.raw, "BenchmarkJob/engine=%s/job=%s/tags=%d/subject=%s 1 %.6g %s\n",
		s.engine, name, s.tags, strings.ReplaceAll(s.subject, " ", "_"), s.value*s.unit.scale, s.unit.name)
}

func (r *report) remark(format string, args ...any) {
	r.remarks = append(r.remarks, fmt.Sprintf(format, args...))
}

func (r *report) rowsOf(table string) []row {
	return slices.DeleteFunc(slices.Clone(r.rows), func(w row) bool { return w.table != table })
}

func (r *report) noteRecords(n int) {
	if n > 0 {
		r.records = fmt.Sprintf("The honeypot records are %d tags of a real Cowrie honeypot of 2018.", n)
	}
}

// pictureFile is in the directory of the report.
const pictureFile = "growth.svg"

func (r *report) write(stdout io.Writer) error {
	picture, text := r.picture(), r.markdown()
	_, err := stdout.Write(text)
	if r.config.out != "" {
		err = errors.Join(err, os.WriteFile(r.config.out, text, 0o644))
		if picture != nil {
			err = errors.Join(err, os.WriteFile(filepath.Join(filepath.Dir(r.config.out), pictureFile), picture, 0o644))
		}
	}
	if r.config.raw != "" {
		err = errors.Join(err, os.WriteFile(r.config.raw, r.raw.Bytes(), 0o644))
	}
	return err
}

func (r *report) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# ttpstore compared with other libraries\n\n")
	fmt.Fprintf(&b, "Written by `go run .%s` in `bench/` on %s; do not edit.\n\n", r.config.flags, time.Now().UTC().Format("2006-01-02"))
	if r.config.short {
		fmt.Fprintf(&b, "**A short run, which only checks that everything runs.**\n\n")
	}
	if r.failed != nil {
		fmt.Fprintf(&b, "**The run ended early: %s**\n\n", strings.ReplaceAll(r.failed.Error(), "\n", " "))
	}
	for _, line := range slices.Concat(machine(), r.versions, r.remarks) {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	fmt.Fprintf(&b, "- %s\n\n", counted(r.config.rounds, "round"))
	r.writeMain(&b)
	r.writeSmall(&b)
	r.writeLoad(&b)
	r.writeGrowth(&b)
	b.WriteString(notes)
	return b.Bytes()
}
