// Package schema embeds the migrations, the same files that sqlc reads.
package schema

import "embed"

// FS holds one folder of golang-migrate files for each dialect.
//
//go:embed sqlite/*.sql mysql/*.sql
var FS embed.FS
