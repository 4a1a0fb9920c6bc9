package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestFilter(t *testing.T) {
	c := twoAttackers(t)
	for flags, want := range map[string]string{
		"":                                    "6",
		"--since 2026-03-16":                  "3",
		"--since 2026-03-16T00:00:00.000001Z": "2",
		"--since 2026-03-16T01:00:00+01:00":   "3",
		"--until 2026-03-16":                  "3",
		"--until 2026-03-16T12:00:00.000001Z --since 2026-03-16": "2",
		"--min-confidence 0.75":                                  "3",
		"--release 18.1":                                         "5",
		"--release mobile-v18.1":                                 "1",
		"--domain enterprise":                                    "5",
		"--domain mobile":                                        "1",
		"--tactic TA0006":                                        "3",
		"--technique T1110":                                      "1",
		"--technique T1110.001":                                  "3",
		"--technique T1110 --sub-techniques":                     "4",
		"--technique T1110.001 --parent":                         "1",
		"--technique T1110 --parent":                             "1",
		"--rule R2":                                              "2",
		"--rule R2 --rule-version 3":                             "2",
		"--rule R2 --rule-version 0":                             "0",
		"--source-kind payload":                                  "2",
		"--decky decky-1":                                        "2",
		"--decky decky-1 --tactic TA0007":                        "1",
		"--technique T1082 --domain enterprise":                  "1",
	} {
		c.want(result{exitSuccess, want + "\n", ""}, "", append([]string{"tags", "fleet", "--count"}, strings.Fields(flags)...)...)
	}
}

func TestFilterCountsBackFromNow(t *testing.T) {
	c := filled(t)
	var lines string
	for source, age := range map[string]time.Duration{"hour": time.Hour, "day": 36 * time.Hour, "days": 10 * 24 * time.Hour} {
		lines += otherTagLine(source, "TA0006", "T1110", "0.6", time.Now().Add(-age).UTC().Format(time.RFC3339))
	}
	if got := c.runWith(lines, "import", "-"); got.status != exitSuccess {
		t.Fatal(got)
	}
	for flags, want := range map[string]string{
		"--since 90m": "1", "--since 24h": "1", "--since 2d": "2", "--since 1w": "2", "--since 2w": "3", "--since 11d": "3",
		"--since 0s": "0", "--until 24h": "2", "--until 1w --since 2w": "1", "--until 0d": "3",
	} {
		c.want(result{exitSuccess, want + "\n", ""}, "", append([]string{"tags", "session", "s2", "--count"}, strings.Fields(flags)...)...)
	}
}

// filtered lists all commands with filter flags, with their required arguments.
func filtered() []string {
	return []string{
		"rollup fleet", "rollup identity " + identityID, "rollup attacker " + attackerID, "rollup campaign " + campaignID,
		"rollup session s1", "rollup attackers", "rollup identities", "export -", "tags fleet", "tags fleet --all",
		"tags session s1 --oldest-first", "timeline fleet", "who attacker", "compare fleet session s1", "rules",
		"phases " + identityID,
	}
}

func TestEveryFilterNarrows(t *testing.T) {
	c := twoAttackers(t)
	for _, command := range append(filtered(), "phases "+otherIdentityID) {
		args := append(strings.Fields(command), "--rule", "R3")
		if args[0] == "export" {
			got := c.runWith("", args...)
			if strings.Contains(got.stdout, `"type":"tag"`) || got.stderr != "exported 2 campaigns, 2 identities, 2 attackers, 0 tags\n" {
				t.Errorf("%+v", got)
			}
			continue
		}
		if got := c.runWith("", args...); got.status != exitSuccess || strings.Count(got.stdout, "\n") > 1 || // the headings of CSV and JSON
			!strings.HasPrefix(got.stderr, "no tag") {
			t.Errorf("%v: %+v", args, got)
		}
	}
	c.want(result{exitSuccess, "", "no new techniques\n"}, "", "new", "fleet", "--since", "2026-01-01", "--rule", "R3")
}

func TestFilterFlagsAreTheSameEverywhere(t *testing.T) {
	root := newRootCommand(nil, &bytes.Buffer{}, &bytes.Buffer{})
	for _, command := range append(filtered(), "new fleet", "navigator", "stix fleet", "report fleet") {
		cmd, _, err := root.Find(strings.Fields(command))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"since", "until", "min-confidence", "release", "domain", "tactic", "technique", "sub-techniques", "parent",
			"rule", "rule-version", "source-kind", "decky",
		} {
			if cmd.Flags().Lookup(name) == nil {
				t.Errorf("%s has no --%s", command, name)
			}
		}
	}
}

func TestWrongFilter(t *testing.T) {
	c := newCLI(t)
	time := "must be " + timeHelp
	for _, test := range []struct{ flag, value, message string }{
		{"since", "tomorrow", time},
		{"since", "", time},
		{"since", "2026-02-30", time},
		{"since", "2026-03-15T17:06:27", time},
		{"since", "2026-03-15T7:06:27Z", time},
		{"since", "2026-03-15T17:06:27,5Z", time},
		{"until", "2026-03-15T17:06:27+24:00", time},
		{"since", "0001-01-01", time},
		{"since", "-7d", time},
		{"since", "-24h", time},
		{"since", "1.5d", time},
		{"since", "106752d", time},
		{"since", "99999999999999999999w", time},
		{"until", "soon", time},
		{"min-confidence", "1.1", "must be a number from 0 to 1"},
		{"domain", "Enterprise", "must be enterprise, ics or mobile, did you mean enterprise?"},
		{"rule-version", "-1", "must be a whole number, at least 0"},
		{"rule-version", "v1", "must be a whole number, at least 0"},
		{"release", "", "must not be empty"},
		{"tactic", "", "must not be empty"},
		{"technique", "", "must not be empty"},
		{"rule", "", "must not be empty"},
		{"source-kind", "", "must not be empty"},
		{"decky", "", "must not be empty"},
	} {
		c.wantWrong(`invalid argument "`+test.value+`" for "--`+test.flag+`" flag: `+test.message, "tags", "tags", "fleet", "--"+test.flag+"="+test.value)
	}
	for _, command := range filtered() {
		args := strings.Fields(command)
		name, _, _ := strings.Cut(command, " ")
		if name == "rollup" {
			name += " " + args[1]
		}
		c.wantWrong("--sub-techniques and --parent are mutually exclusive", name, append(args, "--technique=T1110", "--parent", "--sub-techniques")...)
	}
	c.wantNoFile()
}

func TestFilterThatTheStoreRefuses(t *testing.T) {
	c := twoAttackers(t)
	for _, test := range []struct{ flags, message string }{
		{"--since 2026-03-16 --until 2026-03-15", "until: must be after since"},
		{"--domain ics --release mobile-v18.1", "domain, release: must agree"},
		{"--release 18", `release: must be such as "enterprise-v18.1", "ics-v18.1" or "mobile-v18.1"`},
		{"--tactic 6", `tactic: must be "TA" and four digits`},
		{"--technique T1", `technique: must be such as "T1110" or "T1110.001"`},
		{"--parent", "technique: must be set for technique_match"},
		{"--rule-version 1", "rule_id: must be set for rule_version"},
		{"--tactic 6 --technique T1", `tactic: must be "TA" and four digits; technique: must be such as "T1110" or "T1110.001"`},
	} {
		c.wantWrong("list tags: invalid query: "+test.message, "tags", append([]string{"tags", "fleet"}, strings.Fields(test.flags)...)...)
	}
	for _, command := range append(filtered(), "new fleet --since 2026-01-01", "tags fleet --count", "tags fleet --all -o jsonl", "rollup attackers -o jsonl",
		"rollup identities -o csv") {
		got := c.runWith("", append(strings.Fields(command), "--tactic", "6")...)
		if got.status != exitUsage || got.stdout != "" ||
			!strings.Contains(got.stderr, `: invalid query: tactic: must be "TA" and four digits`+"\nRun 'ttpstore ") {
			t.Errorf("%s: %+v", command, got)
		}
	}
}

func TestFilteredExport(t *testing.T) {
	c := twoAttackers(t)
	got := c.runWith("", "export", "-", "--rule=R2")
	if got.status != exitSuccess || got.stderr != "exported 2 campaigns, 2 identities, 2 attackers, 2 tags\n" ||
		strings.Count(got.stdout, `"rule_id":"R2"`) != 2 || strings.Count(got.stdout, "\n") != 8 {
		t.Errorf("%+v", got)
	}
}
