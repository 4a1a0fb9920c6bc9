package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// printConfidences prints a histogram of confidence for each technique; a table also has one of all tags.
func printConfidences(ctx context.Context, cmd *cobra.Command, store *ttp.Store, o *output, scope ttp.Scope, f ttp.Filter) error {
	rows, err := store.Confidences(ctx, scope, f)
	if err != nil {
		return err
	}
	if o.format(cmd) == tableFormat && len(rows) > 1 {
		all := ttp.ConfidenceRow{TechniqueID: "all"}
		for _, r := range rows {
			all.Count += r.Count
			for i, n := range r.Counts {
				all.Counts[i] += n
			}
		}
		rows = append(rows, all)
	}
	return printFound(ctx, cmd, store, o, confidenceColumns(), stream(rows), scope, f)
}

func confidenceColumns() []column[ttp.ConfidenceRow] {
	type row = ttp.ConfidenceRow
	columns := []column[row]{
		textColumn("TECHNIQUE", func(r row) string {
			return technique(r.TechniqueID, r.SubTechniqueID, r.TechniqueName, r.SubTechniqueName)
		}),
		countColumn("COUNT", func(r row) int64 { return r.Count }),
	}
	for i := range ttp.ConfidenceSteps {
		columns = append(columns, optionalColumn(fmt.Sprintf("0.%d", i), func(r row) int64 { return r.Counts[i] }))
	}
	return columns
}
