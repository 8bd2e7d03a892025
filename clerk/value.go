package clerk

import "encoding/json"

// Presence tells how a metadata value was found.
type Presence string

const (
	// Absent: there is no such key, or it is null.
	Absent Presence = "absent"
	// Present: the value has the type it should have.
	Present Presence = "present"
	// Malformed: there is a value of another type. Somebody else wrote it.
	Malformed Presence = "malformed"
)

// Value is a metadata value that may be missing, or not what it should be. V is nonzero only if it is Present.
type Value[T comparable] struct {
	Presence Presence
	V        T
}

// is tells whether the value is the wanted one; wanted nil means absent.
func (v Value[T]) is(want *T) bool {
	if want == nil {
		return v.Presence == Absent
	}
	return v.Presence == Present && v.V == *want
}

// metadata is one JSON object, its members not yet read.
type metadata struct {
	members   map[string]json.RawMessage
	malformed bool
}

// object reads a JSON object. Missing and null count as empty.
func object(raw json.RawMessage) metadata {
	if len(raw) == 0 {
		return metadata{}
	}
	var m metadata
	m.malformed = json.Unmarshal(raw, &m.members) != nil
	return m
}

// read finds the value under the path. A type on the way that is no object makes the value Malformed.
func read[T comparable](m metadata, path ...string) Value[T] {
	if m.malformed {
		return Value[T]{Presence: Malformed}
	}
	raw, ok := m.members[path[0]]
	switch {
	case !ok || string(raw) == "null":
		return Value[T]{Presence: Absent}
	case len(path) > 1:
		return read[T](object(raw), path[1:]...)
	}
	var value T
	if json.Unmarshal(raw, &value) != nil {
		return Value[T]{Presence: Malformed}
	}
	return Value[T]{Presence: Present, V: value}
}
