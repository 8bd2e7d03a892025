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

// Value is a metadata value that may be missing, or not what it should be.
type Value[T comparable] struct {
	Presence Presence
	V        T // nonzero only if it is Present
	// Found is what is there in place of a T, if it is Malformed: JSON, bounded and on one line.
	Found string
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
	malformed json.RawMessage // what is there in place of an object; nil: one is
}

// object reads a JSON object. Missing and null count as empty.
func object(raw json.RawMessage) metadata {
	if len(raw) == 0 {
		return metadata{}
	}
	var m metadata
	if json.Unmarshal(raw, &m.members) != nil {
		m.malformed = raw
	}
	return m
}

// read finds the value under the path. A type on the way that is no object makes the value Malformed.
func read[T comparable](m metadata, path ...string) Value[T] {
	if m.malformed != nil {
		return malformed[T](m.malformed)
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
		return malformed[T](raw)
	}
	return Value[T]{Presence: Present, V: value}
}

func malformed[T comparable](raw json.RawMessage) Value[T] {
	return Value[T]{Presence: Malformed, Found: oneLine(string(raw))}
}
