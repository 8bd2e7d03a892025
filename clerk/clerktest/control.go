package clerktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const controlPrefix = "/_control/"

// control is one operation of the control API. Its example is a body that it takes, if it takes one.
type control struct {
	Method  string `json:"method"`
	Path    string `json:"path"`
	Does    string `json:"does"`
	Example any    `json:"example,omitempty"`
	// serve returns what is answered: nil is 204, plainText is text, all else JSON. An error is the caller's mistake.
	serve func(*Server, *http.Request) (any, error)
}

type plainText string

// controls returns all operations.
func controls() []control {
	index := control{"GET", controlPrefix, "lists what there is", nil, (*Server).controlIndex}
	return slices.Concat([]control{index}, faultControls, historyControls, limitControls, keyControls, webhookControls)
}

func (s *Server) controlIndex(*http.Request) (any, error) {
	return map[string][]control{"endpoints": controls()}, nil
}

// serveControl serves the control API.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	var methods []string
	for _, c := range controls() {
		if c.Path != r.URL.Path {
			continue
		}
		if c.Method == r.Method {
			s.answerControl(w, r, c)
			return
		}
		methods = append(methods, c.Method)
	}
	if methods == nil {
		replyError(w, http.StatusNotFound, errors.New("there is no "+r.URL.Path+"; GET "+controlPrefix+" lists what there is"), nil)
		return
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	replyError(w, http.StatusMethodNotAllowed, errors.New(r.URL.Path+" takes "+strings.Join(methods, ", ")), nil)
}

func (s *Server) answerControl(w http.ResponseWriter, r *http.Request, c control) {
	value, err := c.serve(s, r)
	if err != nil {
		replyError(w, http.StatusBadRequest, err, c.Example)
		return
	}
	switch value := value.(type) {
	case nil:
		w.WriteHeader(http.StatusNoContent)
	case plainText:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, string(value))
	default:
		reply(w, http.StatusOK, value)
	}
}

// controlError is what a caller of the control API has done wrong, with an example of what is right.
type controlError struct {
	Error   string `json:"error"`
	Example any    `json:"example,omitempty"`
}

func replyError(w http.ResponseWriter, status int, err error, example any) {
	reply(w, status, controlError{err.Error(), example})
}

func reply(w http.ResponseWriter, status int, value any) {
	a := jsonAnswer(status, value)
	w.Header().Set("Content-Type", a.header["Content-Type"])
	w.WriteHeader(a.status)
	_, _ = w.Write(append(a.body, '\n'))
}

// readControl decodes the body, which must be one JSON value without unknown members.
func readControl[T any](r *http.Request) (value T, err error) {
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		return value, fmt.Errorf("the body is not JSON of the form expected: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return value, errors.New("the body has something after its JSON")
	}
	return value, nil
}

// queryNumber reads a whole number that is not negative.
func queryNumber(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 {
		return 0, fmt.Errorf("%s must be a whole number, not %q", name, text)
	}
	return number, nil
}
