package main

import (
	"strings"
	"testing"
	"time"

	"github.com/claimsync/claimsync"
)

// A token that can be found by trying is warned of, where others can try.
func TestGuessableToken(t *testing.T) {
	const warning = "ADMIN_TOKEN is easily guessed"
	i := install(t, 0)
	p := i.serve("--addr=0.0.0.0:0", "--admin-token=s3cret")
	if log := p.Log(); !strings.Contains(log, warning) || strings.Contains(log, "s3cret") {
		t.Errorf("no warning, or the token itself, in the log:\n%s", log)
	}
	for _, quiet := range [][]string{{"--admin-token=s3cret"}, {"--addr=0.0.0.0:0", "--admin-token=5f3a09c1d2e4b687"}} {
		if log := i.serve(quiet...).Log(); strings.Contains(log, warning) {
			t.Errorf("%s: a needless warning in the log:\n%s", quiet, log)
		}
	}
	for token, want := range map[string]bool{
		"": true, "admin": true, "fifteen-chars-1": true, strings.Repeat("changeme"[:4], 9): true,
		"0123456789abcdef": false, "5f3a09c1d2e4b687": false,
	} {
		if guessable(token) != want {
			t.Errorf("%q: guessable is %t", token, !want)
		}
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"24h": 24 * time.Hour, "168h": claimsync.DefaultDeliveryRetention, "9600h": claimsync.DefaultOperatorLogRetention, "forever": claimsync.Forever,
	} {
		var got retention
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %s, %v", text, time.Duration(got), err)
		}
	}
	for _, text := range []string{"", "0", "-24h", "7d", "23h59m", "never"} {
		if new(retention).UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
