package clerk_test

import (
	"strings"
	"testing"

	"github.com/claimsync/claimsync/clerk"
)

func TestCheckSecretKey(t *testing.T) {
	t.Parallel()
	for key, kind := range map[string]clerk.KeyKind{
		"sk_test_abc": clerk.KeyTest, "sk_live_A-b_9$": clerk.KeyLive,
	} {
		if got, err := clerk.ParseKeyKind(key); err != nil || got != kind {
			t.Errorf("%q: %q, %v", key, got, err)
		}
	}
	for _, key := range []string{
		"", "sk_test_", "sk_live_", "sk_abc", "pk_test_abc", "SK_TEST_abc", "abc", " sk_test_abc", "sk_test_abc\n",
		"sk_test_a bc", "sk_test_a\x00bc", "sk_test_äbc", "Bearer sk_test_abc",
	} {
		err := clerk.CheckSecretKey(key)
		if err == nil {
			t.Errorf("%q passed", key)
		} else if strings.Contains(err.Error(), "abc") || len(key) > 8 && strings.Contains(err.Error(), key) {
			t.Errorf("%q: the error holds the key: %v", key, err)
		}
	}
}

func TestNewChecksItsConfig(t *testing.T) {
	t.Parallel()
	const key = "sk_test_abc"
	for name, config := range map[string]clerk.Config{
		"defaults":       {SecretKey: key},
		"plain http":     {SecretKey: key, BaseURL: "http://localhost:8181/v1"},
		"trailing slash": {SecretKey: key, BaseURL: "https://api.clerk.com/v1/"},
	} {
		if client, err := clerk.New(config); err != nil || client.KeyKind() != clerk.KeyTest {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, config := range map[string]clerk.Config{
		"no key":     {},
		"relative":   {SecretKey: key, BaseURL: "/v1"},
		"no scheme":  {SecretKey: key, BaseURL: "api.clerk.com/v1"},
		"no host":    {SecretKey: key, BaseURL: "https:///v1"},
		"ftp":        {SecretKey: key, BaseURL: "ftp://api.clerk.com/v1"},
		"a user":     {SecretKey: key, BaseURL: "https://u:hush@api.clerk.com/v1"},
		"a query":    {SecretKey: key, BaseURL: "https://api.clerk.com/v1?key=hush"},
		"a fragment": {SecretKey: key, BaseURL: "https://api.clerk.com/v1#hush"},
		"unparsable": {SecretKey: key, BaseURL: "https://hush:x:y/%zz"},
		"negative":   {SecretKey: key, Timeout: -1},
	} {
		if _, err := clerk.New(config); err == nil {
			t.Errorf("%s passed", name)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: the error tells secrets: %v", name, err)
		}
	}
}

func TestValidOrganizationID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"org_1": true, "org_2aBcD": true,
		"": false, "org_": false, "org_1#f": false, "org_1/x": false, "org_1?x": false, "org_../users": false,
		"org_1\n": false, " org_1": false, "ORG_1": false, "acme": false, "org_ä": false, "org_%31": false, "org_1_2": false,
	} {
		if got := clerk.ValidOrganizationID(id); got != want {
			t.Errorf("%q: %t", id, got)
		}
	}
}
