// Package db opens the database, migrates it, and runs transactions. The queries are generated from queries/*.sql into
// db/dbsqlc; this package holds what they need around them.
package db
