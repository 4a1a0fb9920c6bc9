package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

type tagsOptions struct {
	limit                   number
	cursor                  string
	all, oldestFirst, count bool
	out                     *output
	filter                  *filterFlags
}

func newTagsCommand() *cobra.Command {
	var scope [1]scopeArg
	var opts tagsOptions
	cmd := &cobra.Command{
		Use:   "tags SCOPE",
		Short: "List the tags of a scope, newest first",
		Long: `List the tags of a scope, newest first, one page at a time.

` + scopeHelp + `

If --limit cuts the list, a note on standard error gives the total number and
the flags for the next page. In JSON, "next" is the cursor and "total" is the
total number. A cursor is valid only for the same scope and filter. The note
therefore replaces a relative --since, such as 7d, with an absolute time; with
JSON, use an absolute --since yourself.`,
		Example: `  ttpstore tags attacker 192.0.2.17 --limit 20
  ttpstore tags session 66ffcc176598 --oldest-first
  ttpstore tags fleet --technique T1110 --sub-techniques --since 24h --count
  ttpstore tags fleet --rule R1001 --limit 0 -o jsonl | jq -r .uuid`,
		ValidArgsFunction: completeScopes(1),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takeScopes(scope[:])(cmd, args); err != nil {
				return err
			}
			if opts.oldestFirst && scope[0].kind != ttp.SessionScope {
				return errors.New("--oldest-first requires a session")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withScope(cmd, scope[0], func(ctx context.Context, store *ttp.Store, scope ttp.Scope) error {
				return opts.run(ctx, cmd, store, scope)
			})
		},
	}
	flags := cmd.Flags()
	addLimit(cmd, &opts.limit, 100, ttp.MaxPage)
	flags.Func("cursor", "start at this `cursor` from the previous page", setText(&opts.cursor))
	flags.BoolVar(&opts.all, "all", false, "short for --limit 0")
	flags.BoolVar(&opts.oldestFirst, "oldest-first", false, "list all tags of a session, oldest first")
	flags.BoolVar(&opts.count, "count", false, "print only the number of tags")
	must(cmd.RegisterFlagCompletionFunc("cursor", cobra.NoFileCompletions))
	for _, name := range []string{"limit", "cursor"} {
		exclusive(cmd, name, "count", "all")
		exclusive(cmd, name, "count", "oldest-first")
	}
	opts.out = addOutput(cmd)
	opts.filter = addFilter(cmd)
	return cmd
}

func (o tagsOptions) run(ctx context.Context, cmd *cobra.Command, store *ttp.Store, scope ttp.Scope) error {
	filter := o.filter.filter()
	switch {
	case o.count:
		n, err := store.CountTags(ctx, scope, filter)
		if err == nil {
			_, err = fmt.Fprintln(cmd.OutOrStdout(), n)
		}
		return err
	case o.oldestFirst:
		return o.print(ctx, cmd, store, scope, store.SessionTags(ctx, scope.SessionID, filter))
	case o.all || o.limit.value == 0:
		return o.print(ctx, cmd, store, scope, store.TagsSeq(ctx, scope, filter))
	}
	page, err := store.ListTags(ctx, scope, filter, o.limit.value, o.cursor)
	if err != nil {
		return err
	}
	total := int64(len(page.Tags))
	if page.Next != "" || o.cursor != "" {
		if total, err = store.CountTags(ctx, scope, filter); err != nil {
			return err
		}
	}
	if o.out.format(cmd) == jsonFormat {
		err = o.writePage(ctx, cmd, store, stream(page.Tags), page.Next, total)
	} else {
		err = o.print(ctx, cmd, store, scope, stream(page.Tags))
	}
	if err == nil && len(page.Tags) == 0 && o.out.format(cmd) == jsonFormat {
		err = noteEmpty(ctx, cmd, store, scope, filter)
	}
	if err == nil && page.Next != "" {
		noteCut(cmd, len(page.Tags), total, window(filter)+"--cursor "+page.Next+" for the next page or ")
	}
	return err
}

// print prints tags, in JSON as the last page.
func (o tagsOptions) print(
	ctx context.Context, cmd *cobra.Command, store *ttp.Store, scope ttp.Scope, tags iter.Seq2[ttp.Tag, error],
) error {
	if o.out.format(cmd) == jsonFormat {
		return o.writePage(ctx, cmd, store, tags, "", -1)
	}
	d := o.out.display(cmd)
	return printFound(ctx, cmd, store, o.out, tagColumns(d, scope), namedTags(ctx, store, tags), scope, o.filter.filter())
}

// writePage writes tags as one JSON object. If total is -1, it counts the tags.
func (o tagsOptions) writePage(
	ctx context.Context, cmd *cobra.Command, store *ttp.Store, tags iter.Seq2[ttp.Tag, error], next string, total int64,
) error {
	return buffered(cmd.OutOrStdout(), func(w io.Writer) error {
		var n int64
		counted := func(yield func(tagRow, error) bool) {
			for row, err := range namedTags(ctx, store, tags) {
				n++
				if !yield(row, err) {
					return
				}
			}
		}
		if _, err := io.WriteString(w, "{\"tags\": "); err != nil {
			return err
		}
		if err := writeArray(w, counted); err != nil {
			return err
		}
		if total < 0 {
			total = n
		}
		if next != "" {
			next = fmt.Sprintf(", \"next\": %q", next)
		}
		_, err := fmt.Fprintf(w, ", \"total\": %d%s}\n", total, next)
		return err
	})
}

// tagRow is a tag with the IP of its attacker.
type tagRow struct {
	ttp.Tag
	AttackerIP string `json:"attacker_ip,omitempty"`
}

// namedTags adds the IPs of the attackers to tags.
func namedTags(ctx context.Context, store *ttp.Store, tags iter.Seq2[ttp.Tag, error]) iter.Seq2[tagRow, error] {
	return inPages(tags, func(page []ttp.Tag) ([]tagRow, error) {
		ids := make([]uuid.UUID, len(page))
		for i, t := range page {
			ids[i] = t.AttackerUUID
		}
		attackers, err := store.GetAttackers(ctx, ids...)
		rows := make([]tagRow, len(page))
		for i, t := range page {
			rows[i] = tagRow{t, ipText(attackers[t.AttackerUUID])}
		}
		return rows, err
	})
}

// window returns flags for the filter's absolute time window. A cursor is only valid with the same window, and a
// relative time such as 7d changes.
func window(f ttp.Filter) string {
	var flags string
	if !f.Since.IsZero() {
		flags += "--since " + f.Since.Format(time.RFC3339Nano) + " "
	}
	if !f.Until.IsZero() {
		flags += "--until " + f.Until.Format(time.RFC3339Nano) + " "
	}
	return flags
}

// tagColumns omits the columns that are the same for all tags of the scope.
func tagColumns(d display, scope ttp.Scope) []column[tagRow] {
	tactic := textColumn("TACTIC", func(t tagRow) string { return t.Tactic })
	conf := confidenceColumn("CONF", func(t tagRow) float64 { return t.Confidence })
	tactic.extra, conf.extra = true, true
	columns := []column[tagRow]{
		timeColumn(d, "OBSERVED", func(t tagRow) time.Time { return t.ObservedAt }),
		textColumn("TECHNIQUE", func(t tagRow) string { return tagTechnique(t.Tag) }),
		tactic, conf,
		textColumn("RULE", func(t tagRow) string { return t.RuleID + " v" + strconv.Itoa(t.RuleVersion) }),
	}
	if scope.Kind != ttp.SessionScope && scope.Kind != ttp.AttackerScope {
		ip := textColumn("ATTACKER", func(t tagRow) string { return cmp.Or(t.AttackerIP, d.id(t.AttackerUUID)) })
		ip.uncut = true
		columns = append(columns, ip)
	}
	if scope.Kind != ttp.SessionScope {
		columns = append(columns, textColumn("SESSION", func(t tagRow) string { return t.SessionID }))
	}
	return append(columns, extra(
		textColumn("DECKY", func(t tagRow) string { return t.DeckyID }),
		textColumn("SOURCE", func(t tagRow) string { return t.SourceKind + " " + t.SourceID }),
		idColumn(d, "IDENTITY", func(t tagRow) uuid.UUID { return t.IdentityUUID }),
		idColumn(d, "TAG", func(t tagRow) uuid.UUID { return t.UUID }),
		idColumn(d, "ATTACKER ID", func(t tagRow) uuid.UUID { return t.AttackerUUID }),
	)...)
}

func optionalID(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
