package db_test

import (
	"fmt"
	"io/fs"

	"github.com/claimsync/claimsync/db"
)

// For a pipeline of an application's own, such as goose.NewProvider's, with goose.WithTableName(db.MigrationTable), or a CI
// job that writes them out.
func ExampleMigrations() {
	files, err := fs.Glob(db.Migrations(), "*.sql")
	if err != nil {
		panic(err)
	}
	fmt.Println(files[0], "into", db.MigrationTable)
	// Output: 00001_organizations.sql into claimsync_migration
}
