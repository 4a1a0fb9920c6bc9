// Package report writes observed techniques as one HTML page: the ATT&CK matrix as a heat map, a timeline, the busiest
// actors, new techniques, and the coverage of each tactic.
//
// The page needs no network and runs no script. It can be read without a mouse, on paper, in the dark and on a phone.
// All text is escaped, since attackers write some of it.
package report
