package attack

import (
	"maps"
	"slices"
	"strings"
)

// A record holds the fields of a tactic, a technique or the matrix by name. A field is a list of texts, mostly of one;
// an empty field may be missing.
type record map[string][]string

// records holds the records of a release by id.
type records map[string]record

// The compact form's syntax.
const (
	matrix    = "matrix" // the id of the record that lists the tactics in order
	dropped   = "-"      // before the id of a line
	nextField = "\t"
	value     = "=" // after a field's name
	nextText  = "|" // of a list
	yes       = "true"
)

// The escapes of separators in texts.
var (
	escape   = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "|", `\i`)
	unescape = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\i`, "|")
)

// records returns the release as records.
func (r *Release) records() records {
	all := records{matrix: {"tactics": r.order()}}
	for _, t := range r.Tactics {
		all[t.ID] = record{
			"name": {t.Name}, "shortname": {t.Shortname}, "stix_id": {t.STIXID}, "url": {t.URL}, "deprecated": flag(t.Deprecated),
		}
	}
	for id, t := range r.techniques {
		all[id] = record{
			"name": {t.Name}, "stix_id": {t.STIXID}, "url": {t.URL}, "tactics": t.Tactics, "platforms": t.Platforms,
			"revoked": flag(t.Revoked), "deprecated": flag(t.Deprecated), "successor": {t.Successor},
		}
	}
	return all
}

// release is the inverse of Release.records.
func (all records) release(name string) *Release {
	order := all[matrix]["tactics"]
	tactics := make([]Tactic, len(order))
	for i, id := range order {
		t := all[id]
		tactics[i] = Tactic{
			ID: id, Name: t.text("name"), Shortname: t.text("shortname"), STIXID: t.text("stix_id"), URL: t.text("url"),
			Deprecated: t.flag("deprecated"),
		}
	}
	techniques := make([]Technique, 0, len(all))
	for id, t := range all {
		if id == matrix || slices.Contains(order, id) {
			continue
		}
		techniques = append(techniques, Technique{
			ID: id, Name: t.text("name"), STIXID: t.text("stix_id"), URL: t.text("url"),
			Tactics: t["tactics"], Platforms: t["platforms"],
			Revoked: t.flag("revoked"), Deprecated: t.flag("deprecated"), Successor: t.text("successor"),
		})
	}
	r, _ := NewRelease(name, tactics, techniques) // the name has been checked
	return r
}

func (r record) text(field string) string { return strings.Join(r[field], "") }

func (r record) flag(field string) bool { return r.text(field) == yes }

func flag(set bool) []string {
	if set {
		return []string{yes}
	}
	return nil
}

// changes returns the lines that change from into to.
func changes(from, to records) []string {
	var lines []string
	for _, id := range slices.Sorted(maps.Keys(from)) {
		if _, kept := to[id]; !kept {
			lines = append(lines, dropped+id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(to)) {
		line := []string{id}
		for _, field := range slices.Sorted(maps.Keys(to[id])) {
			if text := joined(to[id][field]); text != joined(from[id][field]) {
				line = append(line, field+value+text)
			}
		}
		if _, had := from[id]; !had || len(line) > 1 {
			lines = append(lines, strings.Join(line, nextField))
		}
	}
	return lines
}

// apply applies the changes of lines.
func (all records) apply(lines string) {
	for line := range strings.FieldsFuncSeq(lines, func(r rune) bool { return r == '\n' }) {
		if id, ok := strings.CutPrefix(line, dropped); ok {
			delete(all, id)
			continue
		}
		id, fields, _ := strings.Cut(line, nextField)
		if all[id] == nil {
			all[id] = record{}
		}
		for field := range strings.SplitSeq(fields, nextField) {
			name, text, _ := strings.Cut(field, value)
			all[id][name] = texts(text)
		}
	}
}

// joined escapes and joins the texts of a field.
func joined(list []string) string {
	escaped := make([]string, len(list))
	for i, text := range list {
		escaped[i] = escape.Replace(text)
	}
	return strings.Join(escaped, nextText)
}

// texts is the inverse of joined.
func texts(s string) []string {
	if s == "" {
		return nil
	}
	list := strings.Split(s, nextText)
	for i, text := range list {
		list[i] = unescape.Replace(text)
	}
	return list
}
