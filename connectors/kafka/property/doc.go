// Package property turns properties of Kafka's clients, under the names Java's and librdkafka's clients give them, into options of the
// client in use: security.protocol, sasl.mechanism, ssl.ca.location, fetch.max.bytes and so on.
package property
