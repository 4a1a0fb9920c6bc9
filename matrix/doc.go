// Package matrix lays out observed techniques in the ATT&CK matrix of a release.
//
// A [Cell] sums up the tags that show one technique or sub-technique under one tactic. [Arrange] puts the cells of a
// scope into the columns of a release; what the release has no place for is kept apart, never dropped. The packages
// navigator, stix and report export cells; a store reads them. The package knows no database.
package matrix
