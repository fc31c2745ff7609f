// Package group is the consumer-group coordinator of the broker: membership of
// the classic protocol (join, sync, heartbeat, leave, static members) and of the
// consumer protocol (KIP-848), and the offsets groups commit, plain or inside a
// transaction. A group speaks one protocol at a time; an empty one may change.
//
// It is a pure state machine. The caller
//
//  1. feeds the durable records of the offsets topic to [Coordinator.Replay]
//     before anything else, oldest first, then [Coordinator.SetTopics] and
//     [Coordinator.Start]; SetTopics again whenever topics change;
//  2. calls one method at a time, passing the time it is;
//  3. drains [Coordinator.Actions] after every call and carries them out in
//     order: an [Append] must reach the topic in the order it was emitted, and
//     its outcome comes back through [Coordinator.Appended] in that same order;
//  4. calls [Coordinator.Tick] a few times a second.
//
// There is no clock, lock, goroutine or file in here, so one script or one
// seed replays everything a group can do.
package group
