package parser

import (
	"strings"

	tast "github.com/pingcap/tidb/pkg/parser/ast"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// windowSpec converts what stands behind OVER; a name alone is expanded when the SELECT is complete.
func (c *conv) windowSpec(s *tast.WindowSpec, at ast.Pos) *ast.Window {
	w := &ast.Window{Pos: at}
	if s.PartitionBy != nil {
		for _, item := range s.PartitionBy.Items {
			w.PartitionBy = append(w.PartitionBy, c.expr(item.Expr))
		}
	}
	w.OrderBy = c.orderBy(s.OrderBy)
	if s.Frame != nil {
		w.Frame = c.frame(s.Frame)
	}
	return w
}

func (c *conv) frame(f *tast.FrameClause) *ast.Frame {
	return &ast.Frame{Rows: f.Type == tast.Rows, Groups: f.Type == tast.Groups, Start: c.bound(&f.Extent.Start), End: c.bound(&f.Extent.End)}
}

func (c *conv) bound(b *tast.FrameBound) ast.FrameBound {
	out := ast.FrameBound{Unbounded: b.UnBounded, Current: b.Type == tast.CurrentRow, Following: b.Type == tast.Following}
	if b.Expr != nil {
		out.Offset = c.expr(b.Expr)
		if b.Unit != tast.TimeUnitInvalid {
			out.Offset = &ast.Interval{Pos: ast.Pos(out.Offset.At()), X: out.Offset, Unit: b.Unit.String()}
		}
	}
	return out
}

// expandWindows replaces OVER name within a SELECT by the definition in its WINDOW clause.
func (c *conv) expandWindows(rec *selectRec, specs []tast.WindowSpec) {
	p := c.p
	defs := map[string]*ast.Window{}
	for i := range specs {
		w := c.windowSpec(&specs[i], ast.Pos(rec.pos))
		if ref := specs[i].Ref; ref.O != "" {
			if defs[ref.L] == nil {
				c.unsupported(rec.pos, "a window that extends one not yet defined")
			}
			w = extend(w, defs[ref.L])
		}
		defs[specs[i].Name.L] = w
	}
	left := p.named[:0]
	for _, n := range p.named {
		if n.off < rec.pos || n.off >= rec.end {
			left = append(left, n)
			continue
		}
		def := defs[n.name]
		if def == nil {
			names := make([]string, 0, len(defs))
			for name := range defs {
				names = append(names, name)
			}
			err := diag.New(diag.SyntaxError, n.off, "unknown window '%s'", n.name)
			if sug := diag.Suggest(n.name, names); sug != "" {
				err.WithHint("did you mean %s?", sug)
			} else {
				err.WithHint("define it: WINDOW %s AS (PARTITION BY ..)", n.name)
			}
			p.fail(err)
		}
		n.call.Over = extend(n.call.Over, def)
	}
	p.named = left
}

// extend completes a window by the one it names.
func extend(w, base *ast.Window) *ast.Window {
	out := *w
	out.PartitionBy = base.PartitionBy
	if len(out.OrderBy) == 0 {
		out.OrderBy = base.OrderBy
	}
	if out.Frame == nil {
		out.Frame = base.Frame
	}
	return &out
}

func (c *conv) orderBy(o *tast.OrderByClause) []ast.OrderItem {
	if o == nil {
		return nil
	}
	out := make([]ast.OrderItem, len(o.Items))
	for i, item := range o.Items {
		out[i] = ast.OrderItem{Expr: c.expr(item.Expr), Desc: item.Desc}
	}
	return out
}

// queryOrder is orderBy for the ORDER BY behind an offset, where a number is the place of a column and has no offset in TiDB's tree.
func (c *conv) queryOrder(o *tast.OrderByClause, at int) []ast.OrderItem {
	out := c.orderBy(o)
	for i := range out {
		if _, ok := o.Items[i].Expr.(*tast.PositionExpr); ok {
			out[i].Expr.(*ast.Literal).Pos = c.p.keyPos(at, "ORDER", i)
		}
	}
	return out
}

// keyPos is the offset of the n-th key of the GROUP BY or ORDER BY behind an offset.
func (p *parser) keyPos(at int, word string, n int) ast.Pos {
	k := p.find(p.tokenAt(at), p.end, word, "BY") + 2
	for ; n > 0 && k < p.end; n-- {
		k = p.comma(k, p.end) + 1
	}
	return ast.Pos(p.toks[min(k, p.end)].off)
}

// windowCall converts a call with OVER.
func (c *conv) windowCall(e *tast.WindowFuncExpr, at ast.Pos) ast.Expr {
	call := &ast.Call{Pos: at, Name: c.callName(strings.ToLower(e.Name), at), Distinct: e.Distinct, IgnoreNulls: e.IgnoreNull}
	if e.FromLast {
		c.unsupported(int(at), "FROM LAST")
	}
	c.aggregateArgs(call, e.Args)
	p := c.p
	k := p.overAt(int(at))
	off := p.toks[k].off
	if e.Spec.OnlyAlias {
		call.Over = &ast.Window{Pos: ast.Pos(off)}
		p.named = append(p.named, namedWindow{call: call, name: e.Spec.Name.L, off: off})
		return call
	}
	call.Over = c.windowSpec(&e.Spec, ast.Pos(off))
	if e.Spec.Ref.O != "" {
		p.named = append(p.named, namedWindow{call: call, name: e.Spec.Ref.L, off: off})
	}
	return call
}

// overAt returns the token behind OVER of the call that begins at the offset.
func (p *parser) overAt(off int) int {
	k := p.tokenAt(off)
	if !p.op(k+1, "(") {
		return k
	}
	for i := int(p.match[k+1]) + 1; i < len(p.toks); i++ {
		if p.word(i, "OVER") {
			return i + 1
		}
	}
	return k
}
