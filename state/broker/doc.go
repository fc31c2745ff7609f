// Package broker speaks the Kafka protocol over the logs of state/log.
//
// One Broker is one node: it owns a data directory, serves any number of listeners and an in-memory connection (Dial), and answers
// every request from local logs. broker.go opens and closes it, conn.go frames requests, dispatch.go is the table of requests, and
// each request has a file of its own. DESIGN.md is the map, with the lock order and the rules that are easy to break.
package broker
