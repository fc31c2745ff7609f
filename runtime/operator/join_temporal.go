package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// TemporalJoinOptions describe a join with the versions of a table (FOR SYSTEM_TIME AS OF).
type TemporalJoinOptions struct {
	Stage               string       // name in the tables errors and late
	Kind                JoinKind     // InnerJoin or LeftJoin
	Left, Right         []types.Type // the inputs' columns
	LeftKeys, RightKeys []int        // pairwise equal types
	LeftTime, RightTime int          // event-time columns
	Residual            expr.Expr    // over left columns, then right columns; nil: none
}

// TemporalJoin joins each left row (input 0) with the version of the right row (input 1) that was valid at its time: the latest one at or
// before it. Left rows wait until the watermark has passed their time, and leave by time, then arrival. A right +I or +U begins a
// version at its time (the last to come wins among equals), -D ends the row, -U says nothing: the +U that follows does. Left rows at or
// before the watermark are late, as their version may be gone; late versions are taken in.
//
// State: table 0 waiting left rows, table 1 versions.
type TemporalJoin struct {
	o       TemporalJoinOptions
	ctx     *Context
	clock   clock
	rights  *versions
	lefts   waiting
	emit    emitter
	cond    *expr.Filter
	pair    *vector.Batch // one candidate of a LEFT join with residual
	keys    []*vector.Vector
	rows    []int32
	late    []int32
	hash    []uint64
	gids    []int32
	popped  []*vector.Vector // the left rows that leave
	ops     []vector.Change
	times   []int64
	sel     []int32
	failed  []int32
	encoded []byte
}

// NewTemporalJoin makes a temporal join.
func NewTemporalJoin(o TemporalJoinOptions) *TemporalJoin { return &TemporalJoin{o: o} }

// Open reads versions and waiting rows back.
func (t *TemporalJoin) Open(ctx *Context) error {
	t.ctx = ctx
	schema := append(append([]types.Type{}, t.o.Left...), t.o.Right...)
	t.emit, t.popped = newEmitter(schema), newColumns(t.o.Left)
	if t.o.Residual != nil {
		t.cond = expr.CompileFilter(t.o.Residual)
		t.pair = newEmitter(schema).batch
	}
	if t.o.Kind == InnerJoin {
		t.emit.cond, t.emit.ctx, t.emit.stage = t.cond, ctx, t.o.Stage
	}
	t.rights = newVersions(schemaOf(t.o.Right, t.o.RightKeys), ctx.State != nil)
	t.lefts = newWaiting(ctx.State != nil)
	if err := t.clock.load(ctx); err != nil {
		return err
	}
	if err := t.lefts.read(ctx, 0); err != nil {
		return err
	}
	return t.rights.read(ctx, 1)
}

// Push keeps rows of either side.
func (t *TemporalJoin) Push(input int, b *vector.Batch, _ Output) error {
	if input == 1 {
		return t.pushRight(b)
	}
	return t.pushLeft(b)
}

func (t *TemporalJoin) pushLeft(b *vector.Batch) error {
	t.keys = pick(t.keys, b, t.o.LeftKeys)
	col := b.Cols[t.o.LeftTime]
	t.late = t.late[:0]
	t.hash = resized(t.hash, b.Rows())
	row.Hash(t.keys, b.Sel, t.hash)
	for k := range b.Rows() {
		i := b.Row(k)
		if t.o.Kind == InnerJoin && anyNull(t.keys, i) {
			continue
		}
		at, bad := eventTime(col, i)
		if bad != nil {
			if err := t.ctx.RowError(t.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		if at <= t.clock.now {
			t.late = append(t.late, int32(i))
			continue
		}
		t.encoded = append(t.encoded[:0], byte(b.Change(i)))
		t.encoded = row.EncodeValue(t.encoded, b.Cols, i)
		t.lefts.add(at, row.KeyGroup(t.hash[k]), t.encoded)
	}
	if len(t.late) > 0 {
		t.ctx.Late(t.o.Stage, b, t.late)
	}
	return nil
}

func (t *TemporalJoin) pushRight(b *vector.Batch) error {
	t.keys = pick(t.keys, b, t.o.RightKeys)
	col := b.Cols[t.o.RightTime]
	t.rows = t.rows[:0]
	for k := range b.Rows() {
		i := b.Row(k)
		if b.Change(i) == vector.UpdateBefore || anyNull(t.keys, i) {
			continue
		}
		if _, bad := eventTime(col, i); bad != nil {
			if err := t.ctx.RowError(t.o.Stage, b, i, bad); err != nil {
				return err
			}
			continue
		}
		t.rows = append(t.rows, int32(i))
	}
	t.hash, t.gids = resized(t.hash, len(t.rows)), resized(t.gids, len(t.rows))
	row.Hash(t.keys, t.rows, t.hash)
	t.rights.groups(t.hash, t.keys, t.rows, t.gids)
	for k, r := range t.rows {
		i := int(r)
		if b.Change(i) == vector.Delete {
			t.rights.put(t.gids[k], col.I64[i], nil)
			continue
		}
		t.encoded = row.EncodeValue(t.encoded[:0], b.Cols, i)
		t.rights.put(t.gids[k], col.I64[i], t.encoded)
	}
	return nil
}

// Watermark joins and emits the left rows whose time has come and forgets versions that nothing can ask for any more.
func (t *TemporalJoin) Watermark(now int64, out Output) (int64, error) {
	if now <= t.clock.now {
		return now, nil
	}
	t.clock.now = now
	t.emit.out = out
	for t.lefts.next(now) {
		if err := t.popSome(now); err != nil {
			return now, err
		}
		if err := t.joinPopped(); err != nil {
			return now, err
		}
	}
	t.rights.forget(now)
	return now, t.emit.flush()
}

// popSome moves up to MaxRows left rows out of the heap into popped.
func (t *TemporalJoin) popSome(now int64) error {
	resetColumns(t.popped)
	t.ops, t.times = t.ops[:0], t.times[:0]
	for len(t.ops) < vector.MaxRows && t.lefts.next(now) {
		at, _, data := t.lefts.pop()
		t.ops, t.times = append(t.ops, vector.Change(data[0])), append(t.times, at)
		if _, err := row.DecodeValue(data[1:], t.o.Left, t.popped); err != nil {
			return err
		}
	}
	return nil
}

func (t *TemporalJoin) joinPopped() error {
	n := len(t.ops)
	t.keys = t.keys[:0]
	for _, c := range t.o.LeftKeys {
		t.keys = append(t.keys, t.popped[c])
	}
	t.hash, t.gids = resized(t.hash, n), resized(t.gids, n)
	row.Hash(t.keys, nil, t.hash)
	t.rights.table.Lookup(t.hash, t.keys, nil, t.gids)
	for i := range n {
		var data []byte
		if !anyNull(t.keys, i) {
			data = t.rights.at(t.gids[i], t.times[i])
		}
		if err := t.emitRow(i, data); err != nil {
			return err
		}
	}
	return nil
}

// emitRow emits left row i with its version, data; nil is none.
func (t *TemporalJoin) emitRow(i int, data []byte) error {
	if data == nil && t.o.Kind == InnerJoin {
		return nil
	}
	if data != nil && t.o.Kind == LeftJoin && t.cond != nil {
		ok, err := t.passes(i, data)
		if err != nil {
			return err
		}
		if !ok {
			data = nil
		}
	}
	if err := t.appendPair(t.emit.batch.Cols, i, data); err != nil {
		return err
	}
	return t.emit.end(t.ops[i])
}

// passes evaluates the residual for one pair.
func (t *TemporalJoin) passes(i int, data []byte) (bool, error) {
	t.pair.Reset()
	err := t.appendPair(t.pair.Cols, i, data)
	if err != nil {
		return false, err
	}
	t.pair.EndRow(vector.Insert)
	t.sel, t.failed, err = selectRows(t.ctx, t.o.Stage, t.cond, t.pair, t.sel, t.failed)
	return len(t.sel) > 0, err
}

func (t *TemporalJoin) appendPair(cols []*vector.Vector, i int, data []byte) error {
	n := len(t.popped)
	for c, v := range t.popped {
		cols[c].AppendFrom(v, i)
	}
	if data == nil {
		for _, v := range cols[n:] {
			v.AppendNull()
		}
		return nil
	}
	_, err := row.DecodeValue(data, t.o.Right, cols[n:])
	return err
}

// Barrier writes what has come and deletes what has gone.
func (t *TemporalJoin) Barrier(uint64) error {
	if t.ctx.State == nil {
		return nil
	}
	t.clock.save(t.ctx)
	t.lefts.write(t.ctx.State, 0)
	t.encoded = t.rights.write(t.ctx.State, 1, t.encoded)
	return nil
}

// End has nothing to emit: the watermark MaxTime has let all rows go.
func (t *TemporalJoin) End(int, Output) error { return nil }

// Close has nothing to release.
func (t *TemporalJoin) Close() error { return nil }
