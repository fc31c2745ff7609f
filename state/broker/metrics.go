package broker

import (
	"sync/atomic"
	"time"
)

// Metrics are counters since Open and gauges of this moment. They are plain numbers: publishing them is the caller's job.
type Metrics struct {
	Connections      int            // open now
	ByListener       map[string]int // the same, by listener
	ConnectionsTotal int64          // accepted
	Requests         int64          // read and handed to their handler
	BytesIn          int64          // of requests, without the size field
	BytesOut         int64          // of answers
	InFlightBytes    int64          // of requests not yet answered, now
	BatchesAppended  int64          // by clients
	FetchesAnswered  int64
	AuthFailures     int64
	Throttled        int64 // answers that held their client back
	FetchSessions    int
	FetchEvictions   int64
	ByRequest        []RequestMetrics
	ByTopic          []TopicMetrics
	Topics           int
	Partitions       int
	StoredBytes      int64 // in segment files, now
	Groups           int
	StartedAt        time.Time
}

// RequestMetrics are the numbers of one kind of request.
type RequestMetrics struct {
	Name    string
	Count   int64
	Total   time.Duration // from the request being read to its answer having left
	Buckets [len(LatencyBounds) + 1]int64
}

// LatencyBounds are the upper bounds of RequestMetrics.Buckets in seconds; the last bucket has none.
var LatencyBounds = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// TopicMetrics are the numbers of one topic.
type TopicMetrics struct {
	Name                           string
	Internal                       bool
	MessagesIn, BytesIn, BytesOut  int64 // records and bytes of batches
	ProduceRequests, FetchRequests int64 // partitions written to and read from by requests
	FailedProduces, FailedFetches  int64
	Partitions                     []PartitionMetrics
}

// PartitionMetrics are the numbers of one partition's log.
type PartitionMetrics struct {
	Start, End, HighWatermark int64
	Bytes                     int64
	Segments                  int
	Failed                    bool // stopped by an error of the disk
}

// counters are the moving part of Metrics.
type counters struct {
	connections, requests, bytesIn, bytesOut, batches, fetches, authFailures, throttled atomic.Int64

	byKey [maxKey + 1]requestCounters
}

// maxKey is the largest request key counted by itself.
const maxKey = 127

type requestCounters struct {
	count, nanos atomic.Int64
	buckets      [len(LatencyBounds) + 1]atomic.Int64
}

// topicCounters belong to a topic for its life.
type topicCounters struct {
	messagesIn, bytesIn, bytesOut, produces, fetches, failedProduces, failedFetches atomic.Int64
}

// answered counts a request whose answer has left.
func (c *counters) answered(key int16, took time.Duration) {
	if key < 0 || key > maxKey {
		return
	}
	r := &c.byKey[key]
	r.count.Add(1)
	r.nanos.Add(int64(took))
	i, s := 0, took.Seconds()
	for i < len(LatencyBounds) && s > LatencyBounds[i] {
		i++
	}
	r.buckets[i].Add(1)
}

// Metrics returns the numbers of this moment. It asks every log for its size, so call it at the pace of scraping.
func (b *Broker) Metrics() Metrics {
	m := Metrics{
		ConnectionsTotal: b.count.connections.Load(),
		Requests:         b.count.requests.Load(),
		BytesIn:          b.count.bytesIn.Load(),
		BytesOut:         b.count.bytesOut.Load(),
		BatchesAppended:  b.count.batches.Load(),
		FetchesAnswered:  b.count.fetches.Load(),
		AuthFailures:     b.count.authFailures.Load(),
		Throttled:        b.count.throttled.Load(),
		InFlightBytes:    b.inFlight.inUse(),
		ByListener:       map[string]int{},
		StartedAt:        b.started,
	}
	for _, l := range b.listeners {
		m.ByListener[l.opts.Name] = 0
	}
	b.connMu.Lock()
	m.Connections = len(b.conns)
	for c := range b.conns {
		m.ByListener[c.listener.opts.Name]++
	}
	b.connMu.Unlock()
	s := b.sessions.Stats()
	m.FetchSessions, m.FetchEvictions = s.Sessions, s.Evicted
	for i := range served {
		m.ByRequest = append(m.ByRequest, b.count.request(&served[i]))
	}
	for _, name := range b.topicNames() {
		if t, parts := b.findTopic(name, topicID{}); t != nil {
			m.ByTopic = append(m.ByTopic, t.metrics(parts))
		}
	}
	for i := range m.ByTopic {
		m.Partitions += len(m.ByTopic[i].Partitions)
		for _, p := range m.ByTopic[i].Partitions {
			m.StoredBytes += p.Bytes
		}
	}
	m.Topics, m.Groups = len(m.ByTopic), b.groups.count()
	return m
}

func (c *counters) request(s *requestSpec) RequestMetrics {
	r := &c.byKey[s.key]
	m := RequestMetrics{Name: s.name, Count: r.count.Load(), Total: time.Duration(r.nanos.Load())}
	for i := range r.buckets {
		m.Buckets[i] = r.buckets[i].Load()
	}
	return m
}

func (t *topic) metrics(parts []*partition) TopicMetrics {
	m := TopicMetrics{
		Name: t.name, Internal: t.internal,
		MessagesIn: t.count.messagesIn.Load(), BytesIn: t.count.bytesIn.Load(), BytesOut: t.count.bytesOut.Load(),
		ProduceRequests: t.count.produces.Load(), FetchRequests: t.count.fetches.Load(),
		FailedProduces: t.count.failedProduces.Load(), FailedFetches: t.count.failedFetches.Load(),
	}
	for _, p := range parts {
		w := p.log.Watermarks()
		m.Partitions = append(m.Partitions, PartitionMetrics{
			Start: w.Start, End: w.End, HighWatermark: w.HighWatermark,
			Bytes: p.log.Size(), Segments: p.log.Segments(), Failed: p.log.Err() != nil,
		})
	}
	return m
}
