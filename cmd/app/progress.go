package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// newProgress shows how far long work has come, with its rate and the time left; for people only, so nothing is shown
// unless w is a terminal. unit is progressbar.OptionShowIts or OptionShowBytes.
func newProgress(w io.Writer, total int64, what string, unit progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		unit,
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}
