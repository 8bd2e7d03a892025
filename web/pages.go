package web

import (
	"net/http"

	"github.com/claimsync/claimsync/web/console"
)

// addPages makes what is for browsers.
func (s *server) addPages() (err error) {
	if s.riverUI, err = newRiverUI(s.config); err != nil {
		return err
	}
	s.console, err = console.New(console.Config{
		Sync: s.config.Sync, River: s.config.River,
		Prefix: s.config.Prefix, JobsPath: s.config.Prefix + riverUIPath + "/jobs/",
		FanOutTimeout: s.config.FanOutTimeout, Logger: s.config.Logger,
	})
	return err
}

func (s *server) routePages(mux prefixed, guard *guard) {
	mux.Handle(riverUIPath+"/", guard.protect(challengeBasic, http.HandlerFunc(s.serveRiverUI)))
	for _, pattern := range console.Patterns() {
		mux.Handle(pattern, guard.protect(challengeBasic, s.console))
	}
}
