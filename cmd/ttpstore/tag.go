package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

func newTagCommand() *cobra.Command {
	var id uuid.UUID
	var asJSON *bool
	cmd := &cobra.Command{
		Use:   "tag ID",
		Short: "Show one tag with its evidence",
		Long: `Show one tag with its evidence. Its id is "uuid" in the output of "ttpstore tags --json". An unknown id is an
error.`,
		Example: `  ttpstore tag ee4000d0-3085-56c2-875f-0164b23f7855
  ttpstore tags session 66ffcc176598 --all --json | jq -r .uuid | xargs -n 1 ttpstore tag`,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args:              takeID(&id),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withStore(cmd, func(ctx context.Context, store *ttp.Store) error {
				tag, err := store.GetTag(ctx, id)
				if err != nil {
					return err
				}
				if *asJSON {
					return printJSON(cmd, tag)
				}
				return printTag(cmd.OutOrStdout(), tag)
			})
		},
	}
	asJSON = addJSON(cmd)
	return cmd
}

// printTag prints a line for each non-empty field.
func printTag(w io.Writer, t ttp.Tag) error {
	var evidence bytes.Buffer
	if err := json.Indent(&evidence, t.Evidence, strings.Repeat(" ", 15), "  "); err != nil {
		return err
	}
	return printFields(w, [][2]string{
		{"uuid", t.UUID.String()},
		{"observed at", t.ObservedAt.Format(time.RFC3339Nano)},
		{"technique", t.TechniqueID},
		{"sub-technique", t.SubTechniqueID},
		{"tactic", t.Tactic},
		{"release", t.AttackRelease},
		{"confidence", strconv.FormatFloat(t.Confidence, 'f', -1, 64)},
		{"rule", t.RuleID + " v" + strconv.Itoa(t.RuleVersion)},
		{"source", t.SourceKind + " " + t.SourceID},
		{"attacker", optionalID(t.AttackerUUID)},
		{"identity", optionalID(t.IdentityUUID)},
		{"session", t.SessionID},
		{"decky", t.DeckyID},
		{"ingested at", t.IngestedAt.Format(time.RFC3339Nano)},
		{"batch", t.BatchUUID.String()},
		{"evidence", evidence.String()},
	})
}
