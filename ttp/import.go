package ttp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/google/uuid"
)

const (
	// DefaultImportBatch is the maximum number of lines that an import writes in one transaction.
	DefaultImportBatch = 5000
	// importFirstBatch is the number of lines in the first batch, which is read before anything can be written. Each
	// further one may have twice as many lines, which takes about as long to read as the previous one to write.
	importFirstBatch = 500
	// maxImportLine allows for 64 KiB of evidence with every byte escaped.
	maxImportLine = 1 << 20
	// maxImportBatchBytes bounds the memory of a batch.
	maxImportBatchBytes = 8 << 20
)

// ImportOptions configures [Store.Import].
type ImportOptions struct {
	// Batch is the maximum number of lines that are written in one transaction, [DefaultImportBatch] if 0. The first
	// batches and batches of long lines are smaller.
	Batch int
	// SkipInvalid skips invalid lines instead of stopping at their batch.
	SkipInvalid bool
	// DryRun counts what would be written and writes nothing. It runs the whole import in one transaction and rolls it
	// back. Writers that need its locks wait for it, and may return [ErrBusy]: on SQLite all, on MySQL those of the same
	// tags or techniques.
	DryRun bool
	// OnInvalid, if not nil, is called for each problem of the lines that SkipInvalid skips.
	OnInvalid func(Problem)
	// Progress, if not nil, is called after each batch with the counts so far.
	Progress func(ImportReport)
}

// ImportReport counts the records of all written batches. Lines and Invalid also include those of a batch that failed.
// Read, the number of tags, is the sum of Inserted, Duplicate, BelowFloor and Tombstoned.
type ImportReport struct {
	Lines      int `json:"lines"` // including empty and invalid ones
	Campaigns  int `json:"campaigns"`
	Identities int `json:"identities"`
	Attackers  int `json:"attackers"`
	Read       int `json:"read"` // valid tags
	Inserted   int `json:"inserted"`
	Duplicate  int `json:"duplicate"` // already stored, or earlier in the input
	BelowFloor int `json:"below_floor"`
	Tombstoned int `json:"tombstoned"`
	Invalid    int `json:"invalid"` // lines
}

// Import reads JSON Lines, plain or gzip, and writes them in batches of one transaction each, scopes before tags. It
// reads the next batch in another goroutine while it writes one, and returns only after that goroutine has ended; after
// an error or the end of the context, that may mean waiting for a pending Read of r. Its memory does not depend on the
// size of the input. Repeating an import changes nothing. Records without uuid, ingested_at or batch_uuid get new values
// for them.
//
// It stops before the batch of an invalid line with an [*InvalidError] ([ErrInvalidRecord]) that has the line's number,
// unless SkipInvalid is set. Earlier batches remain written; the report counts them, also alongside an error. After
// [ErrUnknownOutcome], the last batch may be written without being counted.
func (s *Store) Import(ctx context.Context, r io.Reader, opts ImportOptions) (ImportReport, error) {
	if opts.Batch < 0 {
		return ImportReport{}, s.refuse(ctx, "import", fmt.Errorf("the batch must not be negative: %d", opts.Batch))
	}
	if opts.Batch == 0 {
		opts.Batch = DefaultImportBatch
	}
	if !opts.DryRun {
		return s.importLines(ctx, r, opts)
	}
	if s.tx != nil {
		return ImportReport{}, s.refuse(ctx, "import", errors.New("a dry run cannot run inside a transaction: import, then roll back"))
	}
	if err := s.usable(ctx); err != nil {
		return ImportReport{}, s.refuse(ctx, "import", err)
	}
	leave, err := s.enqueueWriter(ctx)
	if err != nil {
		return ImportReport{}, s.refuse(ctx, "import", err)
	}
	leave = sync.OnceFunc(leave)
	defer leave()
	tx, err := s.write.BeginTx(ctx, s.engine.writeOptions())
	if err != nil {
		return ImportReport{}, s.refuse(ctx, "import", err)
	}
	defer func() { _ = tx.Rollback() }()
	defer context.AfterFunc(ctx, func() { // a pending Read of r does not keep other writers waiting
		_ = tx.Rollback()
		leave()
	})()
	inner := s.WithTx(tx)
	inner.txQueries = s.writes.in(tx)
	return inner.importLines(ctx, r, opts)
}

// importLines writes batches while another goroutine reads the next one.
func (s *Store) importLines(ctx context.Context, r io.Reader, opts ImportOptions) (ImportReport, error) {
	in := importer{store: s, opts: opts}
	for batch, err := range readAhead(batches(r, opts.Batch)) {
		if err := in.write(ctx, batch, err); err != nil {
			return in.report, s.fail(ctx, "import", err)
		}
	}
	return in.report, nil
}

// importBatch is a batch of decoded lines.
type importBatch struct {
	records
	lines    int
	bytes    int
	invalid  int
	problems []Problem
}

// batches decodes lines into batches. The last one may be empty. An error of the reader comes with the lines before it.
func batches(r io.Reader, maxLines int) iter.Seq2[importBatch, error] {
	return func(yield func(importBatch, error) bool) {
		var b importBatch
		full := min(importFirstBatch, maxLines)
		lines, err := newLineReader(r)
		for number := 1; err == nil; number++ {
			var line []byte
			if line, err = lines.next(); err != nil {
				break
			}
			if b.add(line, number); b.lines < full && b.bytes < maxImportBatchBytes {
				continue
			}
			if !yield(b, nil) {
				return
			}
			b = importBatch{}
			full += min(full, maxLines-full)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		yield(b, err)
	}
}

// add decodes a line; nil stands for one that is too long.
func (b *importBatch) add(line []byte, number int) {
	b.lines++
	b.bytes += len(line)
	problems := []Problem{{Reason: fmt.Sprintf("must be at most %d bytes", maxImportLine)}}
	if line != nil {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return
		}
		problems = b.decode(line)
	}
	if len(problems) > 0 {
		b.invalid++
		b.problems = append(b.problems, at(LinePlace, number, problems)...)
	}
}

// importer writes batches and counts them.
type importer struct {
	store  *Store
	opts   ImportOptions
	report ImportReport
}

// write writes a batch, unless the reader failed after it.
func (in *importer) write(ctx context.Context, b importBatch, readErr error) error {
	in.report.Lines += b.lines
	in.report.Invalid += b.invalid
	if readErr != nil {
		return in.store.refuse(ctx, "import", readErr)
	}
	if len(b.problems) > 0 && !in.opts.SkipInvalid {
		return in.store.refuse(ctx, "import", &InvalidError{Kind: ErrInvalidRecord, Problems: b.problems})
	}
	for _, problem := range b.problems {
		if in.opts.OnInvalid != nil {
			in.opts.OnInvalid(problem)
		}
	}
	outcomes, err := in.store.importRecords(ctx, b.records)
	if err != nil {
		return err
	}
	in.count(b.records, outcomes)
	if in.opts.Progress != nil {
		in.opts.Progress(in.report)
	}
	return nil
}

// importRecords writes records in one transaction and returns the outcomes of the tags.
func (s *Store) importRecords(ctx context.Context, r records) ([]Outcome, error) {
	batch, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	now, batches := s.now(), [][]byte{batch[:]}
	for i := range r.tags {
		tag := &r.tags[i]
		if tag.BatchUUID == uuid.Nil {
			tag.BatchUUID = batch
		} else {
			batches = nil
		}
		if tag.IngestedAt.IsZero() {
			tag.IngestedAt = now
		}
	}
	outcomes := make([]Outcome, len(r.tags))
	w := tagWrite{inCallerTx: s.tx != nil, tombstones: s.tombstones, batches: batches}
	w.add(r.tags, outcomes, s.floor)
	observed, attempts := s.observe(ctx, "import"), 0
	_, err = transact(ctx, s, func(q queries) (struct{}, error) {
		attempts++
		if err := r.upsert(ctx, q); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, w.write(ctx, q)
	})
	if err != nil {
		outcomes, err = nil, s.fail(ctx, "import", err)
	}
	observed(Observation{Rows: len(r.tags), Outcomes: outcomesOf(outcomes), Attempts: attempts}, err)
	return outcomes, err
}

func (in *importer) count(written records, outcomes []Outcome) {
	r := &in.report
	r.Campaigns += len(written.campaigns)
	r.Identities += len(written.identities)
	r.Attackers += len(written.attackers)
	r.Read += len(outcomes)
	for _, outcome := range outcomes {
		switch outcome {
		case Inserted:
			r.Inserted++
		case Duplicate:
			r.Duplicate++
		case BelowFloor:
			r.BelowFloor++
		case Tombstoned:
			r.Tombstoned++
		}
	}
}

// lineReader reads lines of bounded length.
type lineReader struct{ r *bufio.Reader }

// newLineReader detects gzip by its magic number and skips a byte order mark.
func newLineReader(r io.Reader) (*lineReader, error) {
	in := bufio.NewReaderSize(r, maxImportLine)
	magic, err := in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = bufio.NewReaderSize(unzipped, maxImportLine)
	}
	const mark = "\ufeff"
	start, err := in.Peek(len(mark))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(start) == mark {
		_, _ = in.Discard(len(mark)) // it is in the buffer
	}
	return &lineReader{in}, nil
}

// next returns the next line, valid until the next call. It returns nil for one that is too long, and io.EOF after
// the last.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	tooLong := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.r.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && (tooLong || len(line) > 0) {
		err = nil // the last line; the next call returns io.EOF
	}
	if tooLong {
		line = nil
	}
	return line, err
}
