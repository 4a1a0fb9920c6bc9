package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// ratios returns other divided by own for each round.
func ratios(own, other []float64) []float64 {
	out := make([]float64, min(len(own), len(other)))
	for i := range out {
		out[i] = other[i] / own[i]
	}
	return out
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func ratio(x float64) string {
	if x >= 10 {
		return thousands(int(math.Round(x)))
	}
	return fmt.Sprintf("%.2f", x)
}

// duration formats seconds with three digits.
func duration(s float64) string {
	d := time.Duration(s * 1e9)
	unit := time.Duration(1)
	for d >= 1000*unit {
		unit *= 10
	}
	return d.Round(unit).String()
}

// thousands formats 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return thousands(n) + " " + of + "s"
}

func mebibytes(n float64) string { return fmt.Sprintf("%.1f MiB", n/(1<<20)) }
