// Package admin is what the command line does with a Kafka cluster: topics, records, consumer groups, health. It wraps the client
// library, which belongs below connectors/kafka alone, in a small API of plain types that print as JSON.
package admin
