// Package views embeds the views for other programs. They are no migrations: a sharded engine does not know them all.
package views

import "embed"

// FS holds one folder for each dialect, with a file for each view, named after it.
//
//go:embed sqlite/*.sql mysql/*.sql
var FS embed.FS
