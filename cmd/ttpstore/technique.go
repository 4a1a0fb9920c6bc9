package main

import (
	"strconv"
	"strings"

	"github.com/decnet/ttpstore/ttp"
)

// technique formats a technique or sub-technique with its name.
func technique(id, sub, name, subName string) string {
	if sub != "" {
		id, name = sub, subName
	}
	return strings.TrimSpace(id + " " + name)
}

func rowTechnique(r ttp.TechniqueRollupRow) string {
	return technique(r.TechniqueID, r.SubTechniqueID, r.TechniqueName, r.SubTechniqueName)
}

func tagTechnique(t ttp.Tag) string {
	return technique(t.TechniqueID, t.SubTechniqueID, t.TechniqueName, t.SubTechniqueName)
}

// tactics formats the tactics of a row, with their names in a wide table and with their counts if there are several.
func (d display) tactics(tactics []ttp.TacticCount) string {
	parts := make([]string, len(tactics))
	for i, t := range tactics {
		parts[i] = t.Tactic
		if d.wide {
			parts[i] = strings.TrimSpace(t.Tactic + " " + t.Name)
		}
		if len(tactics) > 1 {
			parts[i] += " " + strconv.FormatInt(t.Count, 10)
		}
	}
	return strings.Join(parts, ", ")
}
