package web

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// optional is a member of a body that may be absent, which is not the same as null: whether that is accepted is up to T,
// as everywhere in scoring.Decode.
type optional[T any] struct {
	given bool
	value T
}

// UnmarshalJSONFrom is called only if the member is there.
func (o *optional[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	o.given = true
	return json.UnmarshalDecode(dec, &o.value)
}

// pointer is nil if the member was absent.
func (o *optional[T]) pointer() *T {
	if !o.given {
		return nil
	}
	return &o.value
}
