package metric

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace/millrace/state/broker"
)

// brokerCollector asks the broker at each scrape.
type brokerCollector struct {
	broker func() *broker.Broker
}

// family is a metric and where its values come from. Each scrape calls fill once.
type family[T any] struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	fill       func(v T, add func(value float64, labels ...string))
	desc       *prometheus.Desc
}

// brokerFamilies are the numbers of the whole broker and of its parts.
var brokerFamilies = withDescs([]family[*broker.Metrics]{
	{name: "kafka_server_brokertopicmetrics_messagesin_total", help: "Records appended by clients.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.MessagesIn })},
	{name: "kafka_server_brokertopicmetrics_bytesin_total", help: "Bytes of batches appended by clients.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.BytesIn })},
	{name: "kafka_server_brokertopicmetrics_bytesout_total", help: "Bytes of batches sent to consumers.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.BytesOut })},
	{name: "kafka_server_brokertopicmetrics_totalproducerequests_total", help: "Partitions written to by Produce requests.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.ProduceRequests })},
	{name: "kafka_server_brokertopicmetrics_totalfetchrequests_total", help: "Partitions answered in Fetch requests.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.FetchRequests })},
	{name: "kafka_server_brokertopicmetrics_failedproducerequests_total", help: "Partitions whose append failed.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.FailedProduces })},
	{name: "kafka_server_brokertopicmetrics_failedfetchrequests_total", help: "Partitions whose fetch failed.", kind: prometheus.CounterValue, labels: topicLabel,
		fill: eachTopic(func(t *broker.TopicMetrics) int64 { return t.FailedFetches })},
	{name: "kafka_server_kafkaserver_brokerstate", help: "3: running.", kind: prometheus.GaugeValue, fill: one(func(*broker.Metrics) int { return 3 })},
	{name: "kafka_server_replicamanager_partitioncount", help: "Partitions.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.Partitions })},
	{name: "kafka_server_replicamanager_leadercount", help: "Partitions led: all of them.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.Partitions })},
	{name: "kafka_server_replicamanager_underreplicatedpartitions", help: "None: there is one replica.", kind: prometheus.GaugeValue, fill: one(zero)},
	{name: "kafka_server_replicamanager_offlinereplicacount", help: "Partitions stopped by an error of the disk.", kind: prometheus.GaugeValue, fill: one(failedPartitions)},
	{name: "kafka_controller_kafkacontroller_activecontrollercount", help: "This node is the controller.", kind: prometheus.GaugeValue, fill: one(func(*broker.Metrics) int { return 1 })},
	{name: "kafka_controller_kafkacontroller_offlinepartitionscount", help: "Partitions stopped by an error of the disk.", kind: prometheus.GaugeValue, fill: one(failedPartitions)},
	{name: "kafka_controller_kafkacontroller_globaltopiccount", help: "Topics.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.Topics })},
	{name: "kafka_controller_kafkacontroller_globalpartitioncount", help: "Partitions.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.Partitions })},
	{name: "kafka_log_log_size", help: "Bytes in segment files.", kind: prometheus.GaugeValue, labels: partitionLabels,
		fill: eachPartition(func(p *broker.PartitionMetrics) int64 { return p.Bytes })},
	{name: "kafka_log_log_numlogsegments", help: "Segment files.", kind: prometheus.GaugeValue, labels: partitionLabels,
		fill: eachPartition(func(p *broker.PartitionMetrics) int64 { return int64(p.Segments) })},
	{name: "kafka_log_log_logstartoffset", help: "First offset kept.", kind: prometheus.GaugeValue, labels: partitionLabels,
		fill: eachPartition(func(p *broker.PartitionMetrics) int64 { return p.Start })},
	{name: "kafka_log_log_logendoffset", help: "Offset of the next record.", kind: prometheus.GaugeValue, labels: partitionLabels,
		fill: eachPartition(func(p *broker.PartitionMetrics) int64 { return p.End })},
	{name: "kafka_network_requestmetrics_requests_total", help: "Requests answered.", kind: prometheus.CounterValue, labels: []string{"request"},
		fill: func(m *broker.Metrics, add func(float64, ...string)) {
			for i := range m.ByRequest {
				add(float64(m.ByRequest[i].Count), m.ByRequest[i].Name)
			}
		}},
	{name: "kafka_server_socket_server_metrics_connection_count", help: "Open connections.", kind: prometheus.GaugeValue, labels: []string{"listener"},
		fill: func(m *broker.Metrics, add func(float64, ...string)) {
			for name, n := range m.ByListener {
				add(float64(n), name)
			}
		}},
	{name: "kafka_server_socket_server_metrics_failed_authentication_total", help: "Authentications that failed.", kind: prometheus.CounterValue,
		fill: one(func(m *broker.Metrics) int64 { return m.AuthFailures })},
	{name: "kafka_server_fetchsessioncache_numincrementalfetchsessions", help: "Fetch sessions.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.FetchSessions })},
	{name: "kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total", help: "Fetch sessions evicted.", kind: prometheus.CounterValue,
		fill: one(func(m *broker.Metrics) int64 { return m.FetchEvictions })},
	{name: "kafka_coordinator_group_groupmetadatamanager_numgroups", help: "Consumer groups.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int { return m.Groups })},
	{name: "millrace_broker_network_bytes_in_total", help: "Bytes of requests.", kind: prometheus.CounterValue, fill: one(func(m *broker.Metrics) int64 { return m.BytesIn })},
	{name: "millrace_broker_network_bytes_out_total", help: "Bytes of answers.", kind: prometheus.CounterValue, fill: one(func(m *broker.Metrics) int64 { return m.BytesOut })},
	{name: "millrace_broker_in_flight_bytes", help: "Bytes of requests not yet answered.", kind: prometheus.GaugeValue, fill: one(func(m *broker.Metrics) int64 { return m.InFlightBytes })},
	{name: "millrace_broker_throttled_total", help: "Answers that held their client back for a quota.", kind: prometheus.CounterValue,
		fill: one(func(m *broker.Metrics) int64 { return m.Throttled })},
})

// lagFamilies are the numbers of consumer groups, under the names of the usual exporters.
var lagFamilies = withDescs([]family[[]broker.GroupLag]{
	{name: "kafka_consumergroup_current_offset", help: "Offset committed.", kind: prometheus.GaugeValue, labels: groupLabels,
		fill: eachLag(func(g *broker.GroupLag) float64 { return float64(g.Committed) })},
	{name: "kafka_consumergroup_lag", help: "Records not consumed yet.", kind: prometheus.GaugeValue, labels: groupLabels,
		fill: eachLag(func(g *broker.GroupLag) float64 { return float64(g.Records) })},
	{name: "kafka_consumergroup_lag_seconds", help: "Age of the first record not consumed.", kind: prometheus.GaugeValue, labels: groupLabels,
		fill: eachLag(func(g *broker.GroupLag) float64 { return g.Age.Seconds() })},
})

// requestSeconds is a histogram, which needs a form of its own.
const requestSecondsName = "millrace_broker_request_seconds"

var requestSeconds = prometheus.NewDesc(requestSecondsName, "Time from a request being read to its answer having left.", []string{"request"}, nil)

var (
	topicLabel      = []string{"topic"}
	partitionLabels = []string{"topic", "partition"}
	groupLabels     = []string{"consumergroup", "topic", "partition"}
)

func withDescs[T any](list []family[T]) []family[T] {
	for i := range list {
		list[i].desc = prometheus.NewDesc(list[i].name, list[i].help, list[i].labels, nil)
	}
	return list
}

func one[N int | int64](get func(m *broker.Metrics) N) func(*broker.Metrics, func(float64, ...string)) {
	return func(m *broker.Metrics, add func(float64, ...string)) { add(float64(get(m))) }
}

func zero(*broker.Metrics) int { return 0 }

func failedPartitions(m *broker.Metrics) (n int) {
	for i := range m.ByTopic {
		for j := range m.ByTopic[i].Partitions {
			if m.ByTopic[i].Partitions[j].Failed {
				n++
			}
		}
	}
	return n
}

func eachTopic(get func(t *broker.TopicMetrics) int64) func(*broker.Metrics, func(float64, ...string)) {
	return func(m *broker.Metrics, add func(float64, ...string)) {
		for i := range m.ByTopic {
			add(float64(get(&m.ByTopic[i])), m.ByTopic[i].Name)
		}
	}
}

func eachPartition(get func(p *broker.PartitionMetrics) int64) func(*broker.Metrics, func(float64, ...string)) {
	return func(m *broker.Metrics, add func(float64, ...string)) {
		for i := range m.ByTopic {
			t := &m.ByTopic[i]
			for j := range t.Partitions {
				add(float64(get(&t.Partitions[j])), t.Name, strconv.Itoa(j))
			}
		}
	}
}

func eachLag(get func(g *broker.GroupLag) float64) func([]broker.GroupLag, func(float64, ...string)) {
	return func(list []broker.GroupLag, add func(float64, ...string)) {
		for i := range list {
			g := &list[i]
			add(get(g), g.Group, g.Topic, strconv.Itoa(int(g.Partition)))
		}
	}
}

// Describe implements prometheus.Collector.
func (c *brokerCollector) Describe(ch chan<- *prometheus.Desc) {
	for i := range brokerFamilies {
		ch <- brokerFamilies[i].desc
	}
	for i := range lagFamilies {
		ch <- lagFamilies[i].desc
	}
	ch <- requestSeconds
}

// Collect implements prometheus.Collector.
func (c *brokerCollector) Collect(ch chan<- prometheus.Metric) {
	b := c.broker()
	if b == nil {
		return
	}
	m := b.Metrics()
	collect(ch, brokerFamilies, &m)
	collect(ch, lagFamilies, b.Lag())
	for i := range m.ByRequest {
		if r := &m.ByRequest[i]; r.Count > 0 {
			ch <- histogram(r)
		}
	}
}

func collect[T any](ch chan<- prometheus.Metric, list []family[T], v T) {
	for i := range list {
		f := &list[i]
		f.fill(v, func(value float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(f.desc, f.kind, value, labels...)
		})
	}
}

func histogram(r *broker.RequestMetrics) prometheus.Metric {
	buckets := make(map[float64]uint64, len(broker.LatencyBounds))
	total := uint64(0)
	for i, n := range r.Buckets {
		total += uint64(n)
		if i < len(broker.LatencyBounds) {
			buckets[broker.LatencyBounds[i]] = total
		}
	}
	return prometheus.MustNewConstHistogram(requestSeconds, total, r.Total.Round(time.Microsecond).Seconds(), buckets, r.Name)
}
