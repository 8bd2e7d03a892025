package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/claimsync/claimsync"
	"github.com/claimsync/claimsync/internal/operator"
)

// errRefused is River UI's, which has answered already.
var errRefused = errors.New("refused")

// logged has River UI do what is asked for, and keeps in the operator log who asked for what and how it was answered. What
// cannot be logged is not done.
func (s *server) logged(w http.ResponseWriter, r *http.Request, body []byte) {
	action, target := riverAction(r.Method, strings.TrimPrefix(r.URL.Path, s.config.Prefix), body)
	done := false
	err := s.config.Sync.Operate(r.Context(), operator.Of(r), action, target, func(ctx context.Context) (string, error) {
		done = true
		answered := &response{ResponseWriter: w}
		s.riverUI.ServeHTTP(answered, r.WithContext(ctx))
		if answered.status >= http.StatusBadRequest {
			return "", fmt.Errorf("%w: answered %d", errRefused, answered.status)
		}
		return fmt.Sprintf("answered %d", answered.status), nil
	})
	if err != nil && !done {
		s.refuse(w, r, err)
	}
}

// riverAction is what River UI, at the path below our prefix, is asked to do, as the operator log names it: to a queue, to the
// jobs whose ids are in the body, or whatever else.
func riverAction(method, path string, body []byte) (action, target string) {
	switch parts := strings.Split(strings.TrimPrefix(path, riverUIPath+"/api/"), "/"); {
	case len(parts) == 3 && parts[0] == "queues" && parts[2] == "pause":
		return claimsync.ActionQueuePause, parts[1]
	case len(parts) == 3 && parts[0] == "queues" && parts[2] == "resume":
		return claimsync.ActionQueueResume, parts[1]
	case len(parts) == 2 && parts[0] == "jobs":
		var jobs struct {
			IDs []json.Number `json:"ids"`
		}
		if json.Unmarshal(body, &jobs) == nil && len(jobs.IDs) > 0 {
			return claimsync.ActionJobs, fmt.Sprintf("%s %d: %s", parts[1], len(jobs.IDs), numbers(jobs.IDs))
		}
	}
	return claimsync.ActionRiverUI, method + " " + path
}

func numbers(ids []json.Number) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return strings.Join(texts, " ")
}
