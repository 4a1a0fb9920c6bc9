package ttp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
)

// Count a tag of an old release as a technique of a new one.
func ExampleAsOf() {
	ctx := context.Background()
	store, err := ttp.Open(ctx, "sqlite://:memory:", ttp.WithCatalogue(builtin.Catalogue()))
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	if err := store.Migrate(ctx); err != nil {
		log.Fatal(err)
	}
	tag := exampleTag("1")
	tag.Tactic, tag.TechniqueID, tag.SubTechniqueID, tag.AttackRelease = "TA0002", "T1086", "", "enterprise-v8.2"
	if _, err := store.InsertTags(ctx, []ttp.Tag{tag}); err != nil {
		log.Fatal(err)
	}
	rows, err := store.Rollup(ctx, ttp.Fleet(), ttp.AsOf("enterprise-v18.1"))
	if err != nil {
		log.Fatal(err)
	}
	row := rows[0]
	fmt.Println(row.SubTechniqueID, row.TechniqueName+": "+row.SubTechniqueName, row.Verdict)
	fmt.Println("tagged as", row.Origins[0].Technique, "of", row.Origins[0].Release)
	// Output:
	// T1059.001 Command and Scripting Interpreter: PowerShell replaced
	// tagged as T1086 of enterprise-v8.2
}
