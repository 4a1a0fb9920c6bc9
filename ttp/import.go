package ttp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
)

const (
	// DefaultImportBatch is the number of lines that an import writes in one transaction.
	DefaultImportBatch = 5000
	// maxImportLine is room for 64 KiB of evidence with every byte escaped.
	maxImportLine = 1 << 20
	// maxImportBatchBytes bounds the memory of a batch, whatever its lines hold.
	maxImportBatchBytes = 8 << 20
)

// ImportOptions change how an import runs; the zero value is good.
type ImportOptions struct {
	// Batch is the number of lines that are written in one transaction, [DefaultImportBatch] for 0. A
	// batch of long lines is cut earlier.
	Batch int
	// SkipInvalid leaves invalid lines out in place of stopping at the batch that holds them.
	SkipInvalid bool
	// DryRun counts what would be written and writes nothing. It runs the whole import in one
	// transaction, which it rolls back: on SQLite no other writer gets in meanwhile.
	DryRun bool
	// OnInvalid, if not nil, is told of each problem of the lines that SkipInvalid leaves out.
	OnInvalid func(Problem)
	// Progress, if not nil, is called after each batch with the counts so far.
	Progress func(ImportReport)
}

// ImportReport counts what an import has read and, in the batches written, done. Read, the number of
// tags, is the sum of Inserted, Duplicate, BelowFloor and Tombstoned.
type ImportReport struct {
	Lines      int `json:"lines"` // all lines read, empty ones too
	Campaigns  int `json:"campaigns"`
	Identities int `json:"identities"`
	Attackers  int `json:"attackers"`
	Read       int `json:"read"` // valid tags
	Inserted   int `json:"inserted"`
	Duplicate  int `json:"duplicate"` // stored already, or earlier in the input
	BelowFloor int `json:"below_floor"`
	Tombstoned int `json:"tombstoned"`
	Invalid    int `json:"invalid"` // lines
}

// Import reads JSON Lines, plain or compressed by gzip, and writes them batch by batch, each in one
// transaction, the scopes before the tags; the memory that it takes does not grow with the input.
// Repeating an import changes nothing. A tag's uuid, ingested_at and batch_uuid are kept where the record has them, and made where
// it has not.
//
// At an invalid line it stops before the line's batch and returns an [*InvalidError] with the line
// numbers ([ErrInvalidRecord]), unless told to skip. Earlier batches stay written, as the report says
// that comes with every error.
func (s *Store) Import(ctx context.Context, r io.Reader, opts ImportOptions) (ImportReport, error) {
	if opts.Batch < 0 {
		return ImportReport{}, fmt.Errorf("ttp: import: the batch must not be negative: %d", opts.Batch)
	}
	if opts.Batch == 0 {
		opts.Batch = DefaultImportBatch
	}
	if !opts.DryRun {
		return s.importLines(ctx, r, opts)
	}
	if s.tx != nil {
		return ImportReport{}, errors.New("ttp: import: no dry run inside a transaction: roll the transaction back instead")
	}
	if err := s.ready(ctx); err != nil {
		return ImportReport{}, s.fail(ctx, "import", err)
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return ImportReport{}, s.fail(ctx, "import", err)
	}
	defer func() { _ = tx.Rollback() }()
	return s.WithTx(tx).importLines(ctx, r, opts)
}

func (s *Store) importLines(ctx context.Context, r io.Reader, opts ImportOptions) (ImportReport, error) {
	in := importer{store: s, opts: opts}
	lines, err := newLineReader(r)
	for err == nil {
		var line []byte
		if line, err = lines.next(); err != nil {
			break
		}
		in.add(line)
		if in.full() {
			err = in.flush(ctx)
		}
	}
	if errors.Is(err, io.EOF) {
		err = in.flush(ctx)
	}
	return in.report, s.fail(ctx, "import", err)
}

// importer gathers the lines of a batch and writes them.
type importer struct {
	store    *Store
	opts     ImportOptions
	report   ImportReport
	batch    records
	lines    int // in the batch
	bytes    int // in the batch
	problems []Problem
}

// add decodes a line, nil for one that is too long.
func (in *importer) add(line []byte) {
	in.report.Lines++
	in.lines++
	in.bytes += len(line)
	problems := []Problem{{Reason: fmt.Sprintf("must be at most %d bytes", maxImportLine)}}
	if line != nil {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return
		}
		problems = in.batch.decode(line)
	}
	if len(problems) > 0 {
		in.report.Invalid++
		in.problems = append(in.problems, at(LinePlace, in.report.Lines, problems)...)
	}
}

func (in *importer) full() bool {
	return in.lines >= in.opts.Batch || in.bytes >= maxImportBatchBytes
}

// flush writes the batch and begins the next.
func (in *importer) flush(ctx context.Context) error {
	if len(in.problems) > 0 && !in.opts.SkipInvalid {
		return &InvalidError{Kind: ErrInvalidRecord, Problems: in.problems}
	}
	for _, problem := range in.problems {
		if in.opts.OnInvalid != nil {
			in.opts.OnInvalid(problem)
		}
	}
	if err := in.write(ctx); err != nil {
		return err
	}
	in.batch, in.problems, in.lines, in.bytes = records{}, nil, 0, 0
	if in.opts.Progress != nil {
		in.opts.Progress(in.report)
	}
	return nil
}

func (in *importer) write(ctx context.Context) error {
	batch, err := uuid.NewV7()
	if err != nil {
		return err
	}
	now := in.store.now()
	for i := range in.batch.tags {
		tag := &in.batch.tags[i]
		if tag.BatchUUID == uuid.Nil {
			tag.BatchUUID = batch
		}
		if tag.IngestedAt.IsZero() {
			tag.IngestedAt = now
		}
	}
	outcomes := make([]Outcome, len(in.batch.tags))
	w := tagWrite{inCallerTx: in.store.tx != nil}
	w.add(in.batch.tags, outcomes, in.store.floor)
	observed, attempts := in.store.observe(ctx, "import"), 0
	_, err = transact(ctx, in.store, func(q queries) (struct{}, error) {
		attempts++
		if err := in.batch.upsert(ctx, q); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, w.write(ctx, q)
	})
	if err != nil {
		outcomes = nil
	}
	observed(Observation{Rows: len(in.batch.tags), Outcomes: outcomesOf(outcomes), Attempts: attempts}, err)
	if err == nil {
		in.count(outcomes)
	}
	return err
}

func (in *importer) count(outcomes []Outcome) {
	r := &in.report
	r.Campaigns += len(in.batch.campaigns)
	r.Identities += len(in.batch.identities)
	r.Attackers += len(in.batch.attackers)
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

// newLineReader finds out by the first bytes whether the input is compressed, and skips a byte order mark.
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

// next returns the next line, valid until the next call, nil for one that is too long, and io.EOF after
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
