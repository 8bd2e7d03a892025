package clerktest

import "net/http"

var historyControls = []control{
	{"GET", "/_control/requests", "lists the requests; takes organization, after and limit", nil, (*Server).controlRequests},
	{"GET", "/_control/writes", "lists the applied writes of metadata; takes organization, after and limit", nil, (*Server).controlWrites},
}

func (s *Server) controlRequests(r *http.Request) (any, error) {
	requests, err := page(r, s.Requests(), func(r Request) (int64, string) { return r.Seq, r.Organization })
	return map[string][]Request{"requests": requests}, err
}

func (s *Server) controlWrites(r *http.Request) (any, error) {
	writes, err := page(r, s.Writes(), func(w Write) (int64, string) { return w.Seq, w.Organization })
	return map[string][]Write{"writes": writes}, err
}

// page picks what the query asks for: the entries of one organization, those after a sequence number, and at most limit
// of these: the first ones, so that the next page begins after the last; but without after, the latest.
func page[T any](r *http.Request, entries []T, key func(T) (seq int64, organization string)) ([]T, error) {
	query := r.URL.Query()
	after, err := queryNumber(r, "after")
	if err != nil {
		return nil, err
	}
	limit, err := queryNumber(r, "limit")
	if err != nil {
		return nil, err
	}
	chosen := []T{}
	for _, entry := range entries {
		seq, organization := key(entry)
		if seq > after && (!query.Has("organization") || query.Get("organization") == organization) {
			chosen = append(chosen, entry)
		}
	}
	switch {
	case limit == 0 || limit >= int64(len(chosen)):
		return chosen, nil
	case query.Has("after"):
		return chosen[:limit], nil
	default:
		return chosen[int64(len(chosen))-limit:], nil
	}
}
