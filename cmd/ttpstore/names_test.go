package main

import (
	"strings"
	"testing"
)

func TestFilterTakesNames(t *testing.T) {
	c := twoAttackers(t)
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--tactic=credential-access"}, "3"},
		{[]string{"--tactic=Credential Access"}, "3"},
		{[]string{"--technique=brute force"}, "1"},
		{[]string{"--technique=Brute Force", "--sub-techniques"}, "4"},
		{[]string{"--technique=Brute Force: Password Guessing", "--release=18.1"}, "3"},
		{[]string{"--tactic=credential-access", "--domain=mobile"}, "0"}, // which has another id there
	} {
		c.want(result{exitSuccess, test.want + "\n", ""}, "", append([]string{"tags", "fleet", "--count"}, test.flags...)...)
	}
	for _, test := range []struct{ flag, message string }{
		{"--technique=Web Services", `--technique: ambiguous name: the technique "Web Services" may be ` +
			"T1583.006 Acquire Infrastructure: Web Services (enterprise-v18.1) " +
			"or T1584.006 Compromise Infrastructure: Web Services (enterprise-v18.1)"},
		{"--tactic=credential-acces", `--tactic: unknown name: no tactic is called "credential-acces"; the nearest are `},
		{"--technique=Brute Farce", `--technique: unknown name: no technique is called "Brute Farce"; the nearest are T1110 Brute Force`},
	} {
		got := c.runWith("", "tags", "fleet", test.flag)
		if got.status != exitUsage || got.stdout != "" || !strings.HasPrefix(got.stderr, "ttpstore: "+test.message) {
			t.Errorf("%s: %+v", test.flag, got)
		}
	}
}
