package attack

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestLimitedReader(t *testing.T) {
	for name, limit := range map[string]limitedReader{
		"object": {object: 10, bundle: 100},
		"bundle": {object: 100, bundle: 10},
	} {
		limit.from = strings.NewReader(strings.Repeat("x", 50))
		if all, err := io.ReadAll(&limit); len(all) != 10 || !errors.Is(err, errTooLarge) {
			t.Errorf("%s: read %d bytes and %v, want 10 and errTooLarge", name, len(all), err)
		}
	}
}
