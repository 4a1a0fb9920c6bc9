package ttptest_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/decnet/ttpstore/attack/builtin"
	"github.com/decnet/ttpstore/ttp"
	"github.com/decnet/ttpstore/ttptest"
)

func TestStores(t *testing.T) {
	for name, option := range map[string]ttptest.Option{
		"Memory": ttptest.With(), "File": ttptest.OnFile(), "MySQL": ttptest.OnMySQL(os.Getenv("TTPSTORE_TEST_MYSQL_DSN")),
	} {
		t.Run(name, func(t *testing.T) {
			tags := ttptest.Tags(1, 500)
			for range 2 { // each has a database of its own
				s := ttptest.New(t, option, ttptest.With(ttp.WithConfidenceFloor(0)))
				result, err := s.InsertTags(t.Context(), tags)
				if err != nil || result.Inserted != len(tags) {
					t.Errorf("inserted %d tags, %v", result.Inserted, err)
				}
			}
		})
	}
}

func TestTags(t *testing.T) {
	tags := ttptest.Tags(1, 2000)
	if diff := cmp.Diff(tags, ttptest.Tags(1, 2000)); diff != "" || len(tags) != 2000 {
		t.Errorf("%d tags, the same seed gives others:\n%s", len(tags), diff)
	}
	release, _ := builtin.Catalogue().Release("enterprise-v18.1")
	seen := map[any]bool{}
	for _, tag := range append(tags, ttptest.Tags(2, 2000)...) {
		if id := tag.ComputeUUID(); seen[id] {
			t.Errorf("%s is there twice", id)
		} else {
			seen[id] = true
		}
		if _, ok := release.Technique(tag.TechniqueID); !ok {
			t.Errorf("%s is unknown", tag.TechniqueID)
		}
		if _, ok := release.Technique(tag.SubTechniqueID); !ok && tag.SubTechniqueID != "" {
			t.Errorf("%s is unknown", tag.SubTechniqueID)
		}
	}
}
