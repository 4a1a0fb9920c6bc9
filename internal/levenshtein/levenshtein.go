// Package levenshtein suggests known words for misspelt ones.
package levenshtein

import "strings"

// Distance returns the edit distance of two texts: the number of letters to change, add or drop, or of neighbours to swap.
func Distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	width := len(b) + 1
	cells := make([]int, (len(a)+1)*width)
	d := func(i, j int) *int { return &cells[i*width+j] } // the distance of a's first i letters to b's first j
	for i := range len(a) + 1 {
		for j := range width {
			if i == 0 || j == 0 {
				*d(i, j) = i + j
				continue
			}
			replaced := *d(i-1, j-1)
			if a[i-1] != b[j-1] {
				replaced++
			}
			least := min(*d(i-1, j)+1, *d(i, j-1)+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				least = min(least, *d(i-2, j-2)+1)
			}
			*d(i, j) = least
		}
	}
	return *d(len(a), len(b))
}

// Nearest returns the known word that is closest to a word, ignoring case, or "" if none is close.
func Nearest(word string, known []string) string {
	nearest, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			nearest, least = k, d
		}
	}
	return nearest
}
