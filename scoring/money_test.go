package scoring

import (
	stdjson "encoding/json"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

func TestMoneyText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		want    Money
		printed string
	}{
		{"0", 0, "0"},
		{"-0.00", 0, "0"},
		{"0e99", 0, "0"},
		{"0.01", 1, "0.01"},
		{"0.10", 10, "0.1"},
		{"999999.99", 99_999_999, "999999.99"},
		{"1000000.5", 100_000_050, "1000000.5"},
		{"500000.00", 50_000_000, "500000"},
		{"1e6", 100_000_000, "1000000"},
		{"1.5E+6", 150_000_000, "1500000"},
		{"12345e-2", 12_345, "123.45"},
		{"123450000e-6", 12_345, "123.45"},
		{"0.000000001e9", 100, "1"},
		{"9999999999.99", MaxMoney, "9999999999.99"},
		{"9999999999.990", MaxMoney, "9999999999.99"},
	}
	for _, test := range tests {
		got, err := parse[Money](test.text)
		if err != nil || got != test.want || got.String() != test.printed {
			t.Errorf("%s: got %d (%s), %v, want %d (%s)", test.text, got, got, err, test.want, test.printed)
		}
	}
}

func TestMoneyTextRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"-1": errMoneyNegative, "-1e-9": errMoneyNegative,
		"0.001": errMoneyDecimals, "1.005": errMoneyDecimals, "1e-3": errMoneyDecimals,
		"1e10": errMoneyTooLarge, "10000000000": errMoneyTooLarge, "9999999999.991": errMoneyDecimals,
		"": errMoneySyntax, "-": errMoneySyntax, ".5": errMoneySyntax, "5.": errMoneySyntax, "1e": errMoneySyntax,
		"1e5.5": errMoneySyntax, "--1": errMoneySyntax, "1,000": errMoneySyntax, " 1": errMoneySyntax,
		"NaN": errMoneySyntax, "Infinity": errMoneySyntax, "0x10": errMoneySyntax, "1_000": errMoneySyntax,
	} {
		if got, err := parse[Money](text); err != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestMoneyRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := moneyGen.Draw(t, "money")
		if got, err := parse[Money](m.String()); err != nil || got != m {
			t.Fatalf("text: %s became %s, %v", m, got, err)
		}
		var scanned, decoded, decodedV1 Money
		if err := scanned.Scan(m.String()); err != nil || scanned != m {
			t.Fatalf("database: %s became %s, %v", m, scanned, err)
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &decoded); err != nil || decoded != m {
			t.Fatalf("JSON: %s became %s, %v", data, decoded, err)
		}
		if err := stdjson.Unmarshal(data, &decodedV1); err != nil || decodedV1 != m {
			t.Fatalf("encoding/json: %s became %s, %v", data, decodedV1, err)
		}
	})
}
