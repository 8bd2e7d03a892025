package db_test

import (
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

func TestMain(m *testing.M) {
	registerApplicationMigration()
	dbtest.Main(m)
}
