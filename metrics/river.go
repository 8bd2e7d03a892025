package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/claimsync/claimsync/outbox"
)

var (
	riverJobs = prometheus.NewDesc(prometheus.BuildFQName(namespace, "river", "jobs"),
		"Jobs in the River queue by state, without those that are done; of each state no more are counted than 10000.",
		[]string{"topic", "state"}, nil)
	riverOldestDue = prometheus.NewDesc(prometheus.BuildFQName(namespace, "river", "oldest_due_job_age_seconds"),
		"For how long the oldest job has been due that no process has taken yet, by what it is for; 0: there is none.",
		[]string{"topic", "priority"}, nil)
	riverQueuePaused = prometheus.NewDesc(prometheus.BuildFQName(namespace, "river", "queue_paused"),
		"Whether the River queue is paused, by the breaker that will resume it, or by a person who has to: 1, else 0.",
		[]string{"topic", "by"}, nil)
)

// priorities names River's numbers.
var priorities = map[outbox.Priority]string{
	outbox.PriorityLive: "live", outbox.PriorityLapse: "lapse", outbox.PriorityRoutine: "routine",
	outbox.PriorityBackfill: "backfill",
}

func describeRiver(descs chan<- *prometheus.Desc) {
	descs <- riverJobs
	descs <- riverOldestDue
	descs <- riverQueuePaused
}

func (c *outboxCollector) collectRiver(ctx context.Context, metrics chan<- prometheus.Metric, topic string) error {
	pause, err := c.outbox.QueuePause(ctx, c.pool, topic)
	if err != nil {
		return err
	}
	metrics <- gauge(riverQueuePaused, oneIf(pause != nil && pause.ByBreaker), topic, "breaker")
	metrics <- gauge(riverQueuePaused, oneIf(pause != nil && !pause.ByBreaker), topic, "person")

	jobs, err := c.outbox.QueueJobs(ctx, c.pool, topic, countedAtMost)
	if err != nil {
		return err
	}
	for state, n := range jobs.ByState {
		metrics <- gauge(riverJobs, float64(n), topic, state)
	}
	for priority, age := range jobs.OldestDue {
		metrics <- gauge(riverOldestDue, age.Seconds(), topic, priorities[priority])
	}
	return nil
}

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
