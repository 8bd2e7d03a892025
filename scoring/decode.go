package scoring

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode reads one JSON value strictly: names are case-sensitive, unknown and duplicate names are refused, null is
// accepted only where into has a pointer, and times as in [Snapshot]. A struct that embeds [Facts] works as well.
//
// The error is [Problems], or [*MalformedError] for what is not JSON. Decode stops at the first problem, and does not
// tell whether values make sense together: [Facts.Validate] has to follow.
func Decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into, strict); err != nil {
		return explain(err)
	}
	return nil
}

// DecodeSnapshot decodes and validates a snapshot.
func DecodeSnapshot(data []byte) (*Snapshot, error) {
	s := new(Snapshot)
	if err := Decode(data, s); err != nil {
		return nil, err
	}
	if err := s.Validate().Err(); err != nil {
		return nil, err
	}
	return s, nil
}

var strict = json.JoinOptions(
	json.RejectUnknownMembers(true),
	json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(unmarshalTime),
		json.UnmarshalFromFunc(refuseNull),
		json.UnmarshalFromFunc(presetSnapshot),
		json.UnmarshalFromFunc(presetAssessment),
		json.UnmarshalFromFunc(presetPolicy),
	)),
)

// skip tells the decoder to go on as if there had been no hook.
var skip = errors.ErrUnsupported

func unmarshalTime(dec *jsontext.Decoder, t *time.Time) error {
	token, err := dec.ReadToken()
	switch {
	case err != nil:
		return err
	case token.Kind() == 'n':
		return errNull
	case token.Kind() != '"':
		return fmt.Errorf("must be a date and time as a string, got %s", kindOf(token.Kind()))
	}
	*t, err = parseTime(token.String())
	return err
}

// refuseNull sees every value. The decoder would take null for the zero value; that is not what the sender meant.
func refuseNull(dec *jsontext.Decoder, value any) error {
	if dec.PeekKind() != 'n' {
		return skip
	}
	switch value.(type) {
	case json.Unmarshaler, json.UnmarshalerFrom:
		return skip // the type knows
	}
	if reflect.TypeOf(value).Elem().Kind() == reflect.Pointer {
		return skip
	}
	if _, err := dec.ReadToken(); err != nil { // so that the error points at this value
		return err
	}
	return errNull
}

// Members whose zero value is a fair value are preset to an impossible one, so that Validate can tell them from
// members that are absent. Everything else is absent when zero.
const absentMoney Money = math.MinInt64

var (
	absentTime  = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)
	absentScore = math.Inf(-1)
)

func presetSnapshot(_ *jsontext.Decoder, s *Snapshot) error {
	s.Now = absentTime
	return skip
}

func presetAssessment(_ *jsontext.Decoder, a *Assessment) error {
	a.Score = absentScore
	return skip
}

func presetPolicy(_ *jsontext.Decoder, p *InsurancePolicy) error {
	p.CoverageAmount, p.ExpiryDate = absentMoney, absentTime
	return skip
}
