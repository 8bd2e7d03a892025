package clerk_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/claimsync/claimsync/clerk"
)

// However a configuration or a client is printed, as itself or as part of something, the key is not.
func TestKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	const key = "sk_test_topsecret"
	config := clerk.Config{SecretKey: key, BaseURL: "http://127.0.0.1:1/v1"}
	client := connect(t, config.BaseURL, func(c *clerk.Config) { c.SecretKey = key })
	whole := struct {
		Config clerk.Config
		Client *clerk.Client
	}{config, client}
	for _, value := range []any{config, &config, client, *client, whole, &whole, []clerk.Config{config}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			said := fmt.Sprintf(verb, value)
			if strings.Contains(said, "topsecret") || strings.Contains(said, fmt.Sprintf("%x", "topsecret")) {
				t.Errorf("%s of a %T: %s", verb, value, said)
			}
		}
		if said, err := json.Marshal(value); err != nil || bytes.Contains(said, []byte("topsecret")) {
			t.Errorf("JSON of a %T: %s, %v", value, said, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("", "value", value)
		slog.New(slog.NewTextHandler(&log, nil)).Info("", "value", value)
		if strings.Contains(log.String(), "topsecret") {
			t.Errorf("logging a %T: %s", value, &log)
		}
	}
	if said := fmt.Sprint(config, client); !strings.Contains(said, "127.0.0.1") || !strings.Contains(said, "test key") {
		t.Errorf("what may be printed is not: %s", said)
	}
}
