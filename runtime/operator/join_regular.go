package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// JoinOptions describe a regular join.
type JoinOptions struct {
	Stage               string // name in the tables errors and late
	Kind                JoinKind
	Left, Right         []types.Type // the inputs' columns
	LeftKeys, RightKeys []int        // pairwise equal types
	NullEqual           []bool       // by key: NULL equals NULL; nil: nowhere
	Residual            expr.Expr    // over left columns, then right columns; nil: none
	// LeftWindowEnd and RightWindowEnd name, when ≥ 0, the window end that is part of both keys: rows go when the watermark closes their
	// window, and only then do outer rows without a match appear. -1: rows are kept for ever.
	LeftWindowEnd, RightWindowEnd int
}

// Join keeps the rows of both inputs and emits the changes of their join: input 0 is left, 1 right. Rows with a NULL in the key match
// nothing. The output says +I and -D only: a changed row may lose one partner and find another.
//
// State: table 0 left rows, table 1 right rows (bag).
type Join struct {
	o     JoinOptions
	ctx   *Context
	clock clock
	sides [2]*joinSide
	emit  emitter
	cond  *expr.Filter

	cand    *vector.Batch // candidates of one row, when matching must be known row by row
	candOf  []int32       // entry of the other side, by candidate
	sel     []int32
	failed  []int32
	encoded []byte
	buf     []byte
}

// maxCandidates is how many candidates of one row are put to the residual at once.
const maxCandidates = vector.MaxRows

// NewJoin makes a regular join.
func NewJoin(o JoinOptions) *Join {
	j := &Join{o: o}
	j.sides[0], j.sides[1] = newJoinSide(o.Left, o.LeftKeys, o.NullEqual, 0), newJoinSide(o.Right, o.RightKeys, o.NullEqual, 1)
	j.sides[0].outer, j.sides[1].outer = o.Kind != InnerJoin, o.Kind == FullJoin
	if o.LeftWindowEnd >= 0 && o.RightWindowEnd >= 0 {
		j.sides[0].windowEnd, j.sides[1].windowEnd = o.LeftWindowEnd, o.RightWindowEnd
	}
	return j
}

// Open reads both sides back.
func (j *Join) Open(ctx *Context) error {
	j.ctx = ctx
	schema := append(append([]types.Type{}, j.o.Left...), j.o.Right...)
	j.emit = newEmitter(schema)
	if j.o.Residual != nil {
		j.cond = expr.CompileFilter(j.o.Residual)
		j.cand = newEmitter(schema).batch
	}
	if j.o.Kind == InnerJoin {
		// All candidates go into the output batch, which is filtered whole.
		j.emit.cond, j.emit.ctx, j.emit.stage = j.cond, ctx, j.o.Stage
	}
	if err := j.clock.load(ctx); err != nil {
		return err
	}
	if err := j.sides[0].open(ctx); err != nil {
		return err
	}
	return j.sides[1].open(ctx)
}

// eager tells whether rows without a match appear at once.
func (j *Join) eager() bool { return j.sides[0].windowEnd < 0 }

// Push joins the rows of one side with what is kept of the other, and keeps them.
func (j *Join) Push(input int, b *vector.Batch, out Output) error {
	j.emit.out = out
	own, other := j.sides[input], j.sides[1-input]
	own.split(b, j.clock.now)
	if len(own.late) > 0 {
		j.ctx.Late(j.o.Stage, b, own.late)
	}
	if own.outer {
		for _, i := range own.nulls {
			if err := j.emitAlone(input, b.Cols, int(i), signed(b.Change(int(i)))); err != nil {
				return err
			}
		}
	}
	own.gids, own.matches = resized(own.gids, len(own.rows)), resized(own.matches, len(own.rows))
	own.bag.groups(own.hash, own.cols, own.rows, own.gids)
	other.bag.table.Lookup(own.hash, own.cols, own.rows, own.matches)
	for k, i := range own.rows {
		if err := j.pushRow(input, b, int(i), own.gids[k], own.matches[k]); err != nil {
			return err
		}
	}
	if len(b.Op) > 0 {
		own.bag.releaseUnused(own.gids)
	}
	own.bag.sweep()
	return j.emit.flush()
}

// pushRow joins and keeps (or takes back) one row. gid is its key on its own side, match on the other.
func (j *Join) pushRow(input int, b *vector.Batch, i int, gid, match int32) error {
	own := j.sides[input]
	j.encoded = row.EncodeValue(j.encoded[:0], b.Cols, i)
	op := signed(b.Change(i))
	var e int32
	if op == vector.Insert {
		var fresh bool
		if e, fresh = own.bag.add(gid, j.encoded, 1); fresh && own.ends != nil {
			own.file(gid, b.Cols[own.windowEnd], i)
		}
	} else if e = own.bag.lookup(gid, j.encoded); e == noEntry {
		return nil // the row was never there, or its window has closed
	}
	if j.o.Kind == InnerJoin {
		if err := j.matchInner(input, b, i, match, op); err != nil {
			return err
		}
	} else if err := j.matchOuter(input, b, i, e, match, op); err != nil {
		return err
	}
	if op == vector.Delete {
		own.bag.remove(e, 1)
	}
	return nil
}

func signed(op vector.Change) vector.Change {
	if op.Adds() {
		return vector.Insert
	}
	return vector.Delete
}

func (j *Join) matchInner(input int, b *vector.Batch, i int, match int32, op vector.Change) error {
	other := j.sides[1-input].bag
	for m := other.first(match); m != noEntry; m = other.entries[m].next {
		if err := j.emitPair(input, b, i, m, op); err != nil {
			return err
		}
	}
	return nil
}

// matchOuter emits the pairs of a row with the entry e, and the rows alone that appear or vanish because of it.
func (j *Join) matchOuter(input int, b *vector.Batch, i int, e, match int32, op vector.Change) error {
	own, other := j.sides[input], j.sides[1-input].bag
	var matched int64
	var err error
	if j.cond == nil {
		for m := other.first(match); m != noEntry && err == nil; m = other.entries[m].next {
			matched += other.entries[m].count
			err = j.pair(input, b, i, m, op)
		}
	} else {
		matched, err = j.matchCandidates(input, b, i, match, op)
	}
	if err != nil || !own.outer {
		return err
	}
	if x := &own.bag.entries[e]; x.aux != matched {
		x.aux = matched
		own.bag.touch(e)
	}
	if matched == 0 && j.eager() {
		return j.emitAlone(input, b.Cols, i, op)
	}
	return nil
}

// matchCandidates is the loop of matchOuter with a residual.
func (j *Join) matchCandidates(input int, b *vector.Batch, i int, match int32, op vector.Change) (matched int64, err error) {
	other := j.sides[1-input]
	for m := other.bag.first(match); m != noEntry; {
		j.cand.Reset()
		j.candOf = j.candOf[:0]
		for ; m != noEntry && j.cand.N < maxCandidates; m = other.bag.entries[m].next {
			if err := j.appendPair(j.cand.Cols, input, b, i, m); err != nil {
				return 0, err
			}
			j.cand.EndRow(vector.Insert)
			j.candOf = append(j.candOf, m)
		}
		if j.sel, j.failed, err = selectRows(j.ctx, j.o.Stage, j.cond, j.cand, j.sel, j.failed); err != nil {
			return 0, err
		}
		for _, c := range j.sel {
			matched += other.bag.entries[j.candOf[c]].count
			if err := j.pair(input, b, i, j.candOf[c], op); err != nil {
				return 0, err
			}
		}
	}
	return matched, nil
}

// pair emits a match and, for an outer other side, the change of the partner's row alone.
func (j *Join) pair(input int, b *vector.Batch, i int, m int32, op vector.Change) error {
	other := j.sides[1-input]
	if !other.outer {
		return j.emitPair(input, b, i, m, op)
	}
	x := &other.bag.entries[m]
	if op == vector.Insert {
		x.aux++
	} else {
		x.aux--
	}
	other.bag.touch(m)
	aux := x.aux
	if op == vector.Insert && aux == 1 && j.eager() {
		if err := j.emitKept(1-input, m, vector.Delete); err != nil {
			return err
		}
	}
	if err := j.emitPair(input, b, i, m, op); err != nil {
		return err
	}
	if op == vector.Delete && aux == 0 && j.eager() {
		return j.emitKept(1-input, m, vector.Insert)
	}
	return nil
}

// columns splits the output columns: own side's, other side's.
func (j *Join) columns(cols []*vector.Vector, input int) (own, other []*vector.Vector) {
	n := len(j.o.Left)
	if input == 0 {
		return cols[:n], cols[n:]
	}
	return cols[n:], cols[:n]
}

// appendPair appends row i of b beside the kept row m of the other side.
func (j *Join) appendPair(cols []*vector.Vector, input int, b *vector.Batch, i int, m int32) error {
	own, other := j.columns(cols, input)
	for c, v := range own {
		v.AppendFrom(b.Cols[c], i)
	}
	side := j.sides[1-input]
	_, err := row.DecodeValue(side.bag.bytes(m), side.schema, other)
	return err
}

// emitPair emits row i of b beside m, once per copy of m.
func (j *Join) emitPair(input int, b *vector.Batch, i int, m int32, op vector.Change) error {
	for range j.sides[1-input].bag.entries[m].count {
		if err := j.appendPair(j.emit.batch.Cols, input, b, i, m); err != nil {
			return err
		}
		if err := j.emit.end(op); err != nil {
			return err
		}
	}
	return nil
}

// emitAlone emits row i of cols with NULLs for the other side.
func (j *Join) emitAlone(input int, cols []*vector.Vector, i int, op vector.Change) error {
	own, other := j.columns(j.emit.batch.Cols, input)
	for c, v := range own {
		v.AppendFrom(cols[c], i)
	}
	for _, v := range other {
		v.AppendNull()
	}
	return j.emit.end(op)
}

// emitKept emits all copies of a kept row with NULLs for the other side.
func (j *Join) emitKept(input int, e int32, op vector.Change) error {
	side := j.sides[input]
	for range side.bag.entries[e].count {
		own, other := j.columns(j.emit.batch.Cols, input)
		if _, err := row.DecodeValue(side.bag.bytes(e), side.schema, own); err != nil {
			return err
		}
		for _, v := range other {
			v.AppendNull()
		}
		if err := j.emit.end(op); err != nil {
			return err
		}
	}
	return nil
}

// Watermark drops the rows of windows that t closes; outer rows without a match are emitted then.
func (j *Join) Watermark(t int64, out Output) (int64, error) {
	if j.eager() || t <= j.clock.now {
		return t, nil
	}
	j.clock.now = t
	j.emit.out = out
	for input, s := range j.sides {
		var unmatched func(e int32) error
		if s.outer {
			unmatched = func(e int32) error { return j.emitKept(input, e, vector.Insert) }
		}
		if err := s.closeWindows(t, unmatched); err != nil {
			return t, err
		}
	}
	return t, j.emit.flush()
}

// Barrier writes the changed rows of both sides.
func (j *Join) Barrier(uint64) error {
	if j.ctx.State == nil {
		return nil
	}
	if !j.eager() {
		j.clock.save(j.ctx)
	}
	for _, s := range j.sides {
		j.buf = s.bag.write(j.ctx.State, s.table, j.buf)
	}
	return nil
}

// End has nothing to emit.
func (j *Join) End(int, Output) error { return nil }

// Close has nothing to release.
func (j *Join) Close() error { return nil }
