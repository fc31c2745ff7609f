package bench

import (
	"context"
	"runtime"
	"strconv"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// The connectors feed and drain of these tests: a source that decodes JSON out of memory and counts the allocations of the process
// meanwhile, and a sink that encodes JSON into the stage, as any does, and delivers it nowhere.
func init() {
	connectors.Register(&connectors.Spec{
		Name: "feed", Formats: []string{"json"},
		Options: []connectors.Option{{Name: "warmup", Type: connectors.OptInt}, {Name: "rows", Type: connectors.OptInt}},
		Bounded: func(connectors.Values) bool { return true },
		Source:  func(cfg connectors.SourceConfig) (connectors.Source, error) { return &feed{cfg: cfg}, nil },
	})
	connectors.Register(&connectors.Spec{
		Name: "drain", Formats: []string{"json"},
		Sink:     newDrain,
		SinkMode: func(connectors.Values, bool) connectors.SinkMode { return connectors.Retract },
	})
}

// fed receives the figures of each feed that has come to its end.
var fed = make(chan allocations, 1)

// allocations are what the process has allocated while some rows went through it.
type allocations struct {
	rows, count, bytes int64
}

// feed is a source with one split.
type feed struct{ cfg connectors.SourceConfig }

// Splits implements connectors.Source.
func (f *feed) Splits(context.Context) ([]connectors.Split, error) {
	return []connectors.Split{{ID: "0"}}, nil
}

// Open implements connectors.Source.
func (f *feed) Open(context.Context, connectors.Split, connectors.Position) (connectors.Reader, error) {
	d, err := format.NewDecoder("json", f.cfg.Columns, f.cfg.Options)
	r := &feedReader{decoder: d, warmup: f.cfg.Options.Int("warmup")}
	r.rows = r.warmup + f.cfg.Options.Int("rows")
	return r, err
}

// Close implements connectors.Source.
func (f *feed) Close() error { return nil }

// feedReader writes bids into one buffer and decodes them from there. A millisecond of event time goes by in ten rows.
type feedReader struct {
	decoder      format.Decoder
	meta         format.Meta
	row          int64
	warmup, rows int64
	text         []byte
	before       runtime.MemStats
}

// feedStart is the event time of the first row.
var feedStart = time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC).UnixMicro()

// Read implements connectors.Reader.
func (r *feedReader) Read(_ context.Context, dst *vector.Batch) (connectors.Status, error) {
	if r.before.Mallocs == 0 && r.row >= r.warmup {
		runtime.ReadMemStats(&r.before)
	}
	for dst.N < vector.MaxRows && r.row < r.rows {
		b := append(r.text[:0], `{"auction":`...)
		b = strconv.AppendInt(b, r.row*7%1000, 10)
		b = append(b, `,"bidder":`...)
		b = strconv.AppendInt(b, r.row%1000, 10)
		b = append(b, `,"price":`...)
		b = strconv.AppendInt(b, r.row*31%100_000, 10)
		b = append(b, `,"channel":"channel-`...)
		b = strconv.AppendInt(b, r.row%97, 10)
		b = append(b, `","url":"https:\/\/www.nexmark.com\/item.htm?query=1","dateTime":"`...)
		b = types.AppendTimestamp(b, feedStart+r.row*100, 3, false)
		r.text = append(b, `","extra":"to be skipped"}`...)
		if err := r.decoder.Decode(r.text, &r.meta, dst); err != nil {
			return connectors.End, err
		}
		r.row++
	}
	if r.row < r.rows {
		return connectors.More, nil
	}
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	fed <- allocations{r.rows - r.warmup, int64(after.Mallocs - r.before.Mallocs), int64(after.TotalAlloc - r.before.TotalAlloc)}
	return connectors.End, nil
}

// Rejected implements connectors.Reader.
func (r *feedReader) Rejected() []connectors.Rejected { return nil }

// Position implements connectors.Reader.
func (r *feedReader) Position() connectors.Position { return strconv.AppendInt(nil, r.row, 10) }

// Lag implements connectors.Reader.
func (r *feedReader) Lag() int64 { return r.rows - r.row }

// Close implements connectors.Reader.
func (r *feedReader) Close() error { return nil }

// drain is a sink whose records go nowhere.
type drain struct{ encoder format.Encoder }

func newDrain(cfg connectors.SinkConfig) (connectors.Sink, error) {
	e, err := format.NewEncoder("json", cfg.Columns, cfg.Key, cfg.Options)
	return &drain{encoder: e}, err
}

// Open implements connectors.Sink.
func (d *drain) Open(context.Context) error { return nil }

// Encode implements connectors.Sink.
func (d *drain) Encode(stage []byte, b *vector.Batch) (_ []byte, err error) {
	for k := range b.Rows() {
		if stage, err = d.encoder.Encode(stage, b, b.Row(k)); err != nil {
			return stage, err
		}
		stage = append(stage, '\n')
	}
	return stage, nil
}

// Deliver implements connectors.Sink.
func (d *drain) Deliver(context.Context, uint64, []byte) ([]connectors.Rejected, error) {
	return nil, nil
}

// Close implements connectors.Sink.
func (d *drain) Close() error { return nil }
