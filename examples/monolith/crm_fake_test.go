package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const crmKey = "crm-key"

// fakeCRM has the accounts in memory. It can be told to fail.
type fakeCRM struct {
	url string

	mu       sync.Mutex
	accounts map[string]account
	fault    http.HandlerFunc // nil: none
	calls    int
	puts     map[string]int // by organization, that were let in
}

func startCRM(t *testing.T) *fakeCRM {
	t.Helper()
	crm := &fakeCRM{accounts: map[string]account{}, puts: map[string]int{}}
	server := httptest.NewServer(crm)
	t.Cleanup(server.Close)
	crm.url = server.URL
	return crm
}

func (c *fakeCRM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	fault := c.fault
	c.calls++
	c.mu.Unlock()
	id, found := strings.CutPrefix(r.URL.Path, "/accounts/")
	switch {
	case !found || r.Header.Get("Authorization") != "Bearer "+crmKey:
		w.WriteHeader(http.StatusUnauthorized)
	case fault != nil:
		fault(w, r)
	case r.Method == http.MethodPut:
		c.put(w, r, id)
	default:
		c.get(w, id)
	}
}

func (c *fakeCRM) put(w http.ResponseWriter, r *http.Request, id string) {
	var given account
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.puts[id]++
	c.mu.Unlock()
	c.set(id, given)
}

func (c *fakeCRM) get(w http.ResponseWriter, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.accounts[id]; !ok {
		w.WriteHeader(http.StatusNotFound)
	} else if err := json.NewEncoder(w).Encode(found); err != nil {
		panic(err)
	}
}

func (c *fakeCRM) set(id string, given account) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accounts[id] = given
}

// account returns what it has of an organization.
func (c *fakeCRM) account(id string) account {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accounts[id]
}

// called returns how often it was called.
func (c *fakeCRM) called() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

// written returns how often the account was.
func (c *fakeCRM) written(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.puts[id]
}

// failBy has every call answered by the fault; nil ends that.
func (c *fakeCRM) failBy(fault http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = fault
}

func answer(status int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// silence answers nothing for as long as anybody waits, which a server learns once the body is read.
func silence(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
