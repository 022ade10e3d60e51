package postgres

// MigrateFiles lets tests migrate with migrations of their own; they cannot stand in this package, because
// pgtest imports it.
var MigrateFiles = migrate
