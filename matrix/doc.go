// Package matrix lays out observed techniques in the ATT&CK matrix of a release.
//
// A [Cell] sums up the tags that show one technique or sub-technique under one tactic. [Arrange] puts the cells of a
// scope into the columns of a release; cells without a place in the release are kept apart, not dropped. The packages
// navigator, stix and report export cells, and a store of package ttp reads them. The package uses no database.
package matrix
