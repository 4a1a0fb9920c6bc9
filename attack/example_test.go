package attack_test

import (
	"fmt"
	"os"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/attack/builtin"
)

// Map tags of an old release to a newer one.
func Example_remap() {
	catalogue := builtin.Catalogue()
	m, err := catalogue.Remap("enterprise-v8.2", "enterprise-v18.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range []attack.Pair{
		{Technique: "T1059.004", Tactic: "TA0002"},
		{Technique: "T1547.011", Tactic: "TA0003"},
		{Technique: "T1053.004", Tactic: "TA0002"},
	} {
		was, _ := m.Source().Technique(p.Technique)
		got := m.Map(p)
		fmt.Printf("%s %s: %s", was.ID, was.Name, got.Verdict)
		if got.Verdict.Placed() {
			is, _ := m.Target().Technique(got.To.Technique)
			tactic, _ := m.Target().Tactic(got.To.Tactic)
			fmt.Printf(", %s %s under %s", is.ID, is.Name, tactic.Name)
		}
		fmt.Println()
	}
	// Output:
	// T1059.004 Unix Shell: unchanged, T1059.004 Unix Shell under Execution
	// T1547.011 Plist Modification: replaced, T1647 Plist File Modification under Defense Evasion
	// T1053.004 Launchd: deprecated
}

// A downloaded bundle replaces the built-in release of the same name.
func ExampleRead() {
	f, err := os.Open("testdata/mobile-stix21.json.gz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = f.Close() }()
	release, err := attack.Read(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	catalogue := builtin.Catalogue()
	catalogue.Add(release)
	mine, _ := catalogue.Release("mobile-v18.1")
	for technique := range mine.Techniques() {
		fmt.Println(technique.ID, technique.Name, technique.Tactics)
	}
	// Output:
	// T1401 Antenna [TA0027]
	// T1402 Receiver [TA0038]
}

func ExampleCatalogue_Search() {
	catalogue := builtin.Catalogue()
	for _, name := range []string{"password guessing", "Brut Forse"} {
		match, err := catalogue.Search("enterprise-v18.1", attack.Techniques, name)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(match.ID, match.Name)
	}
	// Output:
	// T1110.001 Brute Force: Password Guessing
	// unknown name: no technique is called "Brut Forse"; the nearest are T1110 Brute Force (enterprise-v18.1)
}
