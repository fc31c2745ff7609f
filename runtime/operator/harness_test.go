package operator

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var (
	tInt  = types.Of(types.Int64)
	tText = types.Of(types.String)
	tTime = types.Of(types.Timestamp)
)

// memState is a State in memory, as of the last barrier.
type memState struct{ entries map[string]string } // table, group (2), key

func stateName(table byte, group uint16, key []byte) string {
	return string([]byte{table, byte(group >> 8), byte(group)}) + string(key)
}

func (m *memState) Put(table byte, group uint16, key, value []byte) {
	m.entries[stateName(table, group, key)] = string(value)
}

func (m *memState) Delete(table byte, group uint16, key []byte) {
	delete(m.entries, stateName(table, group, key))
}

func (m *memState) DeleteRange(table byte, group uint16, from, to []byte) {
	lo, hi := stateName(table, group, from), stateName(table, group, to)
	maps.DeleteFunc(m.entries, func(k, _ string) bool { return k >= lo && k < hi })
}

func (m *memState) Scan(table byte, fn func(group uint16, key, value []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(m.entries)) {
		if k[0] != table {
			continue
		}
		if err := fn(uint16(k[1])<<8|uint16(k[2]), []byte(k[3:]), []byte(m.entries[k])); err != nil {
			return err
		}
	}
	return nil
}

// rec is a row: its change and its cells (int64, string, nil).
type rec struct {
	op    vector.Change
	cells []any
}

func (r rec) String() string { return r.op.String() + fmt.Sprint(r.cells) }

func ins(cells ...any) rec { return rec{vector.Insert, cells} }

// step is one event of a script: rows of an input, a watermark, or the end of an input.
type step struct {
	input     int
	row       *rec
	watermark int64
	isMark    bool
	end       bool
}

func push(input int, r rec) step { return step{input: input, row: &r} }
func mark(t int64) step          { return step{watermark: t, isMark: true} }
func endOf(input int) step       { return step{input: input, end: true} }
func pushes(rs ...rec) (out []step) {
	for _, r := range rs {
		out = append(out, push(0, r))
	}
	return out
}

// script is what a test runs in many ways. Inputs have a schema each.
type script struct {
	make   func() Operator
	inputs [][]types.Type
	steps  []step
	gated  bool // not checkpointed: never killed
}

// sink records output rows.
type sink struct {
	t    testing.TB
	rows []rec
}

func (s *sink) Push(b *vector.Batch) error {
	schema := make([]types.Type, len(b.Cols))
	for i, c := range b.Cols {
		schema[i] = c.Type
	}
	if err := CheckBatch(b, schema); err != nil {
		s.t.Fatal(err)
	}
	if b.N > vector.MaxRows || b.Rows() == 0 {
		s.t.Fatalf("a batch of %d rows, %d of them counting", b.N, b.Rows())
	}
	for k := range b.Rows() {
		i := b.Row(k)
		r := rec{op: b.Change(i)}
		for _, c := range b.Cols {
			r.cells = append(r.cells, cell(c, i))
		}
		s.rows = append(s.rows, r)
	}
	return nil
}

func cell(c *vector.Vector, i int) any {
	if c.IsNull(i) {
		return nil
	}
	switch c.Type.Class() {
	case types.ClassI64:
		return c.I64[i]
	case types.ClassF64:
		return c.F64[i]
	case types.ClassI128:
		return string(types.AppendDecimal(nil, c.I128[i], c.Type.Scale))
	case types.ClassI256:
		return string(types.AppendWide(nil, c.I256[i], c.Type.Scale))
	}
	return string(c.Bytes(i))
}

func appendCell(c *vector.Vector, x any) {
	switch x := x.(type) {
	case nil:
		c.AppendNull()
	case int:
		c.AppendI64(int64(x))
	case int64:
		c.AppendI64(x)
	case string:
		c.AppendString(x)
	}
}

// driver runs a script once. way decides batch sizes, junk rows that do not count, barriers and kills.
type driver struct {
	t     testing.TB
	s     script
	rng   *rand.Rand
	kills bool
	op    Operator
	state *memState
	out   sink
	late  []rec
	errs  int
	epoch uint64
}

func (d *driver) open() {
	d.op = d.s.make()
	ctx := &Context{Fn: &function.Ctx{Zone: time.UTC}, State: d.state}
	ctx.Groups.To = 256
	ctx.RowError = func(_ string, _ *vector.Batch, _ int, _ *diag.Error) error { d.errs++; return nil }
	ctx.Late = func(_ string, b *vector.Batch, rows []int32) {
		for _, i := range rows {
			r := rec{op: b.Change(int(i))}
			for _, c := range b.Cols {
				r.cells = append(r.cells, cell(c, int(i)))
			}
			d.late = append(d.late, r)
		}
	}
	if err := d.op.Open(ctx); err != nil {
		d.t.Fatal(err)
	}
}

// checkpoint is what a kill goes back to.
type checkpoint struct {
	at, rows, late, errs int
	state                map[string]string
}

// run plays the script and ends it.
func (d *driver) run() {
	d.state = &memState{entries: map[string]string{}}
	d.out.t = d.t
	d.open()
	saved := checkpoint{state: map[string]string{}}
	last, kills := int64(MinTime), 0
	for at := 0; at < len(d.s.steps); {
		if d.rng.IntN(6) == 0 && !d.s.gated {
			d.epoch++
			d.must(d.op.Barrier(d.epoch))
			saved = checkpoint{at, len(d.out.rows), len(d.late), d.errs, maps.Clone(d.state.entries)}
		}
		if d.kills && kills < 20 && d.rng.IntN(10) == 0 && !d.s.gated {
			kills++
			at = saved.at
			d.out.rows, d.late, d.errs = d.out.rows[:saved.rows], d.late[:saved.late], saved.errs
			d.state = &memState{entries: maps.Clone(saved.state)}
			d.must(d.op.Close())
			d.open()
			continue
		}
		at += d.play(at, &last)
	}
	if _, err := d.op.Watermark(MaxTime, &d.out); err != nil {
		d.t.Fatal(err)
	}
	for i := range d.s.inputs {
		d.must(d.op.End(i, &d.out))
	}
	d.must(d.op.Barrier(d.epoch + 1))
	d.must(d.op.Close())
}

func (d *driver) must(err error) {
	if err != nil {
		d.t.Fatal(err)
	}
}

// play performs the step at, or a batch of rows from there on, and returns how many steps it took.
func (d *driver) play(at int, last *int64) int {
	s := d.s.steps[at]
	switch {
	case s.isMark:
		_, err := d.op.Watermark(s.watermark, &d.out)
		d.must(err)
		return 1
	case s.end:
		d.must(d.op.End(s.input, &d.out))
		return 1
	}
	size := 1 + d.rng.IntN(8)
	b := &vector.Batch{Cols: newColumns(d.s.inputs[s.input])}
	n := 0
	for ; n < size && at+n < len(d.s.steps); n++ {
		x := d.s.steps[at+n]
		if x.row == nil || x.input != s.input {
			break
		}
		for d.rng.IntN(4) == 0 { // a row that does not count
			d.appendRow(b, ins(make([]any, len(b.Cols))...), false)
		}
		d.appendRow(b, *x.row, true)
	}
	d.must(d.op.Push(s.input, b, &d.out))
	return n
}

func (d *driver) appendRow(b *vector.Batch, r rec, counts bool) {
	for c, col := range b.Cols {
		appendCell(col, r.cells[c])
	}
	b.EndRow(r.op)
	switch {
	case counts && b.Sel != nil:
		b.Sel = append(b.Sel, int32(b.N-1))
	case !counts && b.Sel == nil:
		b.Sel = []int32{}
		for i := range b.N - 1 {
			b.Sel = append(b.Sel, int32(i))
		}
	}
}

// left counts the entries of the final state without the watermark.
func (d *driver) left() (n int) {
	for k := range d.state.entries {
		n += b2i(k[0] != tableClock)
	}
	return n
}

// table folds a changelog; it fails when a row is taken back that is not there.
func table(t testing.TB, rows []rec) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, r := range rows {
		k := fmt.Sprint(r.cells)
		if r.op.Adds() {
			out[k]++
			continue
		}
		if out[k] == 0 {
			t.Fatalf("%v takes back a row that is not there", r)
		}
		if out[k]--; out[k] == 0 {
			delete(out, k)
		}
	}
	return out
}

// verify runs the script in many ways and checks each with same.
func verify(t *testing.T, s script, same func(d *driver) error) {
	t.Helper()
	for seed := range uint64(8) {
		d := &driver{t: t, s: s, rng: rand.New(rand.NewPCG(seed, 7)), kills: seed%2 == 1}
		d.run()
		if err := same(d); err != nil {
			t.Fatalf("run %d (kills %v): %v", seed, d.kills, err)
		}
	}
}

// wantTable compares the final table.
func wantTable(want map[string]int) func(*driver) error {
	return func(d *driver) error {
		got := table(d.t, d.out.rows)
		if !maps.Equal(got, want) {
			return errors.New(difference(got, want))
		}
		return nil
	}
}

// wantRows compares the output row by row.
func wantRows(want []rec) func(*driver) error {
	return func(d *driver) error {
		for i := range max(len(want), len(d.out.rows)) {
			if i >= len(want) || i >= len(d.out.rows) || want[i].String() != d.out.rows[i].String() {
				return fmt.Errorf("row %d differs:\n got %v\nwant %v", i, tail(d.out.rows, i), tail(want, i))
			}
		}
		return nil
	}
}

func tail(rows []rec, from int) []rec {
	if from > len(rows) {
		return nil
	}
	return rows[from:min(len(rows), from+5)]
}

func difference(got, want map[string]int) string {
	var sb strings.Builder
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if want[k] != got[k] {
			fmt.Fprintf(&sb, "\n got %d of %s, want %d", got[k], k, want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[k]; !ok {
			fmt.Fprintf(&sb, "\n missing %d of %s", want[k], k)
		}
	}
	return sb.String()
}

// history makes a random changelog: rows from gen come, change and go.
type history struct {
	rng  *rand.Rand
	live [][]any
	gen  func(rng *rand.Rand) []any
}

// next returns the rows of one change.
func (h *history) next() []rec {
	if len(h.live) > 0 && h.rng.IntN(3) == 0 {
		i := h.rng.IntN(len(h.live))
		old := h.live[i]
		if h.rng.IntN(2) == 0 {
			h.live = slices.Delete(h.live, i, i+1)
			return []rec{{vector.Delete, old}}
		}
		h.live[i] = h.gen(h.rng)
		return []rec{{vector.UpdateBefore, old}, {vector.UpdateAfter, h.live[i]}}
	}
	x := h.gen(h.rng)
	h.live = append(h.live, x)
	return []rec{{vector.Insert, x}}
}

// compareCells orders cells: NULL first.
func compareCells(a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(b2i(a != nil), b2i(b != nil))
	}
	if x, ok := a.(int64); ok {
		return cmp.Compare(x, b.(int64))
	}
	return strings.Compare(a.(string), b.(string))
}

// aggregate binds a call of the registry.
func aggregate(t testing.TB, name string, filter int, cols []int, schema []types.Type) Aggregate {
	t.Helper()
	f := function.LookupAgg(name)
	if f == nil {
		t.Fatalf("no aggregate %s", name)
	}
	var args []function.Arg
	for _, c := range cols {
		args = append(args, function.Arg{Type: schema[c]})
	}
	bound, err := f.Bind(args)
	if err != nil {
		t.Fatal(err)
	}
	return Aggregate{Name: name, Bound: bound, Args: cols, Filter: filter}
}

// random returns a small random value or NULL.
func randomInt(rng *rand.Rand, n int) any {
	if rng.IntN(12) == 0 {
		return nil
	}
	return rng.Int64N(int64(n))
}
