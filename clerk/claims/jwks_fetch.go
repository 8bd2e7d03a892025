package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// maxSet bounds a set of keys, in bytes: one takes half a kilobyte.
const maxSet = 256 << 10

// fetchKeys returns the keys at the URL that can be used, by their names. It asks itself, and not through the SDK, which knows
// only the Backend API's address, for which a secret is needed that a reader of tokens better does not have; follows
// redirects; reads without a bound; and fails all keys for one that it cannot parse.
func fetchKeys(ctx context.Context, client *http.Client, url string) (map[string]*clerksdk.JSONWebKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSet)) // cut off, it is no set
	if err != nil {
		return nil, err
	}
	return parseKeys(body)
}

// parseKeys leaves out what cannot be used: Clerk may publish keys for other purposes too. That there is none at all is not
// believed.
func parseKeys(body []byte) (map[string]*clerksdk.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("the answer is not a JSON Web Key Set")
	}
	byID := make(map[string]*clerksdk.JSONWebKey, len(set.Keys))
	for _, raw := range set.Keys {
		key := &clerksdk.JSONWebKey{}
		if json.Unmarshal(raw, key) == nil && key.KeyID != "" && accept(key) == nil {
			byID[key.KeyID] = key
		}
	}
	if len(byID) == 0 {
		return nil, fmt.Errorf("of the %d keys in the answer none is an RSA key for %s with a name", len(set.Keys), algorithm)
	}
	return byID, nil
}
