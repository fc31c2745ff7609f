package broker

import "sync/atomic"

// Metrics are counters since Open and gauges of this moment. They are plain numbers: publishing them is the caller's job.
type Metrics struct {
	Connections      int   // open now
	ConnectionsTotal int64 // accepted
	Requests         int64 // read and handed to their handler
	BytesIn          int64 // of requests, without the size field
	BytesOut         int64 // of answers
	InFlightBytes    int64 // of requests not yet answered, now
	BatchesAppended  int64 // by clients
	FetchesAnswered  int64
	AuthFailures     int64
	Throttled        int64 // answers that held their client back
	Topics           int
	Partitions       int
	StoredBytes      int64 // in segment files, now
}

// counters are the moving part of Metrics.
type counters struct {
	connections, requests, bytesIn, bytesOut, batches, fetches, authFailures, throttled atomic.Int64
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
		Topics:           len(b.topicNames()),
	}
	b.connMu.Lock()
	m.Connections = len(b.conns)
	b.connMu.Unlock()
	for _, p := range b.allPartitions() {
		m.Partitions++
		m.StoredBytes += p.log.Size()
	}
	return m
}
