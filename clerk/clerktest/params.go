package clerktest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

// params are the members of a request's body, not yet looked into.
type params map[string]json.RawMessage

// bodyParams takes the body apart: one JSON object with none but known members.
func (c *call) bodyParams(known ...string) (params, error) {
	var p params
	decoder := json.NewDecoder(bytes.NewReader(c.body))
	if err := decoder.Decode(&p); err != nil || p == nil {
		return nil, errBodyInvalid
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errBodyInvalid
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !slices.Contains(known, name) {
			return nil, paramUnknown(name)
		}
	}
	return p, nil
}

// given tells whether there is such a member and it is not null.
func (p params) given(name string) bool { return p[name] != nil && string(p[name]) != "null" }

// take decodes a member into target, which stays as it is if the member is missing or null.
func take[T any](p params, name string, target *T) error {
	if !p.given(name) {
		return nil
	}
	if err := json.Unmarshal(p[name], target); err != nil {
		return paramInvalid(name, "is of the wrong type")
	}
	return nil
}

// queryParams returns the query if it has none but known parameters.
func (c *call) queryParams(known ...string) (url.Values, error) {
	query, err := url.ParseQuery(c.request.URL.RawQuery)
	if err != nil {
		return nil, paramInvalid("query", "cannot be parsed")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) {
			return nil, paramUnknown(name)
		}
	}
	return query, nil
}

// queryInt returns a whole number of the query between low and high, or the default.
func queryInt(query url.Values, name string, byDefault, low, high int) (int, error) {
	if !query.Has(name) {
		return byDefault, nil
	}
	value, err := strconv.Atoi(query.Get(name))
	if err != nil || value < low || value > high {
		return 0, paramInvalid(name, "must be a whole number between "+strconv.Itoa(low)+" and "+strconv.Itoa(high))
	}
	return value, nil
}

func queryBool(query url.Values, name string) (bool, error) {
	if !query.Has(name) {
		return false, nil
	}
	value, err := strconv.ParseBool(query.Get(name))
	if err != nil {
		return false, paramInvalid(name, "must be true or false")
	}
	return value, nil
}
