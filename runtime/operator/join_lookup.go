package operator

import (
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// LookupJoinOptions describe a join with a static table.
type LookupJoinOptions struct {
	Stage               string       // name in the error table
	Kind                JoinKind     // any but FullJoin
	Left, Right         []types.Type // the inputs' columns
	LeftKeys, RightKeys []int        // pairwise equal types
	NullEqual           []bool       // by key: NULL equals NULL; nil: nowhere
	Residual            expr.Expr    // over left columns, then right columns; nil: none
}

// LookupJoin joins each left row (input 0) with a bounded right input (input 1) that is read whole first. Change kinds of the left pass
// through. Nothing is checkpointed: the table is read again after a restart.
//
// When no key has two right rows, output rows are the left's position by position: the left columns are shared, only right columns
// are gathered. Otherwise rows are copied.
type LookupJoin struct {
	stateless
	o      LookupJoinOptions
	cond   *expr.Filter
	load   *bag // right rows while they come in; its table serves the lookups afterwards
	frozen bool
	unique bool
	right  []*vector.Vector // right rows, those of a key adjacent
	start  []int32          // by gid: first row in right
	count  []int32          // by gid

	strictLeft, strictRight []int // key columns in which NULL matches nothing

	keys    []*vector.Vector
	rows    []int32
	hash    []uint64
	gids    []int32
	match   []int32 // by physical left row: row in right, -1 none
	sel     []int32
	failed  []int32
	kept    []int32
	gather  []*vector.Vector
	view    vector.Batch
	emit    emitter
	encoded []byte

	cand  *vector.Batch // candidates of one row, where the residual decides row by row
	cands []int32
	mark  *vector.Vector // MarkKind: whether a row has a partner
}

// NewLookupJoin makes a lookup join.
func NewLookupJoin(o LookupJoinOptions) *LookupJoin {
	return &LookupJoin{o: o, strictLeft: strictKeys(o.LeftKeys, o.NullEqual), strictRight: strictKeys(o.RightKeys, o.NullEqual)}
}

// Gate says that the right input must be read first.
func (l *LookupJoin) Gate() int { return 1 }

// Open prepares an empty table.
func (l *LookupJoin) Open(ctx *Context) error {
	l.load = newBag(schemaOf(l.o.Right, l.o.RightKeys), false)
	schema := append(append([]types.Type{}, l.o.Left...), l.o.Right...)
	l.emit = newEmitter(schema)
	if l.o.Residual != nil {
		l.cond = expr.CompileFilter(l.o.Residual)
		l.cand = newEmitter(schema).batch
	}
	if l.o.Kind == InnerJoin {
		l.emit.cond, l.emit.ctx, l.emit.stage = l.cond, ctx, l.o.Stage
	}
	l.gather = newColumns(l.o.Right)
	return l.stateless.Open(ctx)
}

// Push keeps right rows and joins left ones.
func (l *LookupJoin) Push(input int, b *vector.Batch, out Output) error {
	if input == 1 {
		return l.keep(b)
	}
	if err := l.freeze(); err != nil {
		return err
	}
	l.unique = l.unique && l.o.Kind < SemiKind
	l.lookup(b)
	switch {
	case l.o.Kind >= SemiKind:
		return l.pushExists(b, out)
	case l.unique:
		return l.pushUnique(b, out)
	}
	return l.pushMany(b, out)
}

// keep takes right rows in, or back.
func (l *LookupJoin) keep(b *vector.Batch) error {
	l.hashRows(b, l.o.RightKeys, l.strictRight)
	l.gids = resized(l.gids, len(l.rows))
	l.load.groups(l.hash, l.keys, l.rows, l.gids)
	for k, i := range l.rows {
		l.encoded = row.EncodeValue(l.encoded[:0], b.Cols, int(i))
		if b.Change(int(i)).Adds() {
			l.load.add(l.gids[k], l.encoded, 1)
		} else if e := l.load.lookup(l.gids[k], l.encoded); e != noEntry {
			l.load.remove(e, 1)
		}
	}
	l.load.releaseUnused(l.gids)
	l.load.sweep()
	return nil
}

// hashRows sets rows to the counting rows of b without a NULL in a strict key column, and keys and hash accordingly.
func (l *LookupJoin) hashRows(b *vector.Batch, cols, strict []int) {
	l.keys = pick(l.keys, b, cols)
	l.rows = l.rows[:0]
	for k := range b.Rows() {
		if i := b.Row(k); !nullAmong(b.Cols, strict, i) {
			l.rows = append(l.rows, int32(i))
		}
	}
	l.hash = resized(l.hash, len(l.rows))
	row.Hash(l.keys, l.rows, l.hash)
}

// freeze turns the right rows into columns. From then on the bag only maps keys to gids.
func (l *LookupJoin) freeze() error {
	if l.frozen {
		return nil
	}
	l.frozen, l.unique = true, true
	l.right = newColumns(l.o.Right)
	n := l.load.table.Cap()
	l.start, l.count = make([]int32, n), make([]int32, n)
	rows := int32(0)
	for gid := range l.load.table.All() {
		l.start[gid] = rows
		for e := l.load.first(gid); e != noEntry; e = l.load.entries[e].next {
			for range l.load.entries[e].count {
				if _, err := row.DecodeValue(l.load.bytes(e), l.o.Right, l.right); err != nil {
					return err
				}
				rows++
			}
		}
		l.count[gid] = rows - l.start[gid]
		l.unique = l.unique && l.count[gid] <= 1
	}
	table := l.load.table
	l.load = &bag{table: table}
	return nil
}

// lookup sets match by physical row: the gid in many mode, the right row in unique mode, -1 when there is none.
func (l *LookupJoin) lookup(b *vector.Batch) {
	l.hashRows(b, l.o.LeftKeys, l.strictLeft)
	l.gids, l.match = resized(l.gids, len(l.rows)), resized(l.match, b.N)
	l.load.table.Lookup(l.hash, l.keys, l.rows, l.gids)
	if len(l.rows) < b.N {
		for i := range l.match {
			l.match[i] = -1
		}
	}
	for k, i := range l.rows {
		l.match[i] = l.gids[k]
		if gid := l.gids[k]; gid != row.NoGroup && l.unique {
			l.match[i] = l.start[gid]
		}
	}
}

// pushUnique shares the left columns.
func (l *LookupJoin) pushUnique(b *vector.Batch, out Output) (err error) {
	l.sel = l.sel[:0]
	for k := range b.Rows() {
		if i := b.Row(k); l.o.Kind == LeftJoin || l.match[i] >= 0 {
			l.sel = append(l.sel, int32(i))
		}
	}
	if len(l.sel) == 0 {
		return nil
	}
	for c, v := range l.gather {
		v.Reset()
		gatherOrNull(v, l.right[c], l.match)
	}
	cols := append(append(l.view.Cols[:0], b.Cols...), l.gather...)
	l.view = vector.Batch{Cols: cols, N: b.N, Sel: l.sel, Op: b.Op, Origin: b.Origin}
	if l.cond != nil {
		if err := l.filterUnique(); err != nil || len(l.view.Sel) == 0 {
			return err
		}
	}
	if len(l.view.Sel) == b.N {
		l.view.Sel = nil
	}
	return out.Push(&l.view)
}

// filterUnique applies the residual to view: an inner join drops rows, a left join takes their partner away.
func (l *LookupJoin) filterUnique() (err error) {
	if l.kept, l.failed, err = selectRows(l.ctx, l.o.Stage, l.cond, &l.view, l.kept, l.failed); err != nil {
		return err
	}
	if l.o.Kind == InnerJoin {
		l.view.Sel = l.kept
		return nil
	}
	kept := l.kept
	for _, i := range l.sel {
		if len(kept) > 0 && kept[0] == i {
			kept = kept[1:]
			continue
		}
		for _, v := range l.gather {
			v.SetNull(int(i))
		}
	}
	if len(l.failed) > 0 {
		l.sel = without(l.sel, &vector.Batch{N: l.view.N, Sel: append([]int32{}, l.sel...)}, l.failed)
		l.view.Sel = l.sel
	}
	return nil
}

// gatherOrNull appends row at[k] of src for every k; NULL where at[k] is negative.
func gatherOrNull(dst, src *vector.Vector, at []int32) {
	if dst.Type.Class() == types.ClassI64 && src.Valid == nil && src.N > 0 {
		dst.Resize(len(at))
		missing := false
		for k, i := range at {
			if i < 0 {
				missing = true
				i = 0
			}
			dst.I64[k] = src.I64[i]
		}
		if !missing {
			return
		}
		for k, i := range at {
			if i < 0 {
				dst.SetNull(k)
			}
		}
		return
	}
	for _, i := range at {
		if i < 0 {
			dst.AppendNull()
		} else {
			dst.AppendFrom(src, int(i))
		}
	}
}

// pushMany copies rows, once per match.
func (l *LookupJoin) pushMany(b *vector.Batch, out Output) error {
	l.emit.out = out
	for k := range b.Rows() {
		i := b.Row(k)
		gid := l.match[i]
		var err error
		switch {
		case gid == row.NoGroup && l.o.Kind == LeftJoin:
			err = l.emitAlone(b, i)
		case gid == row.NoGroup:
		case l.o.Kind == LeftJoin && l.cond != nil:
			err = l.emitCandidates(b, i, gid)
		default:
			for r := l.start[gid]; r < l.start[gid]+l.count[gid] && err == nil; r++ {
				l.appendPair(l.emit.batch.Cols, b, i, int(r))
				err = l.emit.end(b.Change(i))
			}
		}
		if err != nil {
			return err
		}
	}
	return l.emit.flush()
}

func (l *LookupJoin) appendPair(cols []*vector.Vector, b *vector.Batch, i, r int) {
	n := len(b.Cols)
	for c, v := range b.Cols {
		cols[c].AppendFrom(v, i)
	}
	for c, v := range l.right {
		cols[n+c].AppendFrom(v, r)
	}
}

// emitCandidates emits the partners of a left row that pass the residual, or the row alone.
func (l *LookupJoin) emitCandidates(b *vector.Batch, i int, gid int32) (err error) {
	matched := false
	end := l.start[gid] + l.count[gid]
	for r := l.start[gid]; r < end; {
		if r, err = l.candidates(b, i, r, end); err != nil {
			return err
		}
		for _, c := range l.cands {
			matched = true
			for n, v := range l.emit.batch.Cols {
				v.AppendFrom(l.cand.Cols[n], int(c))
			}
			if err := l.emit.end(b.Change(i)); err != nil {
				return err
			}
		}
	}
	if matched {
		return nil
	}
	return l.emitAlone(b, i)
}

// candidates puts row i of b with right rows from r on to the condition, as many as fit. Cands are those that pass, in cand; next is the
// right row to go on with.
func (l *LookupJoin) candidates(b *vector.Batch, i int, r, end int32) (next int32, err error) {
	l.cand.Reset()
	for ; r < end && l.cand.N < maxCandidates; r++ {
		l.appendPair(l.cand.Cols, b, i, int(r))
		l.cand.EndRow(vector.Insert)
	}
	l.cands, l.failed, err = selectRows(l.ctx, l.o.Stage, l.cond, l.cand, l.cands, l.failed)
	return r, err
}

func (l *LookupJoin) emitAlone(b *vector.Batch, i int) error {
	for c, v := range l.emit.batch.Cols {
		if c < len(b.Cols) {
			v.AppendFrom(b.Cols[c], i)
		} else {
			v.AppendNull()
		}
	}
	return l.emit.end(b.Change(i))
}

// End freezes the table when the right input is over.
func (l *LookupJoin) End(input int, _ Output) error {
	if input == 1 {
		return l.freeze()
	}
	return nil
}
