// Package migrations embeds the numbered SQL files that build the database, in goose's format.
package migrations

import "embed"

// FS holds every migration.
//
//go:embed *.sql
var FS embed.FS
