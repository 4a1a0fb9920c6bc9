package ttp

import (
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const damagedCursor = "is damaged: pass Next of the previous page unchanged"

// FuzzCursor checks that a cursor is decoded to its own position by its own query only, and not at all once a byte of it
// has changed.
func FuzzCursor(f *testing.F) {
	f.Add(int64(0), make([]byte, 16), "s", "R1", 0.5, "", "", 0.5, 3, byte('A'))
	f.Add(int64(math.MaxInt64), []byte("0123456789abcdef"), "", "", 0.0, "", "", 1.0, 54, byte('\n'))
	f.Add(int64(-1), []byte("\xff"), "a", "b", 0.25, "b", "a", 0.25, 0, byte('='))
	f.Fuzz(func(t *testing.T, at int64, id []byte, session, rule string, least float64,
		otherSession, otherRule string, otherLeast float64, index int, changed byte,
	) {
		scope, filter, ok := sessionQuery(session, rule, least)
		otherScope, otherFilter, otherOK := sessionQuery(otherSession, otherRule, otherLeast)
		if !ok || !otherOK {
			return
		}
		p := position{observedAt: at}
		copy(p.uuid[:], id)
		cursor := p.cursor(scope, filter)
		wantPosition(t, cursor, scope, filter, p)
		if [2]any{scope, filter} != [2]any{otherScope, otherFilter} {
			wantPosition(t, cursor, otherScope, otherFilter, start,
				Problem{Field: "cursor", Reason: "belongs to another scope or filter: start again without a cursor"})
		}
		damaged := []byte(cursor)
		if i := int(uint(index) % uint(len(damaged))); damaged[i] != changed {
			damaged[i] = changed
			wantPosition(t, string(damaged), scope, filter, start, Problem{Field: "cursor", Reason: damagedCursor})
			damaged = slices.Insert([]byte(cursor), i, changed)
			wantPosition(t, string(damaged), scope, filter, start, Problem{Field: "cursor", Reason: damagedCursor})
		}
	})
}

// FuzzAnyCursor checks that every accepted text is the cursor of the position that it is decoded to.
func FuzzAnyCursor(f *testing.F) {
	cursor := position{1, uuid.UUID{2}}.cursor(Fleet(), filterArgs{})
	for _, text := range []string{cursor, cursor + "\n", cursor[:1] + "\r\n" + cursor[1:], cursor + "=", cursor[1:], "", " "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var c checker
		p := c.cursor(text, Fleet(), filterArgs{})
		switch {
		case len(c.problems) == 0 && p.cursor(Fleet(), filterArgs{}) != text:
			t.Errorf("%q is decoded to %v, whose cursor is %q", text, p, p.cursor(Fleet(), filterArgs{}))
		case len(c.problems) > 0:
			wantPosition(t, text, Fleet(), filterArgs{}, start, Problem{Field: "cursor", Reason: damagedCursor})
		}
	})
}

// sessionQuery returns the query for tags of a session by a rule, unless it is invalid.
func sessionQuery(session, rule string, least float64) (Scope, filterArgs, bool) {
	filter, err := Filter{RuleID: rule, MinConfidence: math.Abs(least)}.checked()
	return OfSession(session), filter, err == nil && utf8.ValidString(session) // no stored session is invalid
}

func wantPosition(t *testing.T, cursor string, scope Scope, filter filterArgs, want position, problems ...Problem) {
	t.Helper()
	var c checker
	if got := c.cursor(cursor, scope, filter); got != want {
		t.Errorf("%q of %v: got %v, want %v", cursor, scope, got, want)
	}
	if diff := cmp.Diff(problems, c.problems); diff != "" {
		t.Errorf("%q of %v (-want +got):\n%s", cursor, scope, diff)
	}
}
