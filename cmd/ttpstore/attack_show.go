package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/decnet/ttpstore/attack"
	"github.com/decnet/ttpstore/ttp"
)

// shownTechnique is a technique in a release, with a summary of its tags in the database.
type shownTechnique struct {
	Release string `json:"release"`
	attack.Technique
	Seen *seen `json:"seen,omitempty"` // nil without a database
}

// seen summarizes the tags of a technique.
type seen struct {
	Count     int64     `json:"count"`
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
}

func newAttackShowCommand() *cobra.Command {
	var name string
	var release *attack.Release
	var technique attack.Technique
	var out *output
	cmd := &cobra.Command{
		Use:   "show TECHNIQUE",
		Short: "Show a technique and the number of its tags",
		Long: `Show a technique or sub-technique, given by id or name: its tactics, platforms,
state, successor and link in the newest release that has it, or in --release. If
there is a database, also show the number of its tags, counting tags of all
releases.`,
		Example: `  ttpstore attack show T1110.001 --release 15.1
  ttpstore attack show "Brute Force: Password Guessing" --json`,
		ValidArgsFunction: completeOnly(seenTechniques),
		Args: func(cmd *cobra.Command, args []string) (err error) {
			if err = arguments("TECHNIQUE")(cmd, args); err != nil {
				return err
			}
			if name != "" {
				if release, err = findRelease(cmd, fullRelease(name)); err != nil {
					return err
				}
			}
			release, technique, err = findTechnique(catalogue(cmd), release, args[0])
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			shown := shownTechnique{Release: release.Name, Technique: technique}
			if err := withOptionalStore(cmd, shown.count); err != nil {
				return err
			}
			return printObject(cmd, out, shown, func(display) [][2]string { return shown.fields(release) })
		},
	}
	cmd.Flags().Func("release", "show the technique in this ATT&CK `release`, such as enterprise-v18.1", setText(&name))
	must(cmd.RegisterFlagCompletionFunc("release", completeRelease))
	out = addOutput(cmd)
	return cmd
}

// findTechnique finds a technique by id or name in a release or, if it is nil, in all releases, newest first.
func findTechnique(c *attack.Catalogue, r *attack.Release, name string) (*attack.Release, attack.Technique, error) {
	scope := ""
	if r != nil {
		scope = r.Name
	}
	match, err := search(c, scope, attack.Techniques, name)
	if err != nil {
		return nil, attack.Technique{}, err
	}
	if r == nil {
		r, _ = c.Release(match.Release)
	}
	technique, _ := r.Technique(match.ID)
	return r, technique, nil
}

// count counts the tags of the technique.
func (t *shownTechnique) count(ctx context.Context, store *ttp.Store) error {
	rows, err := store.Rollup(ctx, ttp.Fleet(), ttp.Where(ttp.Filter{Technique: t.ID}))
	if err != nil {
		return err
	}
	t.Seen = &seen{}
	for _, row := range rows { // at most one
		*t.Seen = seen{row.Count, row.FirstSeen, row.LastSeen}
	}
	return nil
}

func (t *shownTechnique) fields(r *attack.Release) [][2]string {
	tactics := make([]string, len(t.Tactics))
	for i, id := range t.Tactics {
		tactic, _ := r.Tactic(id)
		tactics[i] = id + " " + tactic.Name
	}
	name := t.Name
	if parent, ok := r.Technique(t.Parent()); ok {
		name = parent.Name + ": " + name
	}
	successor := t.Successor
	if next, ok := r.Technique(successor); ok {
		successor += " " + next.Name
	}
	fields := [][2]string{
		{"id", t.ID},
		{"name", name},
		{"release", t.Release},
		{"tactics", strings.Join(tactics, ", ")},
		{"platforms", strings.Join(t.Platforms, ", ")},
		{"state", state(t.Technique)},
		{"successor", successor},
		{"link", t.URL},
	}
	if t.Seen == nil {
		return fields
	}
	fields = append(fields, [2]string{"seen", count(t.Seen.Count, "tag")})
	if t.Seen.Count > 0 {
		fields = append(fields,
			[2]string{"first seen", t.Seen.FirstSeen.Format(time.RFC3339)},
			[2]string{"last seen", t.Seen.LastSeen.Format(time.RFC3339)})
	}
	return fields
}

// state formats the two independent states of a technique.
func state(t attack.Technique) string {
	switch {
	case t.Revoked && t.Deprecated:
		return "revoked, deprecated"
	case t.Revoked:
		return "revoked"
	case t.Deprecated:
		return "deprecated"
	}
	return "active"
}
