package clerktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

const controlPrefix = "/_control/"

// serveControl serves the control API, which the package comment describes.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /_control/faults":
		reply(w, http.StatusOK, faultsJSON{s.Faults()})
	case "PUT /_control/faults":
		faults, err := readFaults(w, r)
		if err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		s.SetFaults(faults...)
		reply(w, http.StatusOK, faultsJSON{s.Faults()})
	case "DELETE /_control/faults":
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	case "GET /_control/writes":
		s.serveWrites(w, r)
	default:
		reply(w, http.StatusNotFound, map[string]string{
			"error": "there are GET, PUT and DELETE /_control/faults, and GET /_control/writes",
		})
	}
}

type faultsJSON struct {
	Faults []Fault `json:"faults"`
}

func readFaults(w http.ResponseWriter, r *http.Request) ([]Fault, error) {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	var body faultsJSON
	if err := decoder.Decode(&body); err != nil {
		return nil, err
	}
	for i, fault := range body.Faults {
		if err := fault.Check(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i, err)
		}
	}
	return body.Faults, nil
}

// serveWrites lists the writes, of one organization and after a sequence number if so asked.
func (s *Server) serveWrites(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var after int64
	if query.Has("after") {
		var err error
		if after, err = strconv.ParseInt(query.Get("after"), 10, 64); err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"error": "after must be the seq of a write"})
			return
		}
	}
	writes := []Write{}
	for _, write := range s.Writes() {
		if write.Seq > after && (!query.Has("organization") || query.Get("organization") == write.Organization) {
			writes = append(writes, write)
		}
	}
	reply(w, http.StatusOK, map[string][]Write{"writes": writes})
}

func reply(w http.ResponseWriter, status int, value any) {
	a := jsonAnswer(status, value)
	w.Header().Set("Content-Type", a.header["Content-Type"])
	w.WriteHeader(a.status)
	_, _ = w.Write(append(a.body, '\n'))
}
