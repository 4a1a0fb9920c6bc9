package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// printReceipt prints the receipt of a removal or of its dry run.
func printReceipt(cmd *cobra.Command, o *output, r ttp.Receipt) error {
	if r.DryRun {
		notef(cmd.ErrOrStderr(), "dry run: nothing was changed\n")
	}
	return printObject(cmd, o, r, func(display) [][2]string { return receiptFields(r) })
}

func receiptFields(r ttp.Receipt) [][2]string {
	fields := [][2]string{{"tags", strconv.FormatInt(r.Tags, 10)}}
	for _, id := range byCount(r.Techniques) {
		name := cmp.Or(r.TechniqueNames[id].SubTechniqueName, r.TechniqueNames[id].TechniqueName)
		fields = append(fields, [2]string{"  " + technique(id, "", name, ""), strconv.FormatInt(r.Techniques[id], 10)})
	}
	for _, rows := range []struct {
		name string
		n    int64
	}{
		{"attackers", r.Attackers}, {"identities", r.Identities}, {"campaigns", r.Campaigns},
		{"released tags", r.ReleasedTags}, {"released attackers", r.ReleasedAttackers},
	} {
		if rows.n > 0 {
			fields = append(fields, [2]string{rows.name, strconv.FormatInt(rows.n, 10)})
		}
	}
	return append(fields, [2]string{"tombstone", optionalID(r.TombstoneUUID)})
}

// byCount returns the keys of counts, most frequent first, as in a rollup.
func byCount(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
}

// touched returns the number of rows removed or changed.
func touched(r ttp.Receipt) int {
	return int(r.Tags + r.Attackers + r.Identities + r.Campaigns + r.ReleasedTags + r.ReleasedAttackers)
}

// question returns the confirmation prompt for the receipt of a dry run.
func question(found ttp.Receipt, tombstone bool) string {
	q := "Remove " + countAll(found.Tags, found.Attackers, found.Identities, found.Campaigns)
	if found.ReleasedTags+found.ReleasedAttackers > 0 {
		q += ", and leave " + countAll(found.ReleasedTags, found.ReleasedAttackers, 0, 0) + " without an identity"
	}
	if tombstone {
		q += ", and prevent the removed tags from being written again"
	}
	return q + "?"
}

// countAll formats the counts, leaving out scopes with none.
func countAll(tags, attackers, identities, campaigns int64) string {
	all := []string{count(tags, "tag")}
	if attackers > 0 {
		all = append(all, count(attackers, "attacker"))
	}
	if identities > 0 {
		all = append(all, count(identities, "identity"))
	}
	if campaigns > 0 {
		all = append(all, count(campaigns, "campaign"))
	}
	return strings.Join(all, ", ")
}
