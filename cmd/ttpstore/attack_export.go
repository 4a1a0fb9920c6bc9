package main

import (
	"errors"
	"strconv"
	"strings"

	"github.com/decnet/ttpstore/report"
	"github.com/decnet/ttpstore/ttp"
)

// errNoTags means that no tag matches the filter of an export.
var errNoTags = errors.New("no tags match: nothing was written")

// describe lists the conditions of a filter except its window.
func describe(f ttp.Filter) []report.Filter {
	var filters []report.Filter
	add := func(name, value string) {
		if value != "" {
			filters = append(filters, report.Filter{Name: name, Value: value})
		}
	}
	if f.MinConfidence > 0 {
		add("Minimum confidence", strconv.FormatFloat(f.MinConfidence, 'f', -1, 64))
	}
	add("Release", f.Release)
	add("Domain", f.Domain)
	add("Tactic", f.Tactic)
	add("Technique", strings.TrimSpace(f.Technique+" "+string(f.TechniqueMatch)))
	add("Rule", f.RuleID)
	if f.RuleVersion != nil {
		add("Rule version", strconv.Itoa(*f.RuleVersion))
	}
	add("Source kind", f.SourceKind)
	add("Decky", f.DeckyID)
	return filters
}
