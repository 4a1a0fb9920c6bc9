package main

import (
	"math"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/ttp"
)

// filterFlags holds the values of the filter flags.
type filterFlags struct {
	ttp.Filter
	since, until          timeText
	subTechniques, parent bool
}

// addFilter adds the filter flags, which are the same for all commands.
func addFilter(cmd *cobra.Command) *filterFlags {
	f := addFilterWithoutRule(cmd)
	cmd.Flags().Func("rule", "only tags with this rule `ID`", setText(&f.RuleID))
	cmd.Flags().Func("rule-version", "with --rule: only tags of this `version`", f.setRuleVersion)
	completeFlag(cmd, "rule", seenRules)
	must(cmd.RegisterFlagCompletionFunc("rule-version", cobra.NoFileCompletions))
	return f
}

// setRuleVersion parses the version, which may be 0.
func (f *filterFlags) setRuleVersion(s string) error {
	version := number{0, 0, math.MaxInt}
	f.RuleVersion = &version.value
	return version.Set(s)
}

// addFilterWithoutRule adds the filter flags except --rule and --rule-version, for commands with a rule argument.
func addFilterWithoutRule(cmd *cobra.Command) *filterFlags {
	var f filterFlags
	flags := cmd.Flags()
	flags.Var(&f.since, "since", "only tags observed at or after this `time`, such as 7d, yesterday, \"last week\", "+
		"2026-03, 2026-03-15 or 2026-03-15T17:06:27Z")
	flags.Var(&f.until, "until", "only tags observed before this `time`, in the formats of --since")
	flags.Var((*confidence)(&f.MinConfidence), "min-confidence", "only tags with at least this `confidence`, from 0 to 1")
	flags.Func("release", "only tags of this ATT&CK `release`, such as enterprise-v18.1", setText(&f.Release))
	domain := choice[string]{&f.Domain, []string{"enterprise", "ics", "mobile"}}
	flags.Var(domain, "domain", "only tags of this ATT&CK `domain`: "+alternatives(domain.of))
	flags.Func("tactic", "only tags of this `tactic`, such as TA0006 or credential-access", setText(&f.Tactic))
	flags.Func("technique", "only tags of exactly this `technique` or sub-technique, such as T1110 or \"Brute Force\"",
		setText(&f.Technique))
	flags.BoolVar(&f.subTechniques, "sub-techniques", false, "with --technique: include tags of its sub-techniques")
	flags.BoolVar(&f.parent, "parent", false, "with --technique: match only the parent technique, even if a sub-technique is given")
	flags.Func("source-kind", "only tags of this source `kind`, such as command", setText(&f.SourceKind))
	flags.Func("decky", "only tags with this decky `ID`", setText(&f.DeckyID))
	exclusive(cmd, "sub-techniques", "parent")
	resolveNames(cmd, &f)
	resolveTimes(cmd, bound{&f.since, &f.Since}, bound{&f.until, &f.Until})

	must(cmd.RegisterFlagCompletionFunc("min-confidence", cobra.NoFileCompletions))
	completeFlag(cmd, "release", seenReleases)
	completeFlag(cmd, "tactic", seenTactics)
	completeFlag(cmd, "technique", seenTechniques)
	completeFlag(cmd, "decky", seenDeckies)
	for _, name := range []string{"since", "until"} {
		must(cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(
			[]string{"today", "yesterday", "24h", "7d", "2w"}, cobra.ShellCompDirectiveNoFileComp)))
	}
	must(cmd.RegisterFlagCompletionFunc("domain", domain.complete))
	must(cmd.RegisterFlagCompletionFunc("source-kind", cobra.FixedCompletions([]string{
		"command", "auth_attempt", "http_request", "payload", "email", "canary", "intel", "session", "fingerprint", "identity_rollup",
	}, cobra.ShellCompDirectiveNoFileComp)))
	return &f
}

// filter returns the filter of the parsed flags.
func (f *filterFlags) filter() ttp.Filter {
	filter := f.Filter
	switch {
	case f.subTechniques:
		filter.TechniqueMatch = ttp.WithSubTechniques
	case f.parent:
		filter.TechniqueMatch = ttp.ParentTechnique
	}
	return filter
}
