package debug

import (
	"context"
	"sync/atomic"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/vector"
)

func init() {
	connectors.Register(&connectors.Spec{
		Name:     "blackhole",
		Doc:      "takes rows and drops them: for measuring everything before the sink",
		Example:  "CREATE SINK nothing WITH (connector='blackhole') AS SELECT auction, price * 2 FROM bid",
		Sink:     func(connectors.SinkConfig) (connectors.Sink, error) { return &Blackhole{}, nil },
		SinkMode: anyChanges,
	})
}

// Blackhole counts rows. It may be used by several tasks at once.
type Blackhole struct{ rows atomic.Int64 }

// Rows returns how many rows have come.
func (b *Blackhole) Rows() int64 { return b.rows.Load() }

// Open does nothing.
func (b *Blackhole) Open(context.Context) error { return nil }

// Write counts the rows.
func (b *Blackhole) Write(batch *vector.Batch) error {
	b.rows.Add(int64(batch.Rows()))
	return nil
}

// Encode counts the rows and stages nothing.
func (b *Blackhole) Encode(stage []byte, batch *vector.Batch) ([]byte, error) {
	b.rows.Add(int64(batch.Rows()))
	return stage, nil
}

// Deliver does nothing.
func (b *Blackhole) Deliver(context.Context, uint64, []byte) ([]connectors.Rejected, error) {
	return nil, nil
}

// Close does nothing.
func (b *Blackhole) Close() error { return nil }
