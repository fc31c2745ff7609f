// Package metric publishes numbers for Prometheus: those of the broker under the names that dashboards for Kafka know, as its JMX
// exporter writes them, and those that Kafka has no name for under millrace_.
package metric
