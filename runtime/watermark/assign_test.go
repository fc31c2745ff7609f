package watermark

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/runtime/operator"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// recorder notes which watermark each row meets.
type recorder struct {
	now   int64
	met   []int64 // by row
	times []int64
	cuts  int
}

func (r *recorder) Push(b *vector.Batch) error {
	r.cuts++
	for k := range b.Rows() {
		r.met, r.times = append(r.met, r.now), append(r.times, b.Cols[0].I64[b.Row(k)])
	}
	return nil
}

func (r *recorder) Advance(t int64) error {
	r.now = t
	return nil
}

var assignFields = []types.Field{{Name: "ts", Type: types.Type{Kind: types.Timestamp, Precision: 3}}, {Name: "mark", Type: types.Type{Kind: types.Timestamp, Precision: 3}}}

const milli = int64(types.Millisecond)

// timed is a row with its event time and its watermark, in milliseconds.
type timed struct {
	at, mark int64
	null     bool
}

func newTestAssigner(opt Options, rejected *[]diag.Code) *Assigner {
	opt.Expr = &expr.Col{Index: 1, Name: "mark", Typ: assignFields[1].Type}
	a := NewAssigner(opt)
	a.Open(&operator.Context{Fn: &function.Ctx{}, RowError: func(_ string, _ *vector.Batch, _ int, err *diag.Error) error {
		*rejected = append(*rejected, err.Code)
		return nil
	}}, operator.MinTime)
	a.AddSplit(operator.MinTime)
	return a
}

func batchOf(rows []timed) *vector.Batch {
	b := vector.NewBatch(assignFields, len(rows))
	for _, r := range rows {
		if r.null {
			b.Cols[0].AppendNull()
		} else {
			b.Cols[0].AppendI64(r.at * milli)
		}
		b.Cols[1].AppendI64(r.mark * milli)
		b.EndRow(vector.Insert)
	}
	return b
}

// TestAssignerIsExact: however rows are cut into batches, a row at or before the largest mark of the rows before it meets exactly that watermark,
// no row meets a later one, and at the end the watermark is the largest mark.
func TestAssignerIsExact(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 11))
		var rows []timed
		for i := range 100 {
			at := int64(i)*10 - rng.Int64N(80)
			rows = append(rows, timed{at: at, mark: at - rng.Int64N(30)})
		}
		var rejected []diag.Code
		a := newTestAssigner(Options{}, &rejected)
		rec := &recorder{now: operator.MinTime}
		for rest := rows; len(rest) > 0; {
			n := 1 + rng.IntN(min(len(rest), 40))
			if err := a.Push(batchOf(rest[:n]), rec); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		high := int64(operator.MinTime)
		for i, r := range rows {
			if r.at*milli <= high && rec.met[i] != high || rec.met[i] > high {
				t.Fatalf("seed %d, row %d at %d meets %d, the largest mark before it is %d", seed, i, r.at*milli, rec.met[i], high)
			}
			if rec.times[i] != r.at*milli {
				t.Fatalf("seed %d: row %d is %d, want %d", seed, i, rec.times[i], r.at*milli)
			}
			high = max(high, r.mark*milli)
		}
		if rec.now != high {
			t.Fatalf("seed %d: the watermark ends at %d, want %d", seed, rec.now, high)
		}
	}
}

// TestAssignerDoesNotCutRowsInTime: an ordinary stream passes whole.
func TestAssignerDoesNotCutRowsInTime(t *testing.T) {
	var rows []timed
	for i := range int64(500) {
		rows = append(rows, timed{at: i, mark: i - 1})
	}
	var rejected []diag.Code
	a := newTestAssigner(Options{}, &rejected)
	rec := &recorder{now: operator.MinTime}
	if err := a.Push(batchOf(rows), rec); err != nil || rec.cuts != 1 {
		t.Errorf("%d batches, %v", rec.cuts, err)
	}
}

func TestAssignerRejects(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	var rejected []diag.Code
	a := newTestAssigner(Options{MaxFuture: time.Second, Clock: func() time.Time { return now }}, &rejected)
	rec := &recorder{now: operator.MinTime}
	rows := []timed{{at: 1, mark: 1}, {null: true, mark: 5}, {at: 1_001_001, mark: 1_001_001}, {at: 1_001_000, mark: 2}}
	if err := a.Push(batchOf(rows), rec); err != nil {
		t.Fatal(err)
	}
	if want := []diag.Code{diag.MissingField, diag.FutureTimestamp}; !slices.Equal(rejected, want) {
		t.Errorf("rejected %v, want %v", rejected, want)
	}
	if !slices.Equal(rec.times, []int64{milli, 1_001_000 * milli}) || rec.now != 2*milli {
		t.Errorf("passed %v, watermark %d: a rejected row must not move it", rec.times, rec.now)
	}
}

// TestAssignerSplits: the watermark of a task is the minimum over its splits, and one that has given nothing holds it.
func TestAssignerSplits(t *testing.T) {
	var rejected []diag.Code
	a := newTestAssigner(Options{}, &rejected)
	second := a.AddSplit(operator.MinTime)
	rec := &recorder{now: operator.MinTime}
	push := func(split int, at int64) {
		t.Helper()
		b := batchOf([]timed{{at: at, mark: at}})
		b.Origin = split
		if err := a.Push(b, rec); err != nil {
			t.Fatal(err)
		}
	}
	push(0, 10)
	if rec.now != operator.MinTime {
		t.Fatalf("watermark %d without the second split", rec.now)
	}
	push(second, 4)
	push(second, 20)
	if rec.now != 10*milli {
		t.Errorf("watermark %d, want that of the first split", rec.now)
	}
}
