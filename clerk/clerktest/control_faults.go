package clerktest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

var faultControls = []control{
	{"GET", "/_control/faults", "shows the faults that are active or to come", nil, (*Server).controlGetFaults},
	{"PUT", "/_control/faults", "replaces all faults",
		faultsJSON{[]Fault{{Effect: Answer, Status: http.StatusServiceUnavailable}}}, (*Server).controlPutFaults},
	{"DELETE", "/_control/faults", "removes all faults", nil, (*Server).controlDeleteFaults},
	{"GET", "/_control/script", "shows the faults as text", nil, (*Server).controlGetScript},
	{"PUT", "/_control/script", "replaces all faults, from text", "at 10s for 60s: 503 for 100 %", (*Server).controlPutScript},
	{"DELETE", "/_control/script", "removes all faults", nil, (*Server).controlDeleteFaults},
	{"GET", "/_control/traffic", "shows the competing traffic", nil, (*Server).controlGetTraffic},
	{"PUT", "/_control/traffic", "replaces the competing traffic; 0 requests end it",
		trafficJSON{Requests: 500, Window: duration(Traffic{}.withDefaults().Window)}, (*Server).controlPutTraffic},
}

type faultsJSON struct {
	Faults []Fault `json:"faults"`
}

func (s *Server) controlGetFaults(*http.Request) (any, error) { return faultsJSON{s.Faults()}, nil }

func (s *Server) controlPutFaults(r *http.Request) (any, error) {
	body, err := readControl[faultsJSON](r)
	if err != nil {
		return nil, err
	}
	if body.Faults == nil {
		return nil, errors.New("faults is missing; to remove all, give [] or DELETE")
	}
	for i, fault := range body.Faults {
		if err := fault.Check(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i, err)
		}
	}
	s.SetFaults(body.Faults...)
	return body, nil
}

func (s *Server) controlDeleteFaults(*http.Request) (any, error) {
	s.ClearFaults()
	return nil, nil
}

func (s *Server) controlGetScript(*http.Request) (any, error) { return scriptText(s.Faults()), nil }

func (s *Server) controlPutScript(r *http.Request) (any, error) {
	script, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	faults, err := ParseScript(string(script))
	if err != nil {
		return nil, err
	}
	s.SetFaults(faults...)
	return scriptText(faults), nil
}

func scriptText(faults []Fault) plainText {
	var text strings.Builder
	for _, fault := range faults {
		text.WriteString(fault.String() + "\n")
	}
	return plainText(text.String())
}

type trafficJSON struct {
	Requests int           `json:"requests"`
	Window   duration      `json:"window,omitzero"`
	Count    *TrafficCount `json:"count,omitempty"`
}

func (s *Server) controlGetTraffic(*http.Request) (any, error) {
	traffic, count := s.Traffic()
	return trafficJSON{traffic.Requests, duration(traffic.Window), &count}, nil
}

func (s *Server) controlPutTraffic(r *http.Request) (any, error) {
	body, err := readControl[struct {
		Requests *int     `json:"requests"`
		Window   duration `json:"window"`
	}](r)
	if err != nil {
		return nil, err
	}
	if body.Requests == nil {
		return nil, errors.New("requests is missing; 0 ends the traffic")
	}
	traffic := Traffic{Requests: *body.Requests, Window: time.Duration(body.Window)}
	if err := traffic.Check(); err != nil {
		return nil, err
	}
	s.SetTraffic(traffic)
	return s.controlGetTraffic(r)
}
