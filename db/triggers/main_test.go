package triggers_test

import (
	"testing"

	"github.com/claimsync/claimsync/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }
