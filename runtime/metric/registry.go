package metric

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace/millrace/state/broker"
)

// Source gives what is measured.
type Source struct {
	// Broker returns the broker, nil while there is none.
	Broker func() *broker.Broker
}

// Handler serves everything in Prometheus' text format.
func Handler(s Source) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &brokerCollector{s.Broker})
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes})
}

// maxScrapes bounds the scrapes at a time: each asks every log.
const maxScrapes = 4
