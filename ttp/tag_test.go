package ttp

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// FuzzTagUUID checks that tags have equal UUIDs only if their six inputs are equal: of all the ways to split the joined
// inputs, at most one gives a valid tag.
func FuzzTagUUID(f *testing.F) {
	for _, name := range []string{
		"command|cmd_42|R0014|2|T1083|", "command|cmd_42|R0015|1|T1548|T1548.001", "k|a|b|R|0|T1083|", "k|||R|0|T1083|",
		"k|a|R|01|T1083|", "k|a|R|-1|T1083|", "k|R|1|T1083||R|1|T1083|",
		"k|R|1|T1083|T1083.001|R|1|T1083|T1083.001", "k| |R|1|T1083|",
	} {
		f.Add(name, "command|cmd_42|R0014|2|T1083|")
	}
	f.Fuzz(func(t *testing.T, name, other string) {
		a, aOK := tagNamed(t, name)
		b, bOK := tagNamed(t, other)
		if aOK && bOK && (inputsOf(a) == inputsOf(b)) != (a.UUID == b.UUID) {
			t.Errorf("%+v is %v, and %+v is %v", inputsOf(a), a.UUID, inputsOf(b), b.UUID)
		}
	})
}

// tagInputs holds the inputs of a tag's UUID.
type tagInputs struct {
	kind, source, rule string
	version            int
	technique, sub     string
}

func inputsOf(t Tag) tagInputs {
	return tagInputs{t.SourceKind, t.SourceID, t.RuleID, t.RuleVersion, t.TechniqueID, t.SubTechniqueID}
}

// tagNamed returns the only valid tag whose joined inputs are the name, if there is one.
func tagNamed(t *testing.T, name string) (found Tag, ok bool) {
	parts := strings.Split(name, "|")
	if len(parts) > 12 {
		return Tag{}, false // 462 ways at most
	}
	for _, inputs := range splits(parts, 6) {
		tag, valid := tagOf(inputs)
		if !valid {
			continue
		}
		if ok {
			t.Errorf("%q is the name of %+v and of %+v", name, inputsOf(found), inputsOf(tag))
		}
		if want := uuid.NewSHA1(tagNamespace, []byte(name)); tag.UUID != want {
			t.Errorf("%+v has the UUID %v, want %v", inputsOf(tag), tag.UUID, want)
		}
		found, ok = tag, true
	}
	return found, ok
}

// splits returns all ways to join the parts by "|" to n texts.
func splits(parts []string, n int) [][]string {
	if n == 1 {
		return [][]string{{strings.Join(parts, "|")}}
	}
	var all [][]string
	for i := 1; i <= len(parts)-n+1; i++ {
		for _, rest := range splits(parts[i:], n-1) {
			all = append(all, append([]string{strings.Join(parts[:i], "|")}, rest...))
		}
	}
	return all
}

// tagOf returns the tag with the inputs in the order of its UUID's name, unless it is invalid.
func tagOf(inputs []string) (Tag, bool) {
	version, err := strconv.Atoi(inputs[3])
	if err != nil || strconv.Itoa(version) != inputs[3] {
		return Tag{}, false
	}
	tag := Tag{
		SourceKind: inputs[0], SourceID: inputs[1], RuleID: inputs[2], RuleVersion: version,
		TechniqueID: inputs[4], SubTechniqueID: inputs[5],
		AttackerUUID: tagNamespace, Tactic: "TA0007", AttackRelease: "18.1", ObservedAt: time.Unix(0, 0),
	}
	return tag, len(tag.canonicalize()) == 0
}
