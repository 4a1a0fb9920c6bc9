package ttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// FuzzReadBatches checks that an input has the same lines, records and problems in batches of any size, and read in any
// pieces, and that no line is lost.
func FuzzReadBatches(f *testing.F) {
	input := []byte("\ufeff" + fuzzCampaign + "\r\n\n" + fuzzTag + "\n \n{\n" + fuzzAttacker)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(input)
	_ = z.Close()
	f.Add(input, 1)
	f.Add(zipped.Bytes(), 3)
	f.Add(zipped.Bytes()[:zipped.Len()-9], 2)
	f.Add([]byte("\x1f\x8b"), 1)
	f.Add([]byte("\ufeff"), 1)
	f.Fuzz(func(t *testing.T, input []byte, size int) {
		whole, wholeErr := readBatches(bytes.NewReader(input), 1<<30)
		small, smallErr := readBatches(iotest.HalfReader(bytes.NewReader(input)), int(uint(size)%8)+1)
		if (wholeErr == nil) != (smallErr == nil) {
			t.Fatalf("one batch: %v, small batches: %v", wholeErr, smallErr)
		}
		wantRecords(t, whole.records, small.records)
		if whole.lines != small.lines || whole.invalid != small.invalid {
			t.Errorf("%d and %d lines, %d and %d invalid", whole.lines, small.lines, whole.invalid, small.invalid)
		}
		if diff := cmp.Diff(whole.problems, small.problems); diff != "" {
			t.Errorf("problems (-one batch +small batches):\n%s", diff)
		}
		if want, err := linesOf(input); (err == nil) != (wholeErr == nil) || (err == nil && whole.lines != want) {
			t.Errorf("read %d lines, %v, want %d, %v", whole.lines, wholeErr, want, err)
		}
	})
}

// readBatches returns all batches of an input as one.
func readBatches(r io.Reader, size int) (all importBatch, err error) {
	for b, err := range batches(r, size) {
		all.campaigns = append(all.campaigns, b.campaigns...)
		all.identities = append(all.identities, b.identities...)
		all.attackers = append(all.attackers, b.attackers...)
		all.tags = append(all.tags, b.tags...)
		all.problems = append(all.problems, b.problems...)
		all.lines += b.lines
		all.invalid += b.invalid
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// linesOf returns the number of lines of an input.
func linesOf(input []byte) (int, error) {
	if bytes.HasPrefix(input, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(bytes.NewReader(input))
		if err != nil {
			return 0, err
		}
		if input, err = io.ReadAll(z); err != nil {
			return 0, err
		}
	}
	input = bytes.TrimPrefix(input, []byte("\ufeff"))
	n := bytes.Count(input, []byte("\n"))
	if len(input) > 0 && !bytes.HasSuffix(input, []byte("\n")) {
		n++
	}
	return n, nil
}

// readerFunc is a reader that calls a function.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// The reader runs in another goroutine, in which its caller could not recover.
func TestImportPanicsLikeItsReader(t *testing.T) {
	for want, reader := range map[string]readerFunc{
		"a reader's own":                      func([]byte) (int, error) { panic("a reader's own") },
		"ttp: a reader called runtime.Goexit": func([]byte) (int, error) { runtime.Goexit(); return 0, nil },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("got %v, want %s", got, want)
				}
			}()
			for _, err := range readAhead(batches(reader, 1)) {
				t.Errorf("got a batch with the error %v", err)
			}
		}()
	}
}
