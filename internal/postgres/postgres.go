// Package postgres gives Orbit its database: a pool of connections to a server of the administrator's, or to
// a private cluster that lives and dies with Orbit; the schema; and what features need for transactions.
package postgres
