package levenshtein

import "testing"

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"größe", "grösse", 2}, {"flaw", "lawn", 2}, {"sinec", "since", 1}, {"ab", "bca", 3}} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.a, test.b, got, test.want)
		}
		if got := Distance(test.b, test.a); got != test.want {
			t.Errorf("%q, %q: %d, want %d", test.b, test.a, got, test.want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"R0999", "R1001", "attacker"}
	for word, want := range map[string]string{"R9999": "R0999", "Atacker": "attacker", "attakcer": "attacker", "x": "", "unrelated": "", "R1001": "R1001"} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
