package operator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// overSchema is: time, partition, value, default.
var overSchema = []types.Type{tTime, tInt, tInt, tInt}

func overGen(rng *rand.Rand, now int64) []any {
	return []any{now, randomInt(rng, 3), randomInt(rng, 8), rng.Int64N(5)}
}

// overCase is a set of calls over a window.
type overCase struct {
	name  string
	order []SortKey
	calls []OverCall
}

func offset(n int64) FrameBound { return FrameBound{Offset: types.I128(n)} }

var (
	unbounded = FrameBound{Unbounded: true}
	toCurrent = Frame{Unit: FrameRange, Start: unbounded}
	whole     = Frame{Unit: FrameRange, Start: unbounded, End: unbounded}
)

func numbered(k function.WindowKind, n int64) OverCall {
	ret := tInt
	if k == function.PercentRank || k == function.CumeDist {
		ret = types.Of(types.Float64)
	}
	return OverCall{Kind: k, Ret: ret, N: n}
}

func valueCall(k function.WindowKind, n int64, nulls bool, f Frame, args ...int) OverCall {
	return OverCall{Kind: k, Ret: tInt, N: n, IgnoreNulls: nulls, Frame: f, Aggregate: Aggregate{Args: args}}
}

func aggCall(t testing.TB, name string, f Frame, args ...int) OverCall {
	a := aggregate(t, name, -1, args, overSchema)
	return OverCall{Kind: function.WindowAggregate, Ret: a.Bound.Ret, Aggregate: a, Frame: f}
}

func rowsFrame(from, to int64) Frame {
	return Frame{Unit: FrameRows, Start: offset(from), End: offset(to)}
}

// overCases are windows that OverStream can do.
func overCases(t testing.TB) []overCase {
	byTime, byMore := []SortKey{{Col: 0}}, []SortKey{{Col: 0}, {Col: 2, Desc: true}}
	timed := func(from, to int64) Frame { return Frame{Unit: FrameRange, Start: offset(from), End: offset(to)} }
	groups := func(from, to int64) Frame { return Frame{Unit: FrameGroups, Start: offset(from), End: offset(to)} }
	return []overCase{
		{"numbers", byMore, []OverCall{numbered(function.RowNumber, 0), numbered(function.Rank, 0), numbered(function.DenseRank, 0)}},
		{"running", byTime, []OverCall{aggCall(t, "sum", toCurrent, 2), aggCall(t, "count", toCurrent), aggCall(t, "max", Frame{Unit: FrameRows, Start: unbounded}, 2)}},
		{"sliding rows", byTime, []OverCall{aggCall(t, "sum", rowsFrame(-3, 0), 2), aggCall(t, "min", rowsFrame(-5, -2), 2), aggCall(t, "count", rowsFrame(-2, -4), 2)}},
		{"sliding time", byTime, []OverCall{aggCall(t, "sum", timed(-9*ms, 0), 2), aggCall(t, "max", timed(-20*ms, -3*ms), 2)}},
		{"groups", byMore, []OverCall{aggCall(t, "count", groups(-2, 0)), aggCall(t, "sum", groups(-1, -1), 2)}},
		{"neighbours", byTime, []OverCall{valueCall(function.Lag, 1, false, Frame{}, 2), valueCall(function.Lag, 3, false, Frame{}, 2, 3), valueCall(function.Lag, 0, false, Frame{}, 2),
			valueCall(function.Lag, 1, true, Frame{}, 2, 3)}},
		{"lead", byTime, []OverCall{valueCall(function.Lead, 2, false, Frame{}, 2, 3), numbered(function.Rank, 0)}},
		{"values", byTime, []OverCall{valueCall(function.FirstValue, 0, false, toCurrent, 2), valueCall(function.LastValue, 0, true, toCurrent, 2), valueCall(function.NthValue, 3, true, toCurrent, 2),
			valueCall(function.FirstValue, 0, true, rowsFrame(-3, 0), 2), valueCall(function.LastValue, 0, true, rowsFrame(-4, -1), 2), valueCall(function.NthValue, 2, false, rowsFrame(-3, 0), 2)}},
		{"ahead by rows", byTime, []OverCall{aggCall(t, "sum", rowsFrame(-1, 2), 2), valueCall(function.LastValue, 0, false, groups(0, 1), 2)}},
		{"ahead by time", byTime, []OverCall{aggCall(t, "sum", timed(-5*ms, 7*ms), 2), aggCall(t, "count", timed(2*ms, 9*ms))}},
		{"ahead of both", byMore[:1], []OverCall{aggCall(t, "sum", timed(0, 4*ms), 2), aggCall(t, "sum", rowsFrame(1, 2), 2)}},
		{"no history", byTime, []OverCall{aggCall(t, "sum", rowsFrame(0, 0), 2)}},
	}
}

// wholeCases are windows that need the whole partition.
func wholeCases(t testing.TB) []overCase {
	byValue := []SortKey{{Col: 2, Desc: true}}
	values := func(from, to int64) Frame { return Frame{Unit: FrameRange, Start: offset(from), End: offset(to)} }
	return append(overCases(t),
		overCase{"shares", byValue, []OverCall{numbered(function.PercentRank, 0), numbered(function.CumeDist, 0), numbered(function.Ntile, 3), numbered(function.Ntile, 100)}},
		overCase{"totals", nil, []OverCall{aggCall(t, "sum", whole, 2), aggCall(t, "count", whole)}},
		overCase{"rest", byValue, []OverCall{aggCall(t, "sum", Frame{Unit: FrameRows, End: unbounded}, 2), aggCall(t, "min", Frame{Unit: FrameRange, Start: offset(-1), End: unbounded}, 2)}},
		overCase{"values of the order", byValue, []OverCall{aggCall(t, "count", values(-2, 1)), aggCall(t, "count", values(1, 3)), aggCall(t, "sum", values(-4, -2), 2)}},
		overCase{"ascending", []SortKey{{Col: 2}}, []OverCall{aggCall(t, "count", values(-2, 1)), valueCall(function.Lead, 2, true, Frame{}, 2), valueCall(function.Lag, 2, true, Frame{}, 2, 3)}})
}

// bruteOver computes a case over rows by definition.
func bruteOver(c overCase, rows [][]any) (out []rec) {
	parts := map[any][][]any{}
	for _, r := range rows {
		parts[r[1]] = append(parts[r[1]], r)
	}
	for _, p := range parts {
		sorted, tie := arranged(c.order, p)
		for i, r := range sorted {
			cells := slices.Clone(r)
			for k := range c.calls {
				cells = append(cells, bruteCall(&c, &c.calls[k], sorted, tie, i))
			}
			out = append(out, ins(cells...))
		}
	}
	return out
}

// arranged sorts rows as operators do and says which tie: their group of ties.
func arranged(order []SortKey, rows [][]any) (sorted [][]any, group []int) {
	b := &vector.Batch{Cols: newColumns(overSchema)}
	for _, r := range rows {
		for c, col := range b.Cols {
			appendCell(col, r[c])
		}
		b.EndRow(vector.Insert)
	}
	enc := ordering{keys: order, schema: overSchema}
	type item struct {
		row  []any
		data []byte
		key  []byte
	}
	var items []item
	for i, r := range rows {
		data := enc.encode(nil, b, i)
		n := int(data[len(data)-4])<<24 | int(data[len(data)-3])<<16 | int(data[len(data)-2])<<8 | int(data[len(data)-1])
		items = append(items, item{r, data, data[:n]})
	}
	slices.SortFunc(items, func(x, y item) int { return bytes.Compare(x.data, y.data) })
	for i, x := range items {
		sorted = append(sorted, x.row)
		switch {
		case i == 0:
			group = append(group, 0)
		case bytes.Equal(items[i-1].key, x.key):
			group = append(group, group[i-1])
		default:
			group = append(group, group[i-1]+1)
		}
	}
	return sorted, group
}

// bruteInFrame tells whether row j is in the frame of row i.
func bruteInFrame(c *overCase, f *Frame, rows [][]any, tie []int, i, j int) bool {
	at := func(b *FrameBound, before bool) bool {
		if b.Unbounded {
			return true
		}
		n, _ := b.Offset.Int64()
		var d int64 // how far behind row i row j is
		switch {
		case f.Unit == FrameRows:
			d = int64(j - i)
		case f.Unit == FrameGroups || f.plain():
			d = int64(tie[j] - tie[i])
		default:
			k := c.order[0]
			x, y := rows[i][k.Col], rows[j][k.Col]
			switch {
			case x == nil:
				d, n = int64(tie[j]-tie[i]), 0
			case y == nil:
				d = -1 << 60
			default:
				d = y.(int64) - x.(int64)
			}
			if k.Desc && x != nil {
				d = -d
			}
		}
		if before {
			return d >= n
		}
		return d <= n
	}
	return at(&f.Start, true) && at(&f.End, false)
}

func bruteCall(c *overCase, call *OverCall, rows [][]any, tie []int, i int) any {
	n := len(rows)
	first, last := slices.Index(tie, tie[i]), n-1
	for last >= 0 && tie[last] != tie[i] {
		last--
	}
	switch call.Kind {
	case function.RowNumber:
		return int64(i + 1)
	case function.Rank:
		return int64(first + 1)
	case function.DenseRank:
		return int64(tie[i] + 1)
	case function.PercentRank:
		return float64(first) / float64(max(n-1, 1))
	case function.CumeDist:
		return float64(last+1) / float64(n)
	case function.Ntile:
		var sizes []int
		for b := range int(call.N) {
			size := n / int(call.N)
			if b < n%int(call.N) {
				size++
			}
			sizes = append(sizes, size)
		}
		b, left := 0, i
		for left >= sizes[b] {
			left -= sizes[b]
			b++
		}
		return int64(b + 1)
	case function.Lag, function.Lead:
		return bruteNeighbour(call, rows, i)
	}
	var in []any
	for j := range rows {
		if bruteInFrame(c, &call.Frame, rows, tie, i, j) {
			if len(call.Args) == 0 {
				in = append(in, int64(1))
			} else if v := rows[j][call.Args[0]]; v != nil || call.Kind != function.WindowAggregate && !call.IgnoreNulls {
				in = append(in, v)
			}
		}
	}
	return bruteFold(call, in)
}

func bruteNeighbour(call *OverCall, rows [][]any, i int) any {
	if call.N == 0 {
		return rows[i][call.Args[0]]
	}
	step, left := 1, call.N
	if call.Kind == function.Lag {
		step = -1
	}
	for j := i + step; j >= 0 && j < len(rows); j += step {
		if v := rows[j][call.Args[0]]; !call.IgnoreNulls || v != nil {
			if left--; left == 0 {
				return v
			}
		}
	}
	if len(call.Args) > 1 {
		return rows[i][call.Args[1]]
	}
	return nil
}

func bruteFold(call *OverCall, in []any) any {
	if call.Name == "count" {
		return int64(len(in))
	}
	k := map[function.WindowKind]int{function.LastValue: len(in) - 1, function.NthValue: int(call.N) - 1}[call.Kind]
	if k < 0 || k >= len(in) {
		return nil
	}
	if call.Kind != function.WindowAggregate {
		return in[k]
	}
	acc := in[0].(int64)
	for _, v := range in[1:] {
		switch x := v.(int64); call.Name {
		case "sum":
			acc += x
		case "min":
			acc = min(acc, x)
		case "max":
			acc = max(acc, x)
		}
	}
	if call.Name == "sum" {
		return fmt.Sprint(acc)
	}
	return acc
}

func counted(rows []rec) map[string]int {
	out := map[string]int{}
	for _, r := range rows {
		out[fmt.Sprint(r.cells)]++
	}
	return out
}

func (c *overCase) options(mode OverMode) OverOptions {
	return OverOptions{Input: overSchema, PartitionBy: []int{1}, Order: c.order, Calls: slices.Clone(c.calls), Mode: mode, Time: 0}
}

// timedSteps makes rows around an advancing clock, some late, and watermarks; it returns the rows that are in time.
func timedSteps(rng *rand.Rand, n int) (steps []step, inTime [][]any, late int) {
	now, wm := int64(0), int64(MinTime)
	for range n {
		now += rng.Int64N(4) * ms
		at := now
		if rng.IntN(3) == 0 {
			at -= rng.Int64N(14) * ms
		}
		r := overGen(rng, at)
		steps = append(steps, push(0, ins(r...)))
		if at > wm {
			inTime = append(inTime, r)
		} else {
			late++
		}
		if rng.IntN(5) == 0 {
			wm = max(wm, now-8*ms)
			steps = append(steps, mark(wm))
		}
	}
	return steps, inTime, late
}

func TestOverStream(t *testing.T) {
	for _, c := range overCases(t) {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(6) {
				steps, rows, late := timedSteps(rand.New(rand.NewPCG(seed, 31)), 200)
				want := counted(bruteOver(c, rows))
				s := script{make: func() Operator { return NewOver(c.options(OverWatermark)) }, inputs: [][]types.Type{overSchema}, steps: steps}
				verify(t, s, func(d *driver) error {
					if len(d.late) != late {
						return fmt.Errorf("%d late rows, want %d", len(d.late), late)
					}
					return wantTable(want)(d)
				})
			}
		})
	}
}

// Rows come out in the order of time, and not before the output's watermark.
func TestOverStreamWatermark(t *testing.T) {
	for _, c := range overCases(t) {
		steps, _, _ := timedSteps(rand.New(rand.NewPCG(3, 32)), 300)
		op := NewOver(c.options(OverWatermark))
		d := &driver{t: t, rng: rand.New(rand.NewPCG(1, 1)), state: &memState{entries: map[string]string{}}}
		d.s = script{make: func() Operator { return op }, inputs: [][]types.Type{overSchema}, steps: steps}
		d.out.t = t
		d.open()
		low, seen := int64(MinTime), 0
		for at := 0; at < len(steps); {
			if !steps[at].isMark {
				at += d.play(at, nil)
				continue
			}
			out, err := op.Watermark(steps[at].watermark, &d.out)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range d.out.rows[seen:] {
				if r.cells[0].(int64) <= low {
					t.Fatalf("%s: row %v is not above the watermark %d", c.name, r, low)
				}
			}
			if out < low {
				t.Fatalf("%s: the watermark fell from %d to %d", c.name, low, out)
			}
			low, seen = out, len(d.out.rows)
			at++
		}
	}
}

// A frame of time and nothing else leaves no state behind once the watermark has passed it.
func TestOverStreamFades(t *testing.T) {
	c := overCases(t)[3]
	steps, _, _ := timedSteps(rand.New(rand.NewPCG(4, 33)), 300)
	last := steps[len(steps)-1].watermark
	for _, s := range steps {
		if !s.isMark {
			last = max(last, s.row.cells[0].(int64))
		}
	}
	steps = append(steps, mark(last), mark(last+100*ms), push(0, ins(last+200*ms, 1, 1, 1)), mark(last+150*ms))
	d := &driver{t: t, rng: rand.New(rand.NewPCG(1, 1)), state: &memState{entries: map[string]string{}}}
	d.s = script{make: func() Operator { return NewOver(c.options(OverWatermark)) }, inputs: [][]types.Type{overSchema}, steps: steps}
	d.out.t = t
	d.open()
	for at := 0; at < len(steps); {
		at += d.play(at, nil)
		d.must(d.op.Barrier(1))
	}
	rows := 0
	for k := range d.state.entries {
		if k[0] != tableClock {
			rows++
		}
	}
	if rows != 1 || len(d.op.(*OverStream).passed) > 1 {
		t.Errorf("%d entries left, %d rows queued", rows, len(d.op.(*OverStream).passed))
	}
}

func TestOverChanges(t *testing.T) {
	for _, c := range wholeCases(t) {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(3) {
				h := &history{rng: rand.New(rand.NewPCG(seed, 34)), gen: func(rng *rand.Rand) []any { return overGen(rng, rng.Int64N(20)*ms) }}
				var steps []step
				for range 120 {
					steps = append(steps, pushes(h.next()...)...)
				}
				want := counted(bruteOver(c, h.live))
				for _, mode := range []OverMode{OverChanges, OverFinal} {
					s := script{make: func() Operator { return NewOver(c.options(mode)) }, inputs: [][]types.Type{overSchema}, steps: steps}
					verify(t, s, wantTable(want))
				}
			}
		})
	}
}

// Only rows whose results change are emitted again.
func TestOverChangesOnlyDifferences(t *testing.T) {
	c := overCase{order: []SortKey{{Col: 0}}, calls: []OverCall{aggCall(t, "sum", toCurrent, 2)}}
	op := NewOver(c.options(OverChanges))
	d := &driver{t: t, rng: rand.New(rand.NewPCG(1, 1)), state: &memState{entries: map[string]string{}}}
	d.out.t = t
	d.s = script{make: func() Operator { return op }, inputs: [][]types.Type{overSchema}}
	d.open()
	for i := range int64(100) {
		d.s.steps = []step{push(0, ins(i*10, 1, 1, 0))}
		d.play(0, nil)
	}
	d.s.steps = []step{push(0, ins(int64(985), 1, 5, 0))}
	d.play(0, nil)
	d.s.steps = []step{push(0, rec{vector.Delete, []any{int64(500), int64(7), nil, nil}})} // of a partition without rows
	d.play(0, nil)
	if got := len(d.out.rows); got != 103 {
		t.Errorf("%d rows, want 100 and then a change and a new one: %v", got, d.out.rows[100:])
	}
}

func TestOverClose(t *testing.T) {
	c := wholeCases(t)[12]
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 35))
		var steps []step
		byEnd := map[int64][][]any{}
		wm, late := int64(MinTime), 0
		for range 200 {
			end := rng.Int64N(10)*10*ms + max(wm, 0)/(10*ms)*10*ms - 20*ms
			r := overGen(rng, end)
			steps = append(steps, push(0, ins(r...)))
			if closedBy(wm, end) {
				late++
			} else {
				byEnd[end] = append(byEnd[end], r)
			}
			if rng.IntN(15) == 0 {
				wm = max(wm, 0) + 12*ms
				steps = append(steps, mark(wm))
			}
		}
		want := map[string]int{}
		for _, rows := range byEnd {
			for k, n := range counted(bruteOver(c, rows)) {
				want[k] += n
			}
		}
		o := c.options(OverClose)
		o.PartitionBy = []int{1, 0}
		s := script{make: func() Operator { return NewOver(o) }, inputs: [][]types.Type{overSchema}, steps: steps}
		verify(t, s, func(d *driver) error {
			if len(d.late) != late || d.left() > 0 {
				return fmt.Errorf("%d late rows, want %d; %d entries left", len(d.late), late, d.left())
			}
			return wantTable(want)(d)
		})
	}
}

// Broken state gives an error or other results, never a panic.
func TestOverStreamBrokenState(t *testing.T) {
	for _, c := range overCases(t) {
		rng := rand.New(rand.NewPCG(5, 36))
		steps, _, _ := timedSteps(rng, 120)
		state := &memState{entries: map[string]string{}}
		d := &driver{t: t, rng: rng, state: state, s: script{make: func() Operator { return NewOver(c.options(OverWatermark)) }, inputs: [][]types.Type{overSchema}, steps: steps}}
		d.out.t = t
		d.open()
		for at := 0; at < len(steps); {
			at += d.play(at, nil)
		}
		d.must(d.op.Barrier(1))
		for range 300 {
			broken := &memState{entries: map[string]string{}}
			for k, v := range state.entries {
				if b := []byte(v); len(b) > 0 && rng.IntN(4) == 0 && k[0] != tableClock {
					b[rng.IntN(len(b))] ^= byte(1 << rng.IntN(8))
					v = string(b[:len(b)-rng.IntN(2)])
				}
				broken.entries[k] = v
			}
			op := NewOver(c.options(OverWatermark))
			ctx := benchContext(t)
			ctx.State = broken
			if op.Open(ctx) == nil {
				_, _ = op.Watermark(MaxTime, &discard{})
			}
		}
	}
}
