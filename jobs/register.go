package jobs

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// Register adds the delivery worker, and a queue for each topic, to the settings of a River client that is yet to be made.
// What else is there stays as it is. The error is an incomplete configuration, or one in which a delivery may outlive its
// lease: two could then be under way for one key.
func Register(client *river.Config, config Config) error {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return err
	}
	for topic := range config.Destinations {
		if _, taken := client.Queues[topic]; taken {
			return fmt.Errorf("jobs: the River client has a queue %s already", topic)
		}
	}
	if client.Workers == nil {
		client.Workers = river.NewWorkers()
	}
	if err := river.AddWorkerSafely(client.Workers, newDeliveryWorker(config)); err != nil {
		return err
	}
	if client.Queues == nil {
		client.Queues = map[string]river.QueueConfig{}
	}
	interval := fetchPollInterval
	if client.PollOnly {
		interval = pollOnlyInterval
	}
	for topic := range config.Destinations {
		client.Queues[topic] = river.QueueConfig{
			MaxWorkers:        config.MaxWorkers,
			FetchCooldown:     fetchCooldown,
			FetchPollInterval: interval,
		}
	}
	return nil
}

// InsertConfig returns the settings of a River client that only inserts, for a [Waker] in a program that delivers
// nothing itself.
func InsertConfig(schema string, logger *slog.Logger) *river.Config {
	return &river.Config{Schema: schema, Logger: RiverLogger(logger)}
}

// RiverConfig returns the settings of a River client that works the topics' queues, for an application that has no
// client of its own.
func RiverConfig(config Config, schema string) (*river.Config, error) {
	config = config.withDefaults()
	client := &river.Config{
		Schema: schema,
		Logger: RiverLogger(config.Logger),
		// Both, because River makes the second an hour more than the first where only that is set.
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
		// The delivery log is what is kept; a completed job is of interest for hours.
		CompletedJobRetentionPeriod: time.Hour,
		SoftStopTimeout:             config.SoftStopTimeout,
		PollOnly:                    config.PollOnly,
	}
	if err := Register(client, config); err != nil {
		return nil, err
	}
	return client, nil
}
