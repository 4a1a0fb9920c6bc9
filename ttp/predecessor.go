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
	// DryRun reports what would be written and writes nothing. It does not find merges that conflict with a merge of a
	// scope that only this store has.
	DryRun bool
	// OnNote, if not nil, is called for each field because of which a row is refused or kept without it.
	OnNote func(PredecessorNote)
	// Progress, if not nil, is called after each batch with the number of rows read since the last call.
	Progress func(rows int)
}

// PredecessorNote describes a field of a row of the predecessor's that is invalid or conflicts with other rows.
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
	// Normalized counts values that were stored in another spelling or, like created_at, in another field, by field.
	Normalized map[string]int `json:"normalized"`
	// KeptWithout counts the rows that were kept without a field that this store cannot hold.
	KeptWithout map[string]int `json:"kept_without"`
	// Refused counts the rows that were left out, by field and reason.
	Refused map[string]int `json:"refused"`
	// Odd counts what the source holds and the store keeps, but what is likely to be wrong: references to scopes without
	// a row, by field; merged identities with another campaign than their survivor's, which alone counts; and, with
	// [WithCatalogue], tags with ids that the release they name does not have, by id and release.
	Odd map[string]int `json:"odd"`
	// Compared counts the scopes whose numbers of tags were compared with the source's at the end, and Different those
	// that are not equal. A store that has tags of other sources differs. ComparedBy has the same by kind of scope, and
	// Differences the first hundred.
	Compared    int                    `json:"compared"`
	Different   int                    `json:"different"`
	ComparedBy  PredecessorComparisons `json:"compared_by"`
	Differences []PredecessorCounts    `json:"differences"`
}

// PredecessorComparisons counts compared scopes by kind.
type PredecessorComparisons struct {
	Fleet      PredecessorComparison `json:"fleet"`
	Attackers  PredecessorComparison `json:"attackers"`
	Sessions   PredecessorComparison `json:"sessions"`
	Identities PredecessorComparison `json:"identities"` // survivors, with the identities merged into them
}

// PredecessorComparison counts compared scopes.
type PredecessorComparison struct {
	Compared  int `json:"compared"`
	Different int `json:"different"`
}

// PredecessorRows counts the rows of a table of scopes.
type PredecessorRows struct {
	Read      int `json:"read"`
	Inserted  int `json:"inserted"`
	Updated   int `json:"updated"` // includes attackers that have no row in the source anymore and lost their identity
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

// PredecessorCounts holds the numbers of a scope's tags. Source leaves out refused tags, and those below the floor or
// with a tombstone unless they are stored.
type PredecessorCounts struct {
	Scope  string `json:"scope"`
	Source int64  `json:"source"`
	Stored int64  `json:"stored"`
}

// ImportPredecessor imports campaigns, identities, attackers and tags from the database of DECNET's own tag storage, a
// SQLite file or a MySQL server that the URL names as in [Open]. It reads one snapshot of it and changes nothing there.
// It returns [ErrBusy] if it may not write to a file in WAL mode that another program starts to write meanwhile.
//
// An import can be repeated, also after an interruption: it writes only what is new or has changed. The source takes
// precedence for the scopes that it holds: attackers move with their tags to the identity that they have there, and
// merges are re-pointed or revoked. Import until the predecessor is switched off, and not after scopes were changed
// here. Scopes and tags that are gone from the source stay, but attackers that are gone while their tags remain leave
// their identity.
//
// Tags keep their values, with created_at as observed_at. A tag whose attacker has an identity gets that one, as
// [Store.AssignAttackers] does. Of several rows that are the same tag, all but the first valid one are refused,
// if possible the first that reaches the write floor. At the end, unless
// it is a dry run, the numbers of tags of each attacker, session and identity, and of the fleet, are compared with the
// source's. The memory does not grow with the number of tags; it holds a pair of UUIDs for each identity and each merge,
// a number for each identity, the scopes of the tags that were left out, and the UUIDs of campaigns, of attackers without
// a row and of tags with several rows.
func (s *Store) ImportPredecessor(ctx context.Context, url string, opts PredecessorOptions) (PredecessorReport, error) {
	in := predecessorImport{store: s, opts: opts, repeated: map[uuid.UUID]*repeatedTag{}, noRow: map[uuid.UUID]bool{}}
	if !opts.DryRun {
		in.leftOut = map[string]int64{}
	}
	in.report = PredecessorReport{
		DryRun: opts.DryRun, Normalized: map[string]int{}, KeptWithout: map[string]int{}, Refused: map[string]int{},
		Odd: map[string]int{}, Differences: []PredecessorCounts{},
	}
	if err := s.requireNoTx(ctx); err != nil {
		return in.report, s.refuse(ctx, predecessorOp, err)
	}
	return in.report, s.fail(ctx, predecessorOp, in.run(ctx, url))
}

const predecessorOp = "import predecessor"

// predecessorImport is one run.
type predecessorImport struct {
	store    *Store
	opts     PredecessorOptions
	source   predecessorSource
	report   PredecessorReport
	names    *catalogue
	quiet    bool      // another pass reports the rows
	previous uuid.UUID // of the last scope of this pass
	repeated map[uuid.UUID]*repeatedTag
	leftOut  map[string]int64 // the tags that are not compared, by scope; nil in a dry run, which compares none
	// What the source holds.
	knownCampaigns, knownIdentities knownScopes
	noRow                           map[uuid.UUID]bool // attackers that have tags but no row
}

func (in *predecessorImport) run(ctx context.Context, url string) (err error) {
	source, err := openPredecessor(ctx, url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.close()) }()
	in.source = source
	if err := in.store.usable(ctx); err != nil {
		return err
	}
	if in.names, err = in.store.names(ctx, predecessorOp); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		in.campaigns, in.identities, in.attackers, in.detachMissingAttackers, in.repeatedTags, in.tags, in.compare,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pass reads the rows of a query in batches. If several passes read the same rows, all but one are quiet.
func (in *predecessorImport) pass(ctx context.Context, query string, columns int, quiet bool, use func([][]string) error) error {
	in.previous = uuid.Nil
	for texts, err := range in.source.batchesFrom(ctx, query, columns) {
		if err == nil {
			in.quiet = quiet
			err = use(texts)
		}
		if err != nil {
			return err
		}
		if !quiet {
			in.progress(len(texts))
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
	rows, err := query(ctx, in.store, predecessorOp, func(q queries) ([]T, error) { return inChunks(ctx, q, list, ids, args{}) })
	return mapByID(rows, id), err
}

// write runs a transaction of the store, unless it is a dry run.
func (in *predecessorImport) write(ctx context.Context, write func(queries) error) error {
	if in.opts.DryRun {
		return nil
	}
	_, err := update(ctx, in.store, predecessorOp, func(q queries) (struct{}, error) { return struct{}{}, write(q) })
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
		in.report.Normalized["uuid"]++
	}
	return id, true
}

// rowID parses the UUID of a scope. It refuses a UUID in another spelling, which the order of the rows puts next to it.
func (in *predecessorImport) rowID(table, text string) (uuid.UUID, bool) {
	id, ok := in.id(text)
	reason := ""
	switch {
	case !ok || id == uuid.Nil:
		reason = uuidRule
	case id == in.previous:
		reason = "the same UUID as another row"
	}
	if reason != "" {
		in.note(PredecessorNote{Table: table, UUID: text, Field: "uuid", Reason: reason})
		return uuid.Nil, false
	}
	in.previous = id
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
