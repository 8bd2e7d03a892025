package clerktest

import (
	"encoding/json"
	"time"
)

// EventType is the type of a webhook's event.
type EventType string

// The events that are emulated.
const (
	OrganizationCreated EventType = "organization.created"
	OrganizationUpdated EventType = "organization.updated"
	OrganizationDeleted EventType = "organization.deleted"
)

var eventTypes = []EventType{OrganizationCreated, OrganizationUpdated, OrganizationDeleted}

// instanceID is the emulated instance, in webhooks.
const instanceID = "ins_clerktest"

// eventJSON is the body of a webhook.
//
// https://clerk.com/docs/guides/development/webhooks/overview#payload-structure
type eventJSON struct {
	Data       any       `json:"data"`
	InstanceID string    `json:"instance_id"`
	Object     string    `json:"object"`
	Timestamp  int64     `json:"timestamp"` // milliseconds
	Type       EventType `json:"type"`
}

// deletedJSON is what Clerk shows of an organization that is no more.
type deletedJSON struct {
	Object  string `json:"object"`
	ID      string `json:"id"`
	Deleted bool   `json:"deleted"`
}

func deletedOrganization(id string) deletedJSON {
	return deletedJSON{Object: "organization", ID: id, Deleted: true}
}

// WebhookBody returns what Clerk posts for an event of an organization. It has no private metadata: whether Clerk sends
// it is not documented, so a receiver had better not rely on it.
func WebhookBody(event EventType, o Organization, at time.Time) []byte {
	shown := o.json()
	shown.PrivateMetadata = nil
	var data any = shown
	if event == OrganizationDeleted {
		data = deletedOrganization(o.ID)
	}
	body, err := json.Marshal(eventJSON{data, instanceID, "event", at.UnixMilli(), event})
	if err != nil {
		panic("clerktest: " + err.Error()) // EditMetadata lets nothing in that is not JSON
	}
	return body
}
