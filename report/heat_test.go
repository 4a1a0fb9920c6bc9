package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHeat(t *testing.T) {
	for _, test := range []struct {
		highest int64
		want    []step
	}{
		{0, nil},
		{1, []step{{5, "1 or more"}}},
		{3, []step{{3, "1"}, {4, "2"}, {5, "3 or more"}}},
		{100_000, []step{{1, "1 to 10"}, {2, "11 to 100"}, {3, "101 to 1,000"}, {4, "1,001 to 10,000"}, {5, "10,001 or more"}}},
	} {
		h := newHeat(test.highest)
		if diff := cmp.Diff(test.want, h.Legend()); diff != "" {
			t.Errorf("up to %d: %s", test.highest, diff)
		}
		if level := h.level(0); level != 0 {
			t.Errorf("up to %d: none has level %d", test.highest, level)
		}
		if level := h.level(test.highest); test.highest > 0 && level != levels {
			t.Errorf("up to %d: the highest has level %d", test.highest, level)
		}
	}
}
