package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	json                    *bool
	filter                  *filterFlags
}

func newTagsCommand() *cobra.Command {
	var scope [1]ttp.Scope
	opts := tagsOptions{limit: number{100, 1, ttp.MaxPage}}
	cmd := &cobra.Command{
		Use:   "tags SCOPE",
		Short: "List the tags of a scope, newest first",
		Long: `List the tags of a scope, newest first, a page at a time.
` + scopeHelp + `

Where there is more, a note on standard error says how to go on, and in JSON "next" is the cursor of the
next page. A cursor belongs to one scope and filter: the note turns a --since such as 7d into the time
that it meant, to give in its place; with JSON, give that time yourself. --all and --oldest-first print all
tags, however many, as JSON Lines or one table.`,
		Example: `  ttpstore tags attacker b0901043-def8-5286-8000-f2d8599c98c1 --limit 20
  ttpstore tags session 66ffcc176598 --oldest-first
  ttpstore tags fleet --technique T1110 --sub-techniques --since 24h --count
  ttpstore tags fleet --rule R1001 --all --json | jq -r .uuid`,
		ValidArgsFunction: completeScopes(1),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := takeScopes(scope[:])(cmd, args); err != nil {
				return err
			}
			if opts.oldestFirst && scope[0].Kind != ttp.SessionScope {
				return errors.New("--oldest-first is for the tags of a session only")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runTags(cmd, scope[0], opts) },
	}
	flags := cmd.Flags()
	flags.Var(&opts.limit, "limit", "list at most this `number` of tags")
	flags.Func("cursor", "go on behind this `cursor` of the page before", setText(&opts.cursor))
	flags.BoolVar(&opts.all, "all", false, "list all tags")
	flags.BoolVar(&opts.oldestFirst, "oldest-first", false, "list all tags of a session as they happened")
	flags.BoolVar(&opts.count, "count", false, "print only the number of tags")
	opts.json = addJSON(cmd)
	for _, name := range []string{"limit", "cursor"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions))
		exclusive(cmd, name, "count", "all")
		exclusive(cmd, name, "count", "oldest-first")
	}
	opts.filter = addFilter(cmd)
	return cmd
}

func runTags(cmd *cobra.Command, scope ttp.Scope, opts tagsOptions) error {
	filter := opts.filter.filter()
	return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
		switch {
		case opts.count:
			n, err := store.CountTags(ctx, scope, filter)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), n)
			return err
		case opts.all || opts.oldestFirst:
			tags := store.TagsSeq(ctx, scope, filter)
			if opts.oldestFirst {
				tags = store.SessionTags(ctx, scope.SessionID, filter)
			}
			if *opts.json {
				return streamJSON(cmd, tags)
			}
			return streamTable(cmd, tagColumns(), tags, "no tags")
		}
		page, err := store.ListTags(ctx, scope, filter, opts.limit.value, opts.cursor)
		if err != nil {
			return err
		}
		if *opts.json {
			return printJSON(cmd, page)
		}
		if err := printTable(cmd, tagColumns(), page.Tags, "no tags"); err != nil {
			return err
		}
		if page.Next != "" {
			notef(cmd.ErrOrStderr(), "more: %s--cursor %s\n", window(filter), page.Next)
		}
		return nil
	})
}

// window is the flags of a filter's window. A cursor is of no use with another one, such as a --since 7d
// gives whenever it is typed.
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

func tagColumns() []column[ttp.Tag] {
	return []column[ttp.Tag]{
		timeColumn("OBSERVED AT", func(t ttp.Tag) time.Time { return t.ObservedAt }),
		textColumn("TECHNIQUE", func(t ttp.Tag) string { return cmp.Or(t.SubTechniqueID, t.TechniqueID) }),
		textColumn("TACTIC", func(t ttp.Tag) string { return t.Tactic }),
		confidenceColumn("CONFIDENCE", func(t ttp.Tag) float64 { return t.Confidence }),
		textColumn("RULE", func(t ttp.Tag) string { return t.RuleID + " v" + strconv.Itoa(t.RuleVersion) }),
		textColumn("SOURCE", func(t ttp.Tag) string { return t.SourceKind + " " + t.SourceID }),
		textColumn("ATTACKER", func(t ttp.Tag) string { return optionalID(t.AttackerUUID) }),
		textColumn("IDENTITY", func(t ttp.Tag) string { return optionalID(t.IdentityUUID) }),
		textColumn("SESSION", func(t ttp.Tag) string { return t.SessionID }),
		textColumn("DECKY", func(t ttp.Tag) string { return t.DeckyID }),
	}
}

func optionalID(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return id.String()
}
