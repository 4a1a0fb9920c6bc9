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

If there are more tags, a note on standard error gives the flags for the next page; in JSON, "next" is the
cursor. A cursor is valid for one scope and filter only, so the note replaces a relative --since such as 7d
by a fixed time; with JSON, pass a fixed time yourself. --all and --oldest-first print all tags, as JSON Lines
or one table.`,
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
	flags.Func("cursor", "start at this `cursor`, taken from the previous page", setText(&opts.cursor))
	flags.BoolVar(&opts.all, "all", false, "list all tags")
	flags.BoolVar(&opts.oldestFirst, "oldest-first", false, "list all tags of a session, oldest first")
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

// window returns the flags of a filter's time window. A cursor is only valid with the same window, which a
// relative --since such as 7d does not repeat.
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
