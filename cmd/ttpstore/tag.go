package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newTagCommand() *cobra.Command {
	var out *output
	var id string
	cmd := &cobra.Command{
		Use:   "tag ID",
		Short: "Show one tag with its evidence",
		Long: `Show one tag with its evidence. ID is an id printed by "ttpstore session" or
"ttpstore tags --wide", or at least the first 8 digits of one. An unknown id is
an error.`,
		Example: `  ttpstore tag ee4000d0
  ttpstore tags session 66ffcc176598 -o jsonl | jq -r .uuid |
    xargs -n 1 ttpstore tag`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              takeID(&id),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				tag, err := findTag(ctx, store, id)
				if err != nil {
					return err
				}
				attackers, err := store.GetAttackers(ctx, tag.AttackerUUID)
				if err != nil {
					return err
				}
				row := tagRow{tag, ipText(attackers[tag.AttackerUUID])}
				return printObject(cmd, out, row, func(d display) [][2]string { return tagFields(d, row) })
			})
		},
	}
	out = addOutput(cmd)
	return cmd
}

func tagFields(d display, t tagRow) [][2]string {
	var evidence bytes.Buffer
	must(json.Indent(&evidence, t.Evidence, strings.Repeat(" ", 13), "  ")) // the store checks it
	return [][2]string{
		{"uuid", t.UUID.String()},
		{"observed at", t.ObservedAt.In(d.zone).Format(time.RFC3339Nano)},
		{"technique", tagTechnique(t.Tag)},
		{"tactic", strings.TrimSpace(t.Tactic + " " + t.TacticName)},
		{"release", t.AttackRelease},
		{"confidence", strconv.FormatFloat(t.Confidence, 'f', -1, 64)},
		{"rule", t.RuleID + " v" + strconv.Itoa(t.RuleVersion)},
		{"source", t.SourceKind + " " + t.SourceID},
		{"attacker", strings.TrimSpace(optionalID(t.AttackerUUID) + "  " + t.AttackerIP)},
		{"identity", optionalID(t.IdentityUUID)},
		{"session", t.SessionID},
		{"decky", t.DeckyID},
		{"ingested at", t.IngestedAt.In(d.zone).Format(time.RFC3339Nano)},
		{"batch", t.BatchUUID.String()},
		{"evidence", evidence.String()},
	}
}
