package ttp

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/decnet/ttpstore/attack"
)

// groupKey is the column technique_key: technique, sub-technique, tactic and release as one number of 18 digits,
// which keeps index entries small and sorting fast. The schema checks it against the other columns.
type groupKey int64

// The digits of a groupKey from the right: release 6 (domain 1, major 3, minor 2), tactic 4, sub-technique plus
// one 4, technique 4.
const (
	majorUnit     = 100
	domainUnit    = 1000 * majorUnit
	tacticUnit    = 10 * domainUnit
	subUnit       = 10_000 * tacticUnit
	techniqueUnit = 10_000 * subUnit

	maxGroupKey = 10_000*techniqueUnit - 1
)

// domains holds the ATT&CK domains by their digit in a groupKey.
var domains = []string{1: "enterprise", 2: "ics", 3: "mobile"}

// techniqueKey is the technique and sub-technique part of a groupKey.
type techniqueKey int64

// keyOf returns the key of a tag in canonical form.
func keyOf(t *Tag) groupKey {
	return pairKey(attack.Pair{Technique: cmp.Or(t.SubTechniqueID, t.TechniqueID), Tactic: t.Tactic}, t.AttackRelease)
}

// pairKey returns the key of a technique or sub-technique and a tactic in a release, all in canonical form.
func pairKey(p attack.Pair, release string) groupKey {
	technique, sub, hasSub := strings.Cut(p.Technique[1:], ".")
	key := techniqueUnit*number(technique) + tacticUnit*number(p.Tactic[2:]) + releaseKey(release)
	if hasSub {
		key += subUnit * (number(sub) + 1)
	}
	return groupKey(key)
}

// pair returns the technique or sub-technique and the tactic.
func (k groupKey) pair() attack.Pair {
	technique, sub := k.technique().ids()
	return attack.Pair{Technique: cmp.Or(sub, technique), Tactic: k.tactic()}
}

// releaseKey returns the digits of a canonical release.
func releaseKey(release string) int64 {
	domain, version, _ := strings.Cut(release, "-v")
	major, minor, _ := strings.Cut(version, ".")
	return domainUnit*int64(slices.Index(domains, domain)) + majorUnit*number(major) + number(minor)
}

// number parses digits that were validated before.
func number(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}

func (k groupKey) technique() techniqueKey { return techniqueKey(k / subUnit) }

func (k groupKey) tactic() string { return padded("TA", int64(k/tacticUnit%10_000), 4) }

func (k groupKey) release() string {
	return domains[k/domainUnit%10] + "-v" + strconv.Itoa(int(k/majorUnit%1000)) + "." + strconv.Itoa(int(k%majorUnit))
}

// ids returns the technique ID and the sub-technique ID, empty for none.
func (k techniqueKey) ids() (technique, sub string) {
	technique = padded("T", int64(k/10_000), 4)
	if n := int64(k % 10_000); n > 0 {
		sub = padded(technique+".", n-1, 3)
	}
	return technique, sub
}

// padded returns the prefix followed by n, zero-padded to the number of digits.
func padded(prefix string, n int64, digits int) string {
	var buf [16]byte
	b := append(buf[:0], prefix...)
	b = append(b, "0000"[:digits]...)
	for i := len(b) - 1; n > 0; i-- {
		b[i] += byte(n % 10)
		n /= 10
	}
	return string(b)
}
