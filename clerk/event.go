package clerk

import (
	"encoding/json"
	"errors"
	"time"

	clerksdk "github.com/clerk/clerk-sdk-go/v2"
)

// EventType is what an event says has happened.
type EventType string

// The types of the events that are understood. Clerk has many more.
const (
	OrganizationCreated EventType = "organization.created"
	OrganizationUpdated EventType = "organization.updated"
	OrganizationDeleted EventType = "organization.deleted"
)

// Known tells whether it is one of the types above.
func (t EventType) Known() bool {
	return t == OrganizationCreated || t == OrganizationUpdated || t == OrganizationDeleted
}

// Event is something that happened at Clerk. Events come in any order, some more than once.
type Event struct {
	// ID names the message: it is the same whenever that is sent again.
	ID   string
	Type EventType
	// At is when it happened, by Clerk's clock. Zero if Clerk does not say.
	At time.Time
	// Organization, of a type that is Known, is the organization as it was then. Of one that was deleted it has the ID
	// alone.
	Organization Organization
}

// eventJSON is the body of a webhook.
//
// https://clerk.com/docs/guides/development/webhooks/overview#payload-structure
type eventJSON struct {
	Type      EventType       `json:"type"`
	Timestamp int64           `json:"timestamp"` // milliseconds
	Data      json.RawMessage `json:"data"`
}

// parseEvent reads a body. Of an event of another type nothing else is looked at.
func parseEvent(body []byte) (Event, error) {
	var raw eventJSON
	if err := json.Unmarshal(body, &raw); err != nil {
		return Event{}, err
	}
	if raw.Type == "" {
		return Event{}, errors.New("it has no type")
	}
	event := Event{Type: raw.Type}
	if raw.Timestamp > 0 {
		event.At = time.UnixMilli(raw.Timestamp)
	}
	if !raw.Type.Known() {
		return event, nil
	}
	var organization clerksdk.Organization
	if err := json.Unmarshal(raw.Data, &organization); err != nil {
		return Event{}, err
	}
	if err := checkOrganizationID(organization.ID); err != nil {
		return Event{}, err
	}
	event.Organization = organizationFrom(&organization)
	return event, nil
}
