// Package attack holds MITRE ATT&CK releases: tactics, techniques and sub-techniques with their names, links and
// states, and what one release makes of another's ids.
//
// [Read] reads an official STIX bundle. The subpackage builtin has the official releases in compact form. A
// [Catalogue] holds any number of releases; it finds the one of a name or the nearest, translates
// (technique, tactic) pairs from one release to another ([Catalogue.Remap]) and names to ids ([Catalogue.Search]).
//
// The package knows no database and no network.
package attack
