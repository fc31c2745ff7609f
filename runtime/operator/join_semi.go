package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// SemiJoin keeps the rows of both inputs and emits left rows by whether they have a partner on the right: input 0 is left, 1 right.
//
//	SemiKind  the rows that have one
//	AntiKind  the rows that have none
//	MarkKind  all rows, and behind them a BOOLEAN: TRUE when there is one
//
// Rows with a NULL in a strict key have none. The output says +I and -D only. On windows (see JoinOptions) rows without a partner come
// when their window closes, and are never taken back.
//
// Equal right rows are one entry with a count, and only its coming and going changes anything: plans leave on the right no more columns
// than the condition reads, so that a right row costs what its different values cost.
//
// State: table 0 left rows (bag; aux: number of right entries that match), table 1 right rows (bag).
type SemiJoin struct {
	o           JoinOptions
	ctx         *Context
	clock       clock
	left, right *joinSide
	emit        emitter
	cond        *expr.Filter // nil: equal keys are enough

	cand    *vector.Batch // candidates of one row: left, then right columns
	candOf  []int32       // entry of the kept side, by candidate
	matched []int32
	sel     []int32
	failed  []int32
	encoded []byte
	buf     []byte
}

// NewSemiJoin makes a join of SemiKind, AntiKind or MarkKind.
func NewSemiJoin(o JoinOptions) *SemiJoin {
	j := &SemiJoin{o: o, left: newJoinSide(o.Left, o.LeftKeys, o.NullEqual, 0), right: newJoinSide(o.Right, o.RightKeys, o.NullEqual, 1)}
	if o.LeftWindowEnd >= 0 && o.RightWindowEnd >= 0 {
		j.left.windowEnd, j.right.windowEnd = o.LeftWindowEnd, o.RightWindowEnd
	}
	return j
}

// Open reads both sides back.
func (j *SemiJoin) Open(ctx *Context) error {
	j.ctx = ctx
	schema := append([]types.Type{}, j.o.Left...)
	if j.o.Kind == MarkKind {
		schema = append(schema, types.Of(types.Bool))
	}
	j.emit = newEmitter(schema)
	if j.o.Residual != nil {
		j.cond = expr.CompileFilter(j.o.Residual)
		j.cand = newEmitter(append(append([]types.Type{}, j.o.Left...), j.o.Right...)).batch
	}
	if err := j.clock.load(ctx); err != nil {
		return err
	}
	if err := j.left.open(ctx); err != nil {
		return err
	}
	return j.right.open(ctx)
}

// eager tells whether rows without a partner appear at once.
func (j *SemiJoin) eager() bool { return j.left.windowEnd < 0 }

// Push takes rows of one side.
func (j *SemiJoin) Push(input int, b *vector.Batch, out Output) error {
	j.emit.out = out
	own, other := j.left, j.right
	if input == 1 {
		own, other = j.right, j.left
	}
	own.split(b, j.clock.now)
	if len(own.late) > 0 {
		j.ctx.Late(j.o.Stage, b, own.late)
	}
	if input == 0 && j.o.Kind != SemiKind {
		for _, i := range own.nulls {
			if err := j.emitRow(b.Cols, int(i), false, signed(b.Change(int(i)))); err != nil {
				return err
			}
		}
	}
	own.gids, own.matches = resized(own.gids, len(own.rows)), resized(own.matches, len(own.rows))
	own.bag.groups(own.hash, own.cols, own.rows, own.gids)
	other.bag.table.Lookup(own.hash, own.cols, own.rows, own.matches)
	for k, i := range own.rows {
		var err error
		j.encoded = row.EncodeValue(j.encoded[:0], b.Cols, int(i))
		if input == 0 {
			err = j.pushLeft(b, int(i), own.gids[k], own.matches[k])
		} else {
			err = j.pushRight(b, int(i), own.gids[k], own.matches[k])
		}
		if err != nil {
			return err
		}
	}
	if len(b.Op) > 0 {
		own.bag.releaseUnused(own.gids)
	}
	own.bag.sweep()
	return j.emit.flush()
}

// pushLeft keeps (or takes back) a left row and emits it as it stands. gid is its key, match that of its partners.
func (j *SemiJoin) pushLeft(b *vector.Batch, i int, gid, match int32) error {
	left := j.left.bag
	op := signed(b.Change(i))
	var e int32
	if op == vector.Insert {
		var fresh bool
		if e, fresh = left.add(gid, j.encoded, 1); fresh {
			if j.left.ends != nil {
				j.left.file(gid, b.Cols[j.left.windowEnd], i)
			}
			if err := j.match(0, b, i, match); err != nil {
				return err
			}
			left.entries[e].aux = int64(len(j.matched))
		}
	} else if e = left.lookup(gid, j.encoded); e == noEntry {
		return nil // the row was never there, or its window has closed
	}
	has := left.entries[e].aux > 0
	if j.shows(has) {
		if err := j.emitRow(b.Cols, i, has, op); err != nil {
			return err
		}
	}
	if op == vector.Delete {
		left.remove(e, 1)
	}
	return nil
}

// pushRight keeps (or takes back) a right row; when it is the first or the last of its like, left rows may find or lose their only partner.
func (j *SemiJoin) pushRight(b *vector.Batch, i int, gid, match int32) error {
	right := j.right.bag
	by := int64(1)
	if signed(b.Change(i)) == vector.Insert {
		_, fresh := right.add(gid, j.encoded, 1)
		if !fresh {
			return nil
		}
		if j.right.ends != nil {
			j.right.file(gid, b.Cols[j.right.windowEnd], i)
		}
	} else {
		e := right.lookup(gid, j.encoded)
		if e == noEntry {
			return nil
		}
		if right.remove(e, 1); right.entries[e].count > 0 {
			return nil
		}
		by = -1
	}
	if err := j.match(1, b, i, match); err != nil {
		return err
	}
	for _, m := range j.matched {
		x := &j.left.bag.entries[m]
		had := x.aux > 0
		x.aux += by
		j.left.bag.touch(m)
		if has := x.aux > 0; has != had {
			if err := j.flip(m, has); err != nil {
				return err
			}
		}
	}
	return nil
}

// match sets matched to the entries of the other side that fit row i of b, which is of side input. First is the other side's key.
func (j *SemiJoin) match(input int, b *vector.Batch, i int, first int32) (err error) {
	j.matched = j.matched[:0]
	other := j.right
	if input == 1 {
		other = j.left
	}
	m := other.bag.first(first)
	if j.cond == nil {
		for ; m != noEntry; m = other.bag.entries[m].next {
			j.matched = append(j.matched, m)
		}
		return nil
	}
	for m != noEntry {
		j.cand.Reset()
		j.candOf = j.candOf[:0]
		for ; m != noEntry && j.cand.N < maxCandidates; m = other.bag.entries[m].next {
			if err := j.candidate(input, b, i, other, m); err != nil {
				return err
			}
			j.candOf = append(j.candOf, m)
		}
		if j.sel, j.failed, err = selectRows(j.ctx, j.o.Stage, j.cond, j.cand, j.sel, j.failed); err != nil {
			return err
		}
		for _, c := range j.sel {
			j.matched = append(j.matched, j.candOf[c])
		}
	}
	return nil
}

// candidate appends row i of b beside the kept row m of the other side.
func (j *SemiJoin) candidate(input int, b *vector.Batch, i int, other *joinSide, m int32) error {
	n := len(j.o.Left)
	own, kept := j.cand.Cols[:n], j.cand.Cols[n:]
	if input == 1 {
		own, kept = kept, own
	}
	for c, v := range own {
		v.AppendFrom(b.Cols[c], i)
	}
	if _, err := row.DecodeValue(other.bag.bytes(m), other.schema, kept); err != nil {
		return err
	}
	j.cand.EndRow(vector.Insert)
	return nil
}

// shows tells whether a left row appears, given whether it has a partner.
func (j *SemiJoin) shows(has bool) bool {
	switch j.o.Kind {
	case SemiKind:
		return has
	case AntiKind:
		return !has && j.eager()
	}
	return has || j.eager()
}

// flip emits what changes when the kept left row e has found its first partner, or lost its last.
func (j *SemiJoin) flip(e int32, has bool) error {
	if j.shows(!has) {
		if err := j.emitKept(e, !has, vector.Delete); err != nil {
			return err
		}
	}
	if j.shows(has) {
		return j.emitKept(e, has, vector.Insert)
	}
	return nil
}

func (j *SemiJoin) emitRow(cols []*vector.Vector, i int, has bool, op vector.Change) error {
	for c, v := range j.emit.batch.Cols[:len(j.o.Left)] {
		v.AppendFrom(cols[c], i)
	}
	return j.end(has, op)
}

// emitKept emits all copies of a kept left row.
func (j *SemiJoin) emitKept(e int32, has bool, op vector.Change) error {
	for range j.left.bag.entries[e].count {
		if _, err := row.DecodeValue(j.left.bag.bytes(e), j.left.schema, j.emit.batch.Cols[:len(j.o.Left)]); err != nil {
			return err
		}
		if err := j.end(has, op); err != nil {
			return err
		}
	}
	return nil
}

func (j *SemiJoin) end(has bool, op vector.Change) error {
	if j.o.Kind == MarkKind {
		j.emit.batch.Cols[len(j.o.Left)].AppendBool(has)
	}
	return j.emit.end(op)
}

// Watermark drops the rows of windows that t closes; left rows without a partner are emitted then.
func (j *SemiJoin) Watermark(t int64, out Output) (int64, error) {
	if j.eager() || t <= j.clock.now {
		return t, nil
	}
	j.clock.now = t
	j.emit.out = out
	for _, s := range []*joinSide{j.left, j.right} {
		var unmatched func(e int32) error
		if s == j.left && j.o.Kind != SemiKind {
			unmatched = func(e int32) error { return j.emitKept(e, false, vector.Insert) }
		}
		if err := s.closeWindows(t, unmatched); err != nil {
			return t, err
		}
	}
	return t, j.emit.flush()
}

// Barrier writes the changed rows of both sides.
func (j *SemiJoin) Barrier(uint64) error {
	if j.ctx.State == nil {
		return nil
	}
	if !j.eager() {
		j.clock.save(j.ctx)
	}
	for _, s := range []*joinSide{j.left, j.right} {
		j.buf = s.bag.write(j.ctx.State, s.table, j.buf)
	}
	return nil
}

// End has nothing to emit.
func (j *SemiJoin) End(int, Output) error { return nil }

// Close has nothing to release.
func (j *SemiJoin) Close() error { return nil }
