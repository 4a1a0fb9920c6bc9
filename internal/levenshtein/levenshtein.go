// Package levenshtein finds the words that a misspelt one may mean.
package levenshtein

import "strings"

// Distance returns the edit distance of two texts: the number of letters to change, add or drop.
func Distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	row := make([]int, len(b)+1) // distances of a's beginning to b's beginnings
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, replaced)
		}
	}
	return row[len(b)]
}

// Nearest returns the known word that is closest to a word in any case, or "" if none is close.
func Nearest(word string, known []string) string {
	nearest, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := Distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			nearest, least = k, d
		}
	}
	return nearest
}
