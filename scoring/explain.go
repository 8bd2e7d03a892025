package scoring

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// explain translates an error of the JSON decoder for the person who sent the input.
func explain(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return Problems{explainSemantic(semantic)}
	}
	syntactic, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case !ok:
		return fmt.Errorf("scoring: decoding: %w", err)
	case errors.Is(syntactic, jsontext.ErrDuplicateName):
		return Problems{{memberOf(syntactic.JSONPointer), "is given twice"}}
	case errors.Is(syntactic, io.ErrUnexpectedEOF):
		return &MalformedError{syntactic.ByteOffset, "unexpected end"}
	default:
		return &MalformedError{syntactic.ByteOffset, strings.TrimPrefix(syntactic.Err.Error(), "jsontext: ")}
	}
}

func explainSemantic(err *json.SemanticError) Problem {
	switch {
	case errors.Is(err.Err, json.ErrUnknownName):
		return Problem{memberOf(err.JSONPointer), "is not a known field"}
	case errors.Is(err.Err, strconv.ErrRange):
		return Problem{fieldOf(err.JSONPointer), "is out of range"}
	case err.Err == nil, errors.Is(err.Err, strconv.ErrSyntax), wantsString(err.GoType) && err.JSONKind != '"':
		return Problem{fieldOf(err.JSONPointer), mismatch(err)}
	default:
		return Problem{fieldOf(err.JSONPointer), err.Err.Error()}
	}
}

// mismatch tells which kind of value belongs here.
func mismatch(err *json.SemanticError) string {
	return fmt.Sprintf("must be %s, got %s", kindFor(err.GoType), kindOf(err.JSONKind))
}

func kindFor(t reflect.Type) string {
	if wantsString(t) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "a list"
	default:
		return "an object"
	}
}

// wantsString reports whether values of the type are read from text, so that the decoder takes only a string.
func wantsString(t reflect.Type) bool {
	if t == nil {
		return false
	}
	ptr := reflect.PointerTo(t)
	return ptr.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) &&
		!ptr.Implements(reflect.TypeFor[json.Unmarshaler]()) &&
		!ptr.Implements(reflect.TypeFor[json.UnmarshalerFrom]())
}

func kindOf(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't':
		return "true"
	case 'f':
		return "false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	case '{':
		return "an object"
	default:
		return "something else"
	}
}

// fieldOf writes a JSON pointer the way a programmer would: /documents/3/status is documents[3].status. No field of
// ours has digits for a name.
func fieldOf(pointer jsontext.Pointer) string {
	var field strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case isDigits(token):
			field.WriteString("[" + token + "]")
		case field.Len() > 0:
			field.WriteString("." + shorten(token))
		default:
			field.WriteString(shorten(token))
		}
	}
	return field.String()
}

// memberOf is fieldOf for a pointer that ends in a member's name, which is the sender's and may be anything.
func memberOf(pointer jsontext.Pointer) string {
	parent, name := fieldOf(pointer.Parent()), shorten(pointer.LastToken())
	if parent == "" {
		return name
	}
	return parent + "." + name
}
