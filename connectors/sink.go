package connectors

import (
	"context"

	"github.com/millrace/millrace/sql/vector"
)

// SinkMode is the changelog that a sink takes.
type SinkMode uint8

// The sink modes.
const (
	Append  SinkMode = iota // only +I
	Upsert                  // by key: +I and +U write, -D deletes; never -U
	Retract                 // all four kinds
)

// SinkConfig is what a sink is opened with.
type SinkConfig struct {
	Env      *Env
	ID       string // stable and unique identity of engine, job and sink: names transactions and markers
	Relation string
	Columns  []Column
	Key      []int // key columns; empty: none
	Mode     SinkMode
	Options  Values
}

// Sink writes the output of a job exactly once, in two steps. Encode turns rows into bytes, which the engine stages and makes
// durable together with state and source positions at the end of an epoch; Deliver then writes the stage of a committed epoch
// outside. After a crash the engine delivers again every epoch that it does not know to be delivered, so Deliver must be
// idempotent: by a marker written in the same transaction, by versioned ids, by truncating to a known length.
//
// Encode is called from the task's goroutine, Deliver from the committer's; the two may run at once, each alone.
type Sink interface {
	// Open connects and checks that the target can be written. Unreachable targets are retried for a limited time.
	Open(ctx context.Context) error
	// Encode appends the counting rows of b to stage.
	Encode(stage []byte, b *vector.Batch) ([]byte, error)
	// Deliver writes the stage of one epoch. Epochs ascend over the life of a job and across re-creations of it. It returns when
	// every record has a verdict; records refused for good come back as rejected. An error means that the epoch must be
	// delivered again; ctx ends the attempt.
	Deliver(ctx context.Context, epoch uint64, stage []byte) ([]Rejected, error)
	Close() error
}

// EagerSink is implemented by sinks that need no staging (print, blackhole, collect): rows go to Write at once.
type EagerSink interface {
	Sink
	Write(b *vector.Batch) error
}
