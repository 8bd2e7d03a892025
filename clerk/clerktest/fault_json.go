package clerktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// faultJSON is a Fault with its durations as text.
type faultJSON struct {
	Effect       Effect            `json:"effect,omitempty"`
	At           duration          `json:"at,omitzero"`
	For          duration          `json:"for,omitzero"`
	Organization string            `json:"organization,omitempty"`
	Method       string            `json:"method,omitempty"`
	Count        int               `json:"count,omitempty"`
	Probability  float64           `json:"probability,omitempty"`
	Latency      duration          `json:"latency,omitzero"`
	Status       int               `json:"status,omitempty"`
	Body         string            `json:"body,omitempty"`
	RetryAfter   duration          `json:"retry_after,omitzero"`
	Header       map[string]string `json:"header,omitempty"`
	Block        bool              `json:"block,omitempty"`
	Delay        duration          `json:"delay,omitzero"`
}

// MarshalJSON implements json.Marshaler.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultJSON{
		f.Effect, duration(f.At), duration(f.For), f.Organization, f.Method, f.Count, f.Probability,
		duration(f.Latency), f.Status, f.Body, duration(f.RetryAfter), f.Header, f.Block, duration(f.Delay),
	})
}

// UnmarshalJSON implements json.Unmarshaler. Unknown members are an error.
func (f *Fault) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var j faultJSON
	if err := decoder.Decode(&j); err != nil {
		return err
	}
	*f = Fault{
		j.Effect, time.Duration(j.At), time.Duration(j.For), j.Organization, j.Method, j.Count, j.Probability,
		time.Duration(j.Latency), j.Status, j.Body, time.Duration(j.RetryAfter), j.Header, j.Block, time.Duration(j.Delay),
	}
	return nil
}

// duration is a time.Duration written as "1.5s".
type duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration like 1.5s", text)
	}
	*d = duration(parsed)
	return nil
}
