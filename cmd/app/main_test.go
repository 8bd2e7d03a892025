package main

import (
	"os"
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

// asApp makes the test binary the program itself, so that tests can start it as a process, and kill it.
const asApp = "CLAIMSYNC_TEST_AS_APP"

func TestMain(m *testing.M) {
	if os.Getenv(asApp) != "" {
		main()
	}
	dbtest.Main(searched{m})
}
