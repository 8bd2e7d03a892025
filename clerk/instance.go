package clerk

import (
	"context"
	"errors"
	"net/http"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// Instance is the Clerk instance that a secret key opens.
type Instance struct {
	ID string // ins_…
	// Kind is which kind Clerk says it is; "" for one that this package does not know.
	Kind KeyKind
}

// environments are Clerk's names for the kinds.
var environments = map[string]KeyKind{"development": KeyTest, "production": KeyLive}

var errNoInstance = errors.New("the answer is not an instance")

// Instance asks which instance the key opens. A failure is an *Error, never Ambiguous.
//
// https://clerk.com/docs/reference/backend-api/tag/instance-settings/GET/instance
func (c *Client) Instance(ctx context.Context) (found Instance, _ Receipt, _ error) {
	var answer instanceAnswer
	terms := terms{intent: reads, timeout: c.timeout, maxAnswer: maxAnswer}
	receipt, err := c.exchange(ctx, terms,
		func(ctx context.Context) error {
			return c.organizations.Backend.Call(ctx, clerksdk.NewAPIRequest(http.MethodGet, "/instance"), &answer)
		},
		func() error {
			if answer.ID == "" {
				return errNoInstance
			}
			found = Instance{ID: c.foreign(answer.ID), Kind: environments[answer.EnvironmentType]}
			return nil
		})
	return found, receipt, err
}

// instanceAnswer is what the SDK has no type for.
type instanceAnswer struct {
	clerksdk.APIResource
	ID              string `json:"id"`
	EnvironmentType string `json:"environment_type"`
}
