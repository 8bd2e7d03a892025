package scoring

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Money is an amount in New Zealand dollars as exact cents, 0 to [MaxMoney]: NUMERIC(12,2) in the database. In JSON it
// is a number, never a floating-point one: a cent short of the required cover is short.
type Money int64

// MaxMoney is the largest amount that NUMERIC(12,2) holds, 9,999,999,999.99.
const MaxMoney Money = 999_999_999_999

const maxMoneyDigits = 12 // of MaxMoney, in cents

// Dollars returns a whole number of dollars.
func Dollars(dollars int64) Money { return Money(dollars * 100) }

// Errors of reading an amount.
var (
	errMoneyNegative = errors.New("must not be negative")
	errMoneyDecimals = errors.New("must have at most two decimals")
	errMoneyTooLarge = fmt.Errorf("must be at most %s", MaxMoney)
	errMoneySyntax   = errors.New("must be an amount of money such as 1000000.50")
)

// String gives the amount in dollars without trailing zeros: 500000, 1000000.5, 999999.99.
func (m Money) String() string { return string(m.append(nil)) }

func (m Money) append(text []byte) []byte {
	if m < 0 {
		text, m = append(text, '-'), -m
	}
	text = strconv.AppendInt(text, int64(m/100), 10)
	switch cents := m % 100; {
	case cents == 0:
		return text
	case cents%10 == 0:
		return append(text, '.', byte('0'+cents/10))
	default:
		return append(text, '.', byte('0'+cents/10), byte('0'+cents%10))
	}
}

// MarshalText gives the same text as String.
func (m Money) MarshalText() ([]byte, error) { return m.append(nil), nil }

// UnmarshalText reads a decimal number, as the database prints it or as JSON writes it.
func (m *Money) UnmarshalText(text []byte) (err error) {
	*m, err = parseMoney(string(text))
	return err
}

// MarshalJSON writes a JSON number.
func (m Money) MarshalJSON() ([]byte, error) { return m.append(nil), nil }

// UnmarshalJSON reads a JSON number. Exponents are welcome where the amount stays exact: 1e6 is a million.
func (m *Money) UnmarshalJSON(text []byte) error {
	switch kind := jsontext.Value(text).Kind(); kind {
	case '0':
		return m.UnmarshalText(text)
	case 'n':
		return errNull
	default:
		return fmt.Errorf("must be a number, got %s", kindOf(kind))
	}
}

// parseMoney reads a decimal number digit by digit: a float64 has no exact 999999.99.
func parseMoney(text string) (Money, error) {
	unsigned, negative := strings.CutPrefix(text, "-")
	digits, exponent, err := splitDecimal(unsigned)
	if err != nil {
		return 0, err
	}
	exponent += 2 // from dollars to cents
	switch {
	case digits == "":
		return 0, nil
	case negative:
		return 0, errMoneyNegative
	case len(digits)+exponent > maxMoneyDigits:
		return 0, errMoneyTooLarge
	case exponent < 0:
		return 0, errMoneyDecimals
	}
	cents, err := strconv.ParseInt(digits+strings.Repeat("0", exponent), 10, 64)
	if err != nil {
		return 0, errMoneySyntax
	}
	return Money(cents), nil
}

// splitDecimal takes apart an unsigned decimal number such as 1000.50 or 1e6 so that its value is digits * 10^exponent,
// without leading or trailing zeros in digits, which are empty for zero.
func splitDecimal(text string) (digits string, exponent int, err error) {
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent, err = strconv.Atoi(text[i+1:])
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return "", 0, errMoneySyntax
		}
		// Beyond this, in either direction, any amount is out of range; and the sums below cannot overflow.
		const far = 1 << 30
		exponent = max(-far, min(far, exponent))
	}
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	if !isDigits(whole) || hasPoint && !isDigits(fraction) {
		return "", 0, errMoneySyntax
	}
	digits = strings.TrimLeft(whole+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(significant) - len(fraction)
	return significant, exponent, nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
