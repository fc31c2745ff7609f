package expr

import (
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// caseNode evaluates arms until every row is decided. Errors of an arm count only for the rows that reach it.
type caseNode struct {
	conds, results []node
	els            node
	arms           []*vector.Vector
	pick           []int32 // per row: 0 undecided, k+1 = arm k, len(conds)+1 = else
	out            *vector.Vector
}

func (c *caseNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	n := b.N
	c.pick = zeroed(c.pick, n)
	c.arms = c.arms[:0]
	open := n
	for k := 0; k < len(c.conds) && open > 0; k++ {
		start := len(ctx.Errs)
		cond := c.conds[k].eval(ctx, b)
		c.dropDecided(ctx, start)
		taken := c.take(cond, int32(k+1))
		open -= taken
		var arm *vector.Vector
		if taken > 0 {
			arm = c.evalArm(ctx, b, c.results[k], int32(k+1))
		}
		c.arms = append(c.arms, arm)
	}
	c.out.Reset()
	if open > 0 {
		last := int32(len(c.arms) + 1)
		for i, p := range c.pick {
			if p == 0 {
				c.pick[i] = last
			}
		}
		var arm *vector.Vector
		if c.els != nil {
			arm = c.evalArm(ctx, b, c.els, last)
		}
		c.arms = append(c.arms, arm)
	}
	c.merge(n)
	return c.out
}

func zeroed(s []int32, n int) []int32 {
	if cap(s) < n {
		s = make([]int32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// take gives arm p to the undecided rows where cond is TRUE.
func (c *caseNode) take(cond *vector.Vector, p int32) int {
	taken := 0
	for i, x := range cond.I64[:len(c.pick)] {
		if x != 0 && c.pick[i] == 0 && !cond.IsNull(i) {
			c.pick[i] = p
			taken++
		}
	}
	return taken
}

// evalArm evaluates a result and keeps its errors for the rows that take it.
func (c *caseNode) evalArm(ctx *function.Ctx, b *vector.Batch, arm node, p int32) *vector.Vector {
	start := len(ctx.Errs)
	v := arm.eval(ctx, b)
	kept := ctx.Errs[:start]
	for _, e := range ctx.Errs[start:] {
		if c.pick[e.Row] == p {
			kept = append(kept, e)
		}
	}
	ctx.Errs = kept
	return v
}

func (c *caseNode) dropDecided(ctx *function.Ctx, start int) {
	kept := ctx.Errs[:start]
	for _, e := range ctx.Errs[start:] {
		if c.pick[e.Row] == 0 {
			kept = append(kept, e)
		}
	}
	ctx.Errs = kept
}

// merge copies each row from the arm it picked.
func (c *caseNode) merge(n int) {
	switch c.out.Type.Class() {
	case types.ClassI64:
		c.out.Resize(n)
		for i, p := range c.pick {
			if v := c.arms[p-1]; v != nil {
				c.out.I64[i] = v.I64[i]
			}
		}
	case types.ClassF64:
		c.out.Resize(n)
		for i, p := range c.pick {
			if v := c.arms[p-1]; v != nil {
				c.out.F64[i] = v.F64[i]
			}
		}
	case types.ClassI128:
		c.out.Resize(n)
		for i, p := range c.pick {
			if v := c.arms[p-1]; v != nil {
				c.out.I128[i] = v.I128[i]
			}
		}
	case types.ClassI256:
		c.out.Resize(n)
		for i, p := range c.pick {
			if v := c.arms[p-1]; v != nil {
				c.out.I256[i] = v.I256[i]
			}
		}
	default:
		for i, p := range c.pick {
			if v := c.arms[p-1]; v != nil {
				c.out.AppendFrom(v, i)
			} else {
				c.out.AppendNull()
			}
		}
		return
	}
	c.mergeNulls()
}

func (c *caseNode) mergeNulls() {
	some := false
	for _, v := range c.arms {
		some = some || v == nil || v.HasNulls()
	}
	if !some {
		return
	}
	for i, p := range c.pick {
		if v := c.arms[p-1]; v == nil || v.IsNull(i) {
			c.out.SetNull(i)
		}
	}
}

// logicNode is AND or OR. Its output first holds FALSE 0, TRUE 1, NULL 2 per row.
type logicNode struct {
	or   bool
	args []node
	out  *vector.Vector
}

const unknown = 2

func (l *logicNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	l.out.Reset()
	l.out.Resize(b.N)
	state := l.out.I64
	decided := int64(0) // the value that ends the evaluation of a row
	if l.or {
		decided = 1
	}
	for i := range state {
		state[i] = 1 - decided
	}
	nulls := false
	for _, a := range l.args {
		start := len(ctx.Errs)
		v := a.eval(ctx, b)
		if len(ctx.Errs) > start {
			dropWhere(ctx, start, state, decided)
		}
		mergeLogic(state, v, decided)
		nulls = nulls || v.HasNulls()
	}
	if nulls {
		for i, s := range state {
			if s == unknown {
				state[i] = 0
				l.out.SetNull(i)
			}
		}
	}
	return l.out
}

func dropWhere(ctx *function.Ctx, start int, state []int64, value int64) {
	kept := ctx.Errs[:start]
	for _, e := range ctx.Errs[start:] {
		if state[e.Row] != value {
			kept = append(kept, e)
		}
	}
	ctx.Errs = kept
}

// mergeLogic folds one operand in: decided wins over NULL, NULL over the other value.
func mergeLogic(state []int64, v *vector.Vector, decided int64) {
	x := v.I64[:len(state)]
	if !v.HasNulls() {
		for i := range state {
			if x[i] == decided {
				state[i] = decided
			}
		}
		return
	}
	for i := range state {
		switch {
		case state[i] == decided:
		case v.IsNull(i):
			state[i] = unknown
		case x[i] == decided:
			state[i] = decided
		}
	}
}
