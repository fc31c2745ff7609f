package generate

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxSplits bounds the splits of a generated source.
const maxSplits = 1024

// burst is how long a paced reader gathers rows at least before it hands them over, so that high rates come in batches.
const burst = 2 * time.Millisecond

// Row appends row n of the whole source to dst, whose columns are those the generator was made for. Start is the time of row 0 in
// microseconds. It is called by one goroutine per split; each gets its own Row.
type Row func(n, start int64, dst *vector.Batch)

// Options describe a generated source. Row n belongs to split n % Splits.
type Options struct {
	Splits    int     // 0: 1
	Rows      int64   // of all splits; 0: endless
	PerSecond float64 // of all splits, by the wall clock; 0: as fast as they are read
	Start     int64   // microseconds; 0: when the split is first opened
	NewRow    func() Row
}

// NewSource makes the source.
func NewSource(o Options) (connectors.Source, error) {
	if o.Splits == 0 {
		o.Splits = 1
	}
	if o.Splits < 0 || o.Splits > maxSplits {
		return nil, diag.New(diag.BadOption, -1, "%d partitions are not 1 to %d", o.Splits, maxSplits)
	}
	if o.Rows < 0 || o.PerSecond < 0 {
		return nil, diag.New(diag.BadOption, -1, "counts and rates must not be negative")
	}
	return &source{o: o}, nil
}

// Bind finds the wanted columns among those that a generator has; the result has an index into all per wanted column.
func Bind(wanted []connectors.Column, all []connectors.Column) ([]int, error) {
	out := make([]int, len(wanted))
	for i, w := range wanted {
		out[i] = -1
		var names []string
		for j, c := range all {
			names = append(names, c.Name)
			if c.Name == w.Name {
				out[i] = j
				if c.Type.Class() != w.Type.Class() || c.Type.Kind.IsTemporal() != w.Type.Kind.IsTemporal() {
					return nil, diag.New(diag.TypeMismatch, -1, "column '%s' is %s here, not %s", w.Name, c.Type, w.Type)
				}
			}
		}
		if out[i] < 0 {
			err := diag.New(diag.UnknownColumn, -1, "the source has no column '%s'", w.Name)
			if near := diag.Suggest(w.Name, names); near != "" {
				err.WithHint("did you mean '%s'?", near)
			}
			return nil, err
		}
	}
	return out, nil
}

type source struct{ o Options }

// Splits lists the splits, named by their numbers.
func (s *source) Splits(context.Context) ([]connectors.Split, error) {
	out := make([]connectors.Split, s.o.Splits)
	for i := range out {
		out[i].ID = strconv.Itoa(i)
	}
	return out, nil
}

// Open starts generating a split behind position.
func (s *source) Open(_ context.Context, split connectors.Split, position connectors.Position) (connectors.Reader, error) {
	number, err := strconv.Atoi(split.ID)
	if err != nil || number < 0 || number >= s.o.Splits {
		return nil, diag.New(diag.SourceUnavailable, -1, "there is no partition '%s': the source has %d", split.ID, s.o.Splits)
	}
	r := &reader{o: s.o, split: int64(number), row: s.o.NewRow(), start: s.o.Start, opened: time.Now()}
	if position != nil {
		if r.next, r.start, err = decodePosition(position); err != nil {
			return nil, err
		}
	} else if r.start == 0 {
		r.start = r.opened.UnixMicro()
	}
	if s.o.Start == 0 {
		// Rows follow the wall clock: what became due while nobody was reading comes at once.
		r.opened = time.UnixMicro(r.start)
	} else {
		r.from = r.next
	}
	return r, nil
}

// Close does nothing.
func (s *source) Close() error { return nil }

// reader generates one split. Its position is the number of rows behind it, and the start, which may have been the wall clock.
type reader struct {
	o          Options
	split      int64
	row        Row
	start      int64
	opened     time.Time // the pace counts from here
	served     time.Time // when await last returned rows
	from, next int64     // rows of this split that were not due since opened, and all behind
}

func decodePosition(p connectors.Position) (next, start int64, err error) {
	n, size := binary.Uvarint(p)
	if size <= 0 || n > 1<<62 {
		return 0, 0, errors.New("decoding generator position: malformed")
	}
	start, m := binary.Varint(p[size:])
	if m <= 0 || start > types.MaxMicros || start < types.MinMicros {
		return 0, 0, errors.New("decoding generator position: malformed")
	}
	return int64(n), start, nil
}

// total is how many rows the split has in all.
func (r *reader) total() int64 {
	if r.o.Rows == 0 {
		return 1 << 62
	}
	return (r.o.Rows - r.split + int64(r.o.Splits) - 1) / int64(r.o.Splits)
}

// Read appends the rows that are due; with a pace it waits for the next.
func (r *reader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	if err := ctx.Err(); err != nil {
		return connectors.More, err
	}
	left := r.total() - r.next
	if left <= 0 {
		return connectors.End, nil
	}
	n := min(int64(vector.MaxRows-dst.N), left)
	if r.o.PerSecond > 0 {
		due, err := r.await(ctx)
		if err != nil {
			return connectors.More, err
		}
		n = min(n, due)
	}
	for range n {
		r.row(r.next*int64(r.o.Splits)+r.split, r.start, dst)
		r.next++
	}
	if r.next >= r.total() {
		return connectors.End, nil
	}
	return connectors.More, nil
}

// await returns how many rows are due, waiting until it is one at least and since the last time a burst has passed.
func (r *reader) await(ctx context.Context) (int64, error) {
	rate := r.o.PerSecond / float64(r.o.Splits)
	for {
		now := time.Now()
		done := r.next - r.from
		due := int64(now.Sub(r.opened).Seconds()*rate) - done
		if due >= vector.MaxRows || due > 0 && now.Sub(r.served) >= burst {
			r.served = now
			return due, nil
		}
		next := r.opened.Add(time.Duration(float64(done+1) / rate * float64(time.Second))).Sub(now)
		timer := time.NewTimer(max(next, r.served.Add(burst).Sub(now)))
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, ctx.Err()
		case <-timer.C:
		}
	}
}

// Rejected returns nothing: generated rows are rows.
func (r *reader) Rejected() []connectors.Rejected { return nil }

// Position returns the rows behind and the start.
func (r *reader) Position() connectors.Position {
	return binary.AppendVarint(binary.AppendUvarint(nil, uint64(r.next)), r.start)
}

// Lag returns the rows ahead; an endless source is never behind.
func (r *reader) Lag() int64 {
	if r.o.Rows == 0 {
		return 0
	}
	return r.total() - r.next
}

// Close does nothing.
func (r *reader) Close() error { return nil }

// SetStart sets the start from an option's text; empty leaves it as it is.
func (o *Options) SetStart(text string) error {
	if text == "" {
		return nil
	}
	micros, ok := types.ParseTimestamp([]byte(text))
	if !ok {
		return diag.New(diag.BadOption, -1, "option 'start': '%s' is no time such as 2026-01-02 08:00:00", text)
	}
	o.Start = micros
	return nil
}
