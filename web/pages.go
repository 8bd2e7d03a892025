package web

import (
	"net/http"

	"github.com/claimsync/claimsync/web/console"
)

// addPages makes what is for browsers.
func (s *server) addPages() (err error) {
	jobs := "" // nowhere
	if !s.config.NoRiverUI {
		if s.riverUI, err = newRiverUI(s.config); err != nil {
			return err
		}
		jobs = s.config.Prefix + riverUIPath + "/jobs/"
	}
	s.console, err = console.New(console.Config{
		Sync: s.config.Sync, River: s.config.River, Prefix: s.config.Prefix, JobsPath: jobs,
		FanOutTimeout: s.config.FanOutTimeout, Logger: s.config.Logger,
	})
	return err
}

func (s *server) routePages(mux prefixed, guard *guard) {
	if s.riverUI != nil {
		mux.Handle(riverUIPath+"/", guard.protect(challengeBasic, http.HandlerFunc(s.serveRiverUI)))
	}
	for _, pattern := range console.Patterns() {
		mux.Handle(pattern, guard.protect(challengeBasic, s.console))
	}
}
