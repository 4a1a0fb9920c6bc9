package main

import (
	"cmp"
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

// namer returns ATT&CK's names of a release, as [ttp.Store.Names] does.
type namer func(release, tactic, technique, subTechnique string) ttp.Names

// namesOf returns the names of a store, each looked up once: a table asks for them again and again.
func namesOf(store *ttp.Store) namer {
	known := map[[4]string]ttp.Names{}
	return func(release, tactic, technique, subTechnique string) ttp.Names {
		ids := [4]string{release, tactic, technique, subTechnique}
		names, ok := known[ids]
		if !ok {
			names = store.Names(release, tactic, technique, subTechnique)
			known[ids] = names
		}
		return names
	}
}

func (names namer) technique(t ttp.Tag) string {
	n := names(t.AttackRelease, t.Tactic, t.TechniqueID, t.SubTechniqueID)
	return technique(t.TechniqueID, t.SubTechniqueID, n.Technique, n.SubTechnique)
}

// tactics formats the tactics of a row, each with its name if there is room for it and with its count if there are
// several.
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

// enterpriseTactic names a tactic of which only the id is known, as the enterprise matrix does.
func (names namer) tactic(id string) string {
	return strings.TrimSpace(id + " " + cmp.Or(names(newestEnterprise, id, "", "").Tactic, names(newestICS, id, "", "").Tactic,
		names(newestMobile, id, "", "").Tactic))
}

// A release that is newer than all stands for the newest of its domain.
const (
	newestEnterprise = "enterprise-v999.0"
	newestICS        = "ics-v999.0"
	newestMobile     = "mobile-v999.0"
)

// byID names a technique of which only the ids are known.
func (names namer) byID(id, sub string) string {
	for _, release := range []string{newestEnterprise, newestICS, newestMobile} {
		if n := names(release, "", id, sub); n.Technique != "" || n.SubTechnique != "" {
			return technique(id, sub, n.Technique, n.SubTechnique)
		}
	}
	return technique(id, sub, "", "")
}
