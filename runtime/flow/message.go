package flow

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/vector"
)

// Kind is the kind of a message.
type Kind uint8

// The kinds of messages.
const (
	Rows      Kind = iota
	Watermark      // Time: no row at or before it will follow that is not late
	Idle           // the sender is at its current end; unless Hold it does not hold the watermark until its next Rows or Watermark
	Barrier        // Epoch ends here
	End            // nothing follows
)

// Message is one item of a channel. Batch belongs to the receiver, which gives it back with Release. From a source, Position is where
// its split stands behind the batch, and Rejected are the records that were no rows.
type Message struct {
	Kind     Kind
	Batch    *vector.Batch
	Pool     *vector.Pool
	Time     int64
	Epoch    uint64
	Position connectors.Position
	Rejected []connectors.Rejected
	Lag      int64
	Hold     bool // of Idle
}

// Release gives the batch back to its producer's free list.
func (m *Message) Release() {
	if m.Pool != nil && m.Batch != nil {
		m.Pool.Put(m.Batch)
	}
	m.Batch = nil
}
