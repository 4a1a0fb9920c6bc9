// Package attack holds MITRE ATT&CK releases: tactics, techniques and sub-techniques with their names, links and
// states, and the mapping of ids between releases.
//
// [Read] reads an official STIX bundle. The subpackage builtin has the official releases in compact form. A
// [Catalogue] holds any number of releases; it finds a release by name or the nearest one, maps (technique, tactic)
// pairs between releases ([Catalogue.Remap]) and finds ids by name ([Catalogue.Search]).
//
// The package uses no database and no network.
package attack
