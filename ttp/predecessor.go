package ttp

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// This file and those named predecessor_* import the database of DECNET's own tag storage, which this module replaces.

// PredecessorOptions configures [Store.ImportPredecessor]. The zero value is ready to use.
type PredecessorOptions struct {
	// DryRun reports what would be written and writes nothing.
	DryRun bool
	// OnNote, if not nil, is called for each invalid field of a row, which is refused or kept without the field.
	OnNote func(PredecessorNote)
	// Progress, if not nil, is called after each batch with the number of rows read since the last call.
	Progress func(rows int)
}

// PredecessorNote describes an invalid field of a row of the predecessor's.
type PredecessorNote struct {
	Table  string `json:"table"`
	UUID   string `json:"uuid"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
	// Kept reports whether the row was imported without the field.
	Kept bool `json:"kept"`
}

// String returns the table, the uuid, the field and the reason.
func (n PredecessorNote) String() string {
	end := ""
	if n.Kept {
		end = ", kept without it"
	}
	return fmt.Sprintf("%s %s: %s: %s%s", n.Table, n.UUID, n.Field, n.Reason, end)
}

// PredecessorReport counts the rows that an import has read and written, and by field or reason those that it changed,
// refused or found odd.
type PredecessorReport struct {
	DryRun     bool            `json:"dry_run"`
	Campaigns  PredecessorRows `json:"campaigns"`
	Identities PredecessorRows `json:"identities"`
	Attackers  PredecessorRows `json:"attackers"`
	Tags       PredecessorTags `json:"tags"`
	// Normalised counts values that were stored in another spelling, by field.
	Normalised map[string]int `json:"normalised"`
	// KeptWithout counts the rows that were kept without a field that this store cannot hold.
	KeptWithout map[string]int `json:"kept_without"`
	// Refused counts the rows that were left out, by field and reason.
	Refused map[string]int `json:"refused"`
	// Odd counts the tags with ids that the release they name does not have, by id and release. It needs [WithCatalogue].
	Odd map[string]int `json:"odd"`
	// Compared counts the scopes whose numbers of tags were compared with the source's at the end, and Different those
	// that are not equal. A store that has tags of other sources differs. Differences holds the first hundred.
	Compared    int                 `json:"compared"`
	Different   int                 `json:"different"`
	Differences []PredecessorCounts `json:"differences"`
}

// PredecessorRows counts the rows of a table of scopes.
type PredecessorRows struct {
	Read      int `json:"read"`
	Inserted  int `json:"inserted"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
}

// PredecessorTags counts tags. Read is the sum of the other numbers.
type PredecessorTags struct {
	Read       int `json:"read"`
	Inserted   int `json:"inserted"`
	Duplicate  int `json:"duplicate"` // stored already
	BelowFloor int `json:"below_floor"`
	Tombstoned int `json:"tombstoned"`
	Refused    int `json:"refused"`
}

// PredecessorCounts holds the numbers of a scope's tags. Source leaves out the tags that the report counts as not
// written.
type PredecessorCounts struct {
	Scope  string `json:"scope"`
	Source int64  `json:"source"`
	Stored int64  `json:"stored"`
}

// ImportPredecessor imports campaigns, identities, attackers and tags from the database of DECNET's own tag storage, a
// SQLite file or a MySQL server that the URL names as in [Open]. It reads one snapshot of it and changes nothing there.
//
// An import can be repeated, also after an interruption: it writes only what is new or has changed. The source takes
// precedence for the scopes that it holds: attackers move with their tags to the identity that they have there, and
// merges are re-pointed or revoked. Import until the predecessor is switched off, and not after scopes were changed
// here. Scopes and tags that are gone from the source stay.
//
// Tags keep their values, with created_at as observed_at. A tag whose attacker has an identity gets that one, as
// [Store.AssignAttackers] does. At the end, unless it is a dry run, the numbers of tags of each attacker, session and
// identity, and of the fleet, are compared with the source's. The memory does not grow with the number of tags; it holds
// a number for each identity, a pair of UUIDs for each merge, and the scopes of the tags that were left out.
func (s *Store) ImportPredecessor(ctx context.Context, url string, opts PredecessorOptions) (PredecessorReport, error) {
	const op = "import predecessor"
	in := predecessorImport{store: s, opts: opts, leftOut: map[string]int64{}, report: PredecessorReport{
		DryRun: opts.DryRun, Normalised: map[string]int{}, KeptWithout: map[string]int{}, Refused: map[string]int{},
		Odd: map[string]int{}, Differences: []PredecessorCounts{},
	}}
	if s.tx != nil {
		return in.report, s.fail(ctx, op, errors.New("not inside a transaction: call it on the store itself"))
	}
	err := s.usable(ctx)
	if err == nil {
		in.names, err = s.names(ctx, op)
	}
	if err == nil {
		err = in.run(ctx, url)
	}
	return in.report, s.fail(ctx, op, err)
}

// predecessorImport is one run.
type predecessorImport struct {
	quiet   bool // rows are read again, and were reported before
	store   *Store
	opts    PredecessorOptions
	source  predecessorSource
	report  PredecessorReport
	leftOut map[string]int64 // tags that were not written, by scope
	names   *catalogue
}

func (in *predecessorImport) run(ctx context.Context, url string) (err error) {
	source, err := openPredecessor(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	in.source = source
	for _, step := range []func(context.Context) error{in.campaigns, in.identities, in.attackers, in.tags, in.compare} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (in *predecessorImport) note(n PredecessorNote) {
	if in.quiet {
		return
	}
	counts, key := in.report.Refused, n.Field+": "+n.Reason
	if n.Kept {
		counts, key = in.report.KeptWithout, n.Table+"."+n.Field
	}
	counts[key]++
	if in.opts.OnNote != nil {
		in.opts.OnNote(n)
	}
}

func (in *predecessorImport) progress(rows int) {
	if in.opts.Progress != nil {
		in.opts.Progress(rows)
	}
}

// readStored returns the rows that the store has, by their UUIDs.
func readStored[T any](ctx context.Context, in *predecessorImport, list generated[[]T], ids []uuid.UUID, id func(T) uuid.UUID,
) (map[uuid.UUID]T, error) {
	rows, err := query(ctx, in.store, "import predecessor", func(q queries) ([]T, error) { return inChunks(ctx, q, list, ids, args{}) })
	return mapByID(rows, id), err
}

// write runs a transaction of the store, unless it is a dry run.
func (in *predecessorImport) write(ctx context.Context, write func(queries) error) error {
	if in.opts.DryRun {
		return nil
	}
	_, err := update(ctx, in.store, "import predecessor", func(q queries) (struct{}, error) { return struct{}{}, write(q) })
	return err
}

// id parses a UUID of the predecessor's, canonical or 32 hexadecimal digits.
func (in *predecessorImport) id(text string) (uuid.UUID, bool) {
	if text == "" {
		return uuid.Nil, true
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil || (len(text) != 36 && len(text) != 32) {
		return uuid.Nil, false
	}
	if text != id.String() && !in.quiet {
		in.report.Normalised["uuid"]++
	}
	return id, true
}

const uuidRule = "must be a UUID, canonical or of 32 hexadecimal digits"

// addAll counts rows by outcome.
func (r *PredecessorTags) addAll(outcomes map[Outcome]int) {
	r.Inserted += outcomes[Inserted]
	r.Duplicate += outcomes[Duplicate]
	r.BelowFloor += outcomes[BelowFloor]
	r.Tombstoned += outcomes[Tombstoned]
}
