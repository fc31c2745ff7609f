// Package txn is the transaction coordinator of the broker: it hands out
// producer ids and epochs, knows which partitions and groups a transaction
// touches, and drives its end through two phases, so that a transaction ends
// the same way everywhere even if the node dies in between.
//
// It is a pure state machine. The caller
//
//  1. feeds the durable records of the transaction topic to
//     [Coordinator.Replay], oldest first, then every transaction it finds
//     open in a partition or a group to [Coordinator.Adopt], then calls
//     [Coordinator.Start];
//  2. calls one method at a time, passing the time it is;
//  3. drains [Coordinator.Actions] after every call and carries them out: an
//     [Append] must reach the topic in the order emitted and reports through
//     [Coordinator.Appended] in that order; a [WriteMarkers] may take its
//     time and reports through [Coordinator.MarkersWritten], once everything
//     is durable;
//  4. calls [Coordinator.Tick] a few times a second.
//
// There is no clock, lock, goroutine or file in here.
package txn
