// Package views embeds the views for other programs. They are not migrations, since a Vitess cluster cannot have them.
package views

import "embed"

// FS holds one folder for each dialect, with a file for each view, named after it.
//
//go:embed sqlite/*.sql mysql/*.sql
var FS embed.FS
