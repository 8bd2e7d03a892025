package clerktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxCustomClaims bounds the custom claims of a session token, in bytes of compact JSON: the token travels in a cookie.
//
// https://clerk.com/docs/guides/sessions/session-tokens#size-limitations
const maxCustomClaims = 1228 // 1.2 KB

// DefaultClaims returns the customization of the session token that claimsync is made for.
func DefaultClaims() map[string]any {
	return map[string]any{
		"certification_tier": "{{org.public_metadata.certification_tier}}",
		"compliance_score":   "{{org.public_metadata.compliance_score}}",
		"insurance_valid":    "{{org.public_metadata.insurance_valid}}",
		"claims_as_of":       "{{org.public_metadata.claims_as_of}}",
	}
}

// reservedClaims are Clerk's own.
var reservedClaims = []string{
	"act", "azp", "exp", "fea", "fva", "iat", "iss", "jti", "nbf", "o", "pla", "sid", "sts", "sub", "v",
}

// customClaims fills the template in.
func customClaims(template map[string]any, context object) (map[string]any, error) {
	claims := map[string]any{}
	for name, value := range template {
		if slices.Contains(reservedClaims, name) {
			return nil, fmt.Errorf("claim %q is reserved", name)
		}
		var err error
		if claims[name], err = fillIn(value, context); err != nil {
			return nil, fmt.Errorf("claim %q: %w", name, err)
		}
	}
	text, err := json.Marshal(claims)
	if err == nil && len(text) > maxCustomClaims {
		err = fmt.Errorf("custom claims of %d bytes exceed 1.2 KB", len(text))
	}
	return claims, err
}

// fillIn replaces a shortcode by its value, of whatever type that is. Shortcodes within a longer text are not emulated.
func fillIn(value any, context object) (any, error) {
	switch value := value.(type) {
	case string:
		code, begins := strings.CutPrefix(strings.TrimSpace(value), "{{")
		code, ends := strings.CutSuffix(code, "}}")
		switch {
		case !strings.Contains(value, "{{"):
			return value, nil
		case !begins || !ends || strings.Contains(code, "{{"):
			return nil, fmt.Errorf("%q: only a shortcode that stands alone is emulated", value)
		}
		return evaluate(code, context), nil
	case map[string]any:
		filled := map[string]any{}
		for name, inner := range value {
			var err error
			if filled[name], err = fillIn(inner, context); err != nil {
				return nil, err
			}
		}
		return filled, nil
	default:
		return value, nil
	}
}

// evaluate returns the first of the alternatives that is truthy, or the last. As at Clerk false is not truthy: so
// {{org.public_metadata.insurance_valid || true}} is always true.
func evaluate(code string, context object) (value any) {
	for alternative := range strings.SplitSeq(code, "||") {
		if value = operand(strings.TrimSpace(alternative), context); truthy(value) {
			break
		}
	}
	return value
}

// operand is a constant, or the value at a path: null if there is none.
func operand(text string, context object) any {
	if inner, quoted := strings.CutPrefix(text, "'"); quoted {
		return strings.TrimSuffix(inner, "'")
	}
	var constant any
	if json.Unmarshal([]byte(text), &constant) == nil {
		return constant
	}
	var value any = context
	for name := range strings.SplitSeq(text, ".") {
		members, _ := value.(object)
		value = members[name]
	}
	return value
}

func truthy(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case bool:
		return value
	case string:
		return value != ""
	case float64:
		return value != 0
	case json.Number:
		number, err := value.Float64()
		return err != nil || number != 0
	default:
		return true
	}
}
