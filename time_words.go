package claimsync

import (
	"fmt"
	"time"

	"github.com/claimsync/claimsync/internal/timewords"
)

// moment is a time for people, absolute and seen from now: 2026-07-01 10:22:31 UTC (in 4 s). Its zone is that of now.
func moment(now, t time.Time) string {
	return fmt.Sprintf("%s (%s)", t.In(now.Location()).Format(time.DateTime+" MST"), timewords.FromNow(now, t))
}
