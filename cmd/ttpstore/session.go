package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newSessionCommand() *cobra.Command {
	var session [1]scopeArg
	var out *output
	var filter *filterFlags
	cmd := &cobra.Command{
		Use:   "session ID",
		Short: "Show a login session step by step",
		Long: `List the tags of a login session, oldest first: the time since the first tag,
the technique, the kind of source, the first line of the evidence and the id.
"ttpstore tag ID" shows a tag with its complete evidence.`,
		Example: `  ttpstore session 66ffcc176598
  ttpstore session 66ffcc176598 --tactic TA0002 --json`,
		Args:              takeNamed(ttp.SessionScope, session[:], "ID"),
		ValidArgsFunction: completeNames(ttp.SessionScope),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, session[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				steps := sessionSteps(namedTags(ctx, store, store.SessionTags(ctx, scope.SessionID, filter.filter())))
				columns := stepColumns(out.display(cmd))
				return printFound(ctx, cmd, store, out, columns, steps, scope, filter.filter())
			})
		},
	}
	out = addOutput(cmd)
	filter = addFilter(cmd)
	return cmd
}

// step is a tag of a session.
type step struct {
	tagRow
	SinceStart float64 `json:"since_start"` // seconds since the first one
}

func sessionSteps(tags iter.Seq2[tagRow, error]) iter.Seq2[step, error] {
	return func(yield func(step, error) bool) {
		var start time.Time
		for tag, err := range tags {
			if start.IsZero() {
				start = tag.ObservedAt
			}
			if !yield(step{tag, tag.ObservedAt.Sub(start).Seconds()}, err) {
				return
			}
		}
	}
}

func stepColumns(d display) []column[step] {
	observed := timeColumn(d, "OBSERVED", func(s step) time.Time { return s.ObservedAt })
	observed.extra = true
	return []column[step]{
		{name: "TIME", number: true, uncut: true, text: func(s step) string { return sinceStart(s.SinceStart) }},
		observed,
		textColumn("TECHNIQUE", func(s step) string { return tagTechnique(s.Tag) }),
		textColumn("SOURCE", func(s step) string { return s.SourceKind }),
		textColumn("EVIDENCE", func(s step) string { return evidenceLine(s.Evidence) }),
		idColumn(d, "TAG", func(s step) uuid.UUID { return s.UUID }),
	}
}

// sinceStart formats seconds as +m:ss, with hours if there are any.
func sinceStart(seconds float64) string {
	s := int64(seconds)
	if s >= 3600 {
		return fmt.Sprintf("+%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("+%d:%02d", s/60, s%60)
}

// evidenceLine formats the first line of each member of the evidence, strings first. A single member is shown without its
// name.
func evidenceLine(evidence json.RawMessage) string {
	var members map[string]any
	if json.Unmarshal(evidence, &members) != nil {
		return ""
	}
	var texts, others []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value, isText := members[name].(string)
		if !isText {
			value = cell(members[name])
		}
		if len(members) > 1 {
			value = name + "=" + value
		}
		if value, _, _ = strings.Cut(value, "\n"); isText {
			texts = append(texts, value)
		} else {
			others = append(others, value)
		}
	}
	return strings.Join(append(texts, others...), " ")
}
