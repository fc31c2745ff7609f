package connectors

import (
	"context"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Column is a column that a source shall fill or a sink receives. A source gets only the columns that the plan needs; a STRUCT type
// may have been narrowed to the fields that the plan needs.
type Column struct {
	Name        string
	Type        types.Type
	MetadataKey string // not empty: from the record's metadata (topic, partition, offset, timestamp, key, headers ..)
	NotNull     bool
}

// SourceConfig is what a source is opened with.
type SourceConfig struct {
	Env      *Env
	ID       string // stable identity of job and source, e.g. the consumer group's name
	Relation string
	Columns  []Column
	Key      []string // primary key columns, for upsert formats
	Options  Values
}

// Split is an independently read part of a source: a Kafka partition, a file. IDs are stable across restarts.
type Split struct{ ID string }

// Position is where to go on reading a split: opaque to the engine, stored in checkpoints. Nil means: from where the source's
// options say that a new job starts.
type Position []byte

// Status tells where a reader stands after a Read.
type Status uint8

// The states of a reader.
const (
	More     Status = iota // there may be more at once
	Idle                   // read to the current end; the split no longer holds the watermark until it has rows again
	End                    // read to the final end of a bounded split
	CaughtUp               // as Idle, but the split goes on holding the watermark
)

// Source opens the splits of a relation. Methods may be called from any goroutine, one at a time.
type Source interface {
	// Splits lists the splits; the engine asks again at intervals to find new ones. Unreachable systems are retried inside for
	// a limited time and end in a *diag.Error.
	Splits(ctx context.Context) ([]Split, error)
	// Open starts reading a split behind position. Several readers may be open at once.
	Open(ctx context.Context, split Split, position Position) (Reader, error)
	Close() error
}

// Reader reads one split. All methods are called from one goroutine.
type Reader interface {
	// Read appends rows to dst (never beyond vector.MaxRows in all) and returns as soon as it has some. It blocks until there is
	// at least one row or a rejected record, the status changes, or ctx is done (then it returns ctx.Err()). With Idle or End, dst may
	// have rows too. After an Idle without rows the next Read blocks until there is something to say.
	Read(ctx context.Context, dst *vector.Batch) (Status, error)
	// Rejected returns the records since the last call that are not rows, and forgets them.
	Rejected() []Rejected
	// Position returns the position behind the last record that Read has delivered or rejected.
	Position() Position
	// Lag returns how many records are known to lie ahead (-1: unknown).
	Lag() int64
	Close() error
}

// Watermarker is implemented by readers that know the watermark of their split beyond what its rows say (script tests).
type Watermarker interface {
	// Watermark returns a watermark reached behind the rows read so far, once; false when there is none.
	Watermark() (micros int64, ok bool)
}

// Rejected is a record that could not become a row, or that a sink refused for good.
type Rejected struct {
	Raw      []byte
	Position string // readable: topic[partition]@offset, file:line
	Err      *diag.Error
}
