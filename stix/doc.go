// Package stix writes observed techniques as a STIX 2.1 bundle.
//
// Each cell becomes one sighting of the official attack-pattern, which the bundle refers to by its id and does not
// contain: import ATT&CK's own bundle for it. Ids follow from what is sighted, so that the same cells give the same
// bytes, and more tags of the same cell a later version of the same sighting.
package stix
