// Package stix writes observed techniques as a STIX 2.1 bundle.
//
// Each cell becomes one sighting of the official attack-pattern, which the bundle references by its id but does not
// contain: also import ATT&CK's own bundle. The id of a sighting is computed from its subject, sensor and cell. Equal
// cells give equal bytes, and more tags in a cell give a later version of the same sighting.
package stix
