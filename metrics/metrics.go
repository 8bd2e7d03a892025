package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "claimsync"

// Metrics is the metrics of one process, in a registry of their own. It is a claimsync.Observer, and safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry // without the process itself, which an application's own has
	deliveries *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	lags       *prometheus.HistogramVec
	swept      *prometheus.CounterVec

	recalculations       *prometheus.CounterVec
	recalculationLags    prometheus.Histogram
	recalculationsFailed prometheus.Counter

	events      *prometheus.CounterVec
	driftChecks *prometheus.CounterVec
	calls       calls
	handler     http.Handler
}

// callBuckets go to the deadline of a call, or of a delivery, and a little beyond.
var callBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// New returns the metrics of deliveries and of the process itself. The Watch methods add more.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "deliveries_total",
			Help: "Delivery attempts by outcome, as in the delivery log.",
		}, []string{"topic", "outcome"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "delivery_duration_seconds",
			Help:    "How long the destination took, by outcome.",
			Buckets: callBuckets,
		}, []string{"topic", "outcome"}),
		lags: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "applied_lag_seconds",
			Help: "From the oldest change that a delivery carried to its acknowledgement.",
			// From a push that nothing held up to one that outlasted an outage.
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600},
		}, []string{"topic"}),
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "swept_rows_total",
			Help: "Outbox rows that were due and had no live job: each is a job that was lost.",
		}, []string{"topic"}),
		recalculations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "due_recalculations_total",
			Help: "Scores calculated because time was to change them; unchanged ones were calculated in vain.",
		}, []string{"result"}),
		recalculationLags: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "due_recalculation_lag_seconds",
			Help: "From the instant at which time changed a score to its recalculation, of the first in each batch.",
			// From the usual poll of a second to a service that was down for a month.
			Buckets: []float64{.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400, 30 * 86400},
		}),
		recalculationsFailed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "due_recalculations_failed_total",
			Help: "Organizations that were due and could not be calculated; they are tried again later and later.",
		}),
		driftChecks: newDriftChecks(),
		events:      newEvents(),
		calls:       newCalls(),
	}
	for _, result := range []string{resultChanged, resultUnchanged} {
		m.recalculations.WithLabelValues(result) // from zero: a counter that appears at 1 has no increase
	}
	m.registry.MustRegister(m.deliveries, m.durations, m.lags, m.swept,
		m.recalculations, m.recalculationLags, m.recalculationsFailed, m.driftChecks, m.events, m.calls.total, m.calls.durations)
	process := prometheus.NewRegistry()
	process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(prometheus.Gatherers{m.registry, process}, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: scrapesAtOnce,
	})
	return m
}

// Delivered counts a delivery attempt.
func (m *Metrics) Delivered(topic, outcome string, duration time.Duration) {
	m.deliveries.WithLabelValues(topic, outcome).Inc()
	m.durations.WithLabelValues(topic, outcome).Observe(duration.Seconds())
}

// Applied notes how late a change arrived.
func (m *Metrics) Applied(topic string, lag time.Duration) {
	// Both times are the database's, whose clock may be set back.
	m.lags.WithLabelValues(topic).Observe(max(lag, 0).Seconds())
}

// Swept counts rows that a sweep woke.
func (m *Metrics) Swept(topic string, rows int) {
	m.swept.WithLabelValues(topic).Add(float64(rows))
}

// scrapesAtOnce bounds what scrapes, which anybody may make who reaches us, take of the pool and the database.
const scrapesAtOnce = 3

// Handler serves the metrics. What cannot be collected is left out; the rest is served. More than a few scrapes at once are
// refused with 503.
func (m *Metrics) Handler() http.Handler { return m.handler }

// Gatherer returns what Handler serves but for go_ and process_, for an application that serves its own:
//
//	promhttp.HandlerFor(prometheus.Gatherers{prometheus.DefaultGatherer, m.Gatherer()}, promhttp.HandlerOpts{})
//
// How many scrapes run at once is then up to the application.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }
