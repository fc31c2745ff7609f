package operator

import (
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// pushExists emits left rows by whether they have a partner: SemiKind and AntiKind select them, MarkKind appends the answer. Left columns
// are shared.
func (l *LookupJoin) pushExists(b *vector.Batch, out Output) error {
	l.sel = l.sel[:0]
	if l.mark == nil {
		l.mark = vector.New(types.Of(types.Bool), 0)
	}
	l.mark.Reset()
	l.mark.Resize(b.N)
	for k := range b.Rows() {
		i := b.Row(k)
		has, err := l.exists(b, i)
		if err != nil {
			return err
		}
		l.mark.I64[i] = int64(b2i(has))
		if l.o.Kind == MarkKind || has == (l.o.Kind == SemiKind) {
			l.sel = append(l.sel, int32(i))
		}
	}
	if len(l.sel) == 0 {
		return nil
	}
	cols := append(l.view.Cols[:0], b.Cols...)
	if l.o.Kind == MarkKind {
		cols = append(cols, l.mark)
	}
	l.view = vector.Batch{Cols: cols, N: b.N, Sel: l.sel, Op: b.Op, Origin: b.Origin}
	if len(l.sel) == b.N {
		l.view.Sel = nil
	}
	return out.Push(&l.view)
}

// exists tells whether row i of b has a partner.
func (l *LookupJoin) exists(b *vector.Batch, i int) (bool, error) {
	gid := l.match[i]
	if gid == row.NoGroup {
		return false, nil
	}
	if l.cond == nil {
		return true, nil
	}
	for r, end := l.start[gid], l.start[gid]+l.count[gid]; r < end; {
		n, err := l.candidates(b, i, r, end)
		if err != nil {
			return false, err
		}
		if len(l.cands) > 0 {
			return true, nil
		}
		r = n
	}
	return false, nil
}

func b2i(x bool) int {
	if x {
		return 1
	}
	return 0
}
