package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// flagValues has a valid value for each flag that takes one.
var flagValues = map[string]string{
	"after": attackerID, "as-of": "18.1", "batch": "7", "bucket": "1h", "by": "tactic", "campaign": campaignID, "cursor": "x",
	"db": "sqlite://x", "decky": "d", "domain": "ics", "floor": "0.5", "from": "sqlite://y", "identity": identityID,
	"keep": "90d", "limit": "7", "min-confidence": "0.5", "reason": "r", "release": "18.1", "rule": "R1",
	"rule-version": "7", "since": "7d", "source-kind": "email", "tactic": "TA0006", "technique": "T1110",
	"against": "fleet", "against-since": "14d", "against-until": "7d", "out": "x.html", "output": "csv", "sort": "count",
	"tz": "UTC", "color": "never", "all-of": "T1110", "any-of": "T1110", "score": "count", "top": "7", "until": "1h", "version": "7",
}

func TestRepeatedFlagIsRefused(t *testing.T) {
	c := newCLI(t)
	for _, line := range commandLines {
		args := strings.Fields(line)
		cmd, _, err := newRootCommand(nil, nil, nil).Find(args)
		if err != nil {
			t.Fatal(err)
		}
		cmd.InheritedFlags() // merges them into cmd.Flags
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			flag := "--" + f.Name
			if f.NoOptDefVal == "" {
				value, ok := flagValues[f.Name]
				if !ok {
					t.Errorf("flagValues has no value for %s", flag)
				}
				flag += "=" + value
			}
			c.wantWrong("--"+f.Name+" is given more than once", strings.TrimPrefix(cmd.CommandPath(), "ttpstore "), append(args, flag, flag)...)
		})
	}
}
