// Package report writes observed techniques as one HTML page: the ATT&CK matrix as a heat map, a timeline, the busiest
// actors, what is new, and how much of each tactic was seen.
//
// The page needs no network and runs no script. It can be read without a mouse, on paper, in the dark and on a phone.
// Every text is escaped, since attackers write some of them.
package report
