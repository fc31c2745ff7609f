// Package kafka reads and writes topics of Kafka and of every broker that speaks its protocol, the embedded one included.
//
// A source reads each partition as a split of its own with explicit offsets, never through a consumer group's assignment, so that
// the engine's checkpoints alone decide where a job goes on. A sink delivers each epoch in one Kafka transaction that also holds
// a marker with the epoch's number: after any failure the sink reads the marker back and knows whether the epoch is there.
package kafka
