package claimsync

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/riverqueue/river"

	"github.com/claimsync/claimsync/db"
	"github.com/claimsync/claimsync/jobs"
	"github.com/claimsync/claimsync/outbox"
)

// Destination is where the state of the keys of an application's own topic goes. Mark them in the transaction that changes
// them, by Outbox's MarkTx. They have what Clerk's have: a row each, a River queue of the topic's name, a breaker.
type Destination struct {
	outbox.Destination

	// Budget is what the whole fleet may ask of it. Defaults to no bound.
	Budget outbox.Budget

	// FollowsClaims is for a topic whose keys are ids of organizations, ours, and whose state has something of their claims:
	// each is marked in the transaction in which these change, by time too, and linked to Clerk or not. What a foreign writer
	// changes is marked when it is calculated, by RecalculateChangedTx of a store, as Sync.Run does: a link too, and of
	// organizations that are not linked any change of a fact.
	//
	// It is the store that marks, so every process that writes claims needs the same Destinations. The program app knows none:
	// what its commands write, or "app serve" calculates, is not marked, and what was changed so before is to be marked by hand.
	FollowsClaims bool
}

// Register adds what delivers to the settings of the application's River client, before river.NewClient makes it of them: a
// worker, and a queue for each topic. The application's own workers and queues stay as they are, and so does all that holds
// for the whole client, such as SoftStopTimeout.
//
// It refuses a client whose tables are elsewhere than Config.RiverSchema says: the marks of transactions would fail. One
// without a Schema gets that one, which has to be where the search path leads: River would else name its notifications by
// the search path's first schema, and what others say of a queue, such as "app breaker close", would not reach it.
func (s *Sync) Register(client *river.Config) error {
	switch ours := cmp.Or(s.river, db.DefaultRiverSchema); {
	case len(s.jobs.Destinations) == 0:
		return errors.New("claimsync: there is nothing to deliver to, neither Config.Clerk nor Config.Destinations")
	case client.Schema == "" && s.river == "":
		return errors.New("claimsync: the River client has its tables where the search path leads, without a Schema: " +
			`name that in Config.RiverSchema, it is most likely "public"`)
	case client.Schema != "" && client.Schema != ours:
		return fmt.Errorf("claimsync: the River client has its tables in the schema %q, Config.RiverSchema says %q",
			client.Schema, ours)
	}
	if err := jobs.Register(client, s.jobs); err != nil {
		return err
	}
	client.Schema = cmp.Or(client.Schema, s.river)
	return nil
}

// topicName is what the database and River both accept.
var topicName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

const topicMost = 63 // bytes

// topics are Clerk's, if it is there, and the application's own.
func (c Config) topics() (map[string]outbox.Budget, map[string]outbox.Destination, error) {
	ours, err := c.budget()
	if err != nil {
		return nil, nil, err
	}
	budgets := map[string]outbox.Budget{Topic: ours}
	destinations := map[string]outbox.Destination{}
	if c.Clerk != nil {
		destinations[Topic] = newOrganizationDestination(c.Pool, c.Clerk)
	}
	for topic, own := range c.Destinations {
		switch {
		case topic == Topic:
			return nil, nil, fmt.Errorf("claimsync: Config.Destinations has %s, which is Clerk's", topic)
		case len(topic) > topicMost || !topicName.MatchString(topic):
			return nil, nil, fmt.Errorf("claimsync: Config.Destinations has %q, not a topic such as crm_account", topic)
		case own.Destination == nil:
			return nil, nil, fmt.Errorf("claimsync: Config.Destinations has nothing at %s", topic)
		}
		if err := own.Budget.Validate(); err != nil {
			return nil, nil, fmt.Errorf("claimsync: the budget of %s: %w", topic, err)
		}
		budgets[topic], destinations[topic] = own.Budget, own.Destination
	}
	return budgets, destinations, nil
}

// following returns the topics that follow the claims, sorted.
func (c Config) following() (topics []string) {
	for topic, own := range c.Destinations {
		if own.FollowsClaims {
			topics = append(topics, topic)
		}
	}
	slices.Sort(topics)
	return topics
}
