// Package log is one replica of one partition: an append-only sequence of Kafka v2 record batches in segment files.
//
// Batches are stored exactly as they came over the wire; only the base offset and the leader epoch are patched, and both lie
// outside the batch's checksum. Reading therefore never parses a record: a fetch is an index look-up and one pread.
//
// The caller's duties, in order:
//
//  1. Open a directory. Recovery verifies everything written since the last checkpoint and cuts a torn tail.
//  2. Append batches. Append returns when the bytes are in the page cache; wait with WaitVisible for durability.
//  3. Read up to HighWatermark (or LastStableOffset). Under FlushAck nothing above it is durable, so nothing above it is shown.
//  4. Call ApplyRetention from time to time.
//  5. Close once. It writes a checkpoint, so that the next Open scans nothing.
//
// All methods of Log are safe for concurrent use. File formats are drawn in FORMAT.md.
package log
