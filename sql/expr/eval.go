package expr

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/vector"
)

// Evaluator computes expressions over batches. It belongs to one task; its results are valid until its next Eval.
type Evaluator struct {
	nodes []node
	out   []*vector.Vector
	errs  errorFilter
}

// node is one compiled expression. Eval returns n rows that stay valid until the node's next eval; row errors are appended to
// ctx.Errs. It runs over all physical rows.
type node interface {
	eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector
}

// Compile prepares expressions for evaluation. Equal deterministic subexpressions are computed once.
func Compile(exprs []Expr) *Evaluator {
	c := compiler{shared: map[string]*sharedNode{}}
	for _, e := range exprs {
		c.count(e)
	}
	ev := &Evaluator{out: make([]*vector.Vector, len(exprs))}
	for _, e := range exprs {
		ev.nodes = append(ev.nodes, c.compile(e))
	}
	ev.errs.shared = c.nodes
	return ev
}

// Eval computes all expressions over the physical rows of b. A bare column is the batch's own vector. Errors of counting rows are
// appended to ctx.Errs, at most one per row; the value of such a row is unspecified.
func (ev *Evaluator) Eval(ctx *function.Ctx, b *vector.Batch) []*vector.Vector {
	start, outer := len(ctx.Errs), ctx.Sel
	ctx.Sel = b.Sel
	for _, s := range ev.errs.shared {
		s.fresh = false
	}
	for i, n := range ev.nodes {
		ev.out[i] = n.eval(ctx, b)
	}
	ctx.Sel = outer
	if len(ctx.Errs) > start {
		ev.errs.keepCounting(ctx, start, b)
	}
	return ev.out
}

// errorFilter drops row errors that do not count.
type errorFilter struct {
	shared []*sharedNode
	keep   []bool // by physical row; scratch
}

// keepCounting keeps the first error of each counting row.
func (f *errorFilter) keepCounting(ctx *function.Ctx, start int, b *vector.Batch) {
	f.keep = resizeBools(f.keep, b.N, b.Sel == nil)
	for _, i := range b.Sel {
		f.keep[i] = true
	}
	kept := ctx.Errs[:start]
	for _, e := range ctx.Errs[start:] {
		if f.keep[e.Row] {
			f.keep[e.Row] = false
			kept = append(kept, e)
		}
	}
	ctx.Errs = kept
}

func resizeBools(s []bool, n int, fill bool) []bool {
	if cap(s) < n {
		s = make([]bool, n)
	}
	s = s[:n]
	for i := range s {
		s[i] = fill
	}
	return s
}

// colNode returns the batch's own column.
type colNode struct{ index int }

func (c *colNode) eval(_ *function.Ctx, b *vector.Batch) *vector.Vector { return b.Cols[c.index] }

// constNode repeats a constant. The full vector only ever grows; view is its first n rows.
type constNode struct {
	value *vector.Vector
	full  *vector.Vector
	view  vector.Vector
}

func (c *constNode) eval(_ *function.Ctx, b *vector.Batch) *vector.Vector {
	if c.full == nil {
		c.full = vector.New(c.value.Type, b.N)
	}
	for c.full.N < b.N {
		c.full.AppendFrom(c.value, 0)
	}
	if c.view.N != b.N || b.N == 0 {
		c.full.Slice(b.N, &c.view)
	}
	return &c.view
}

// callNode runs a kernel.
type callNode struct {
	call *Call
	args []node
	vecs []*vector.Vector
	out  *vector.Vector
}

func (c *callNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	for i, a := range c.args {
		c.vecs[i] = a.eval(ctx, b)
	}
	start := len(ctx.Errs)
	c.out.Reset()
	c.call.Bound.Kernel(ctx, c.vecs, b.N, c.out)
	if invariant.Enabled && c.out.N != b.N {
		invariant.Check(false, "kernel %s made %d rows of %d", c.call.Name, c.out.N, b.N)
	}
	if len(ctx.Errs) > start {
		keepErrors(ctx, start, c.call, c.vecs)
	}
	if c.call.Bound.Strict {
		for _, v := range c.vecs {
			if v.HasNulls() {
				c.out.AndValidity(v)
			}
		}
	}
	return c.out
}

// keepErrors drops errors of rows with a NULL argument of a strict function and gives the others their position.
func keepErrors(ctx *function.Ctx, start int, call *Call, vecs []*vector.Vector) {
	kept := ctx.Errs[:start]
	for _, e := range ctx.Errs[start:] {
		if call.Bound.Strict && anyNull(vecs, e.Row) {
			continue
		}
		if e.Err.Offset < 0 {
			positioned := *e.Err
			positioned.Offset = call.Pos
			e.Err = &positioned
		}
		kept = append(kept, e)
	}
	ctx.Errs = kept
}

// anyNull tells whether an argument is NULL; lambdas, which have no values, are nil.
func anyNull(vecs []*vector.Vector, row int) bool {
	for _, v := range vecs {
		if v != nil && v.IsNull(row) {
			return true
		}
	}
	return false
}

// fieldNode is a view of a struct's child that is also NULL where the struct is.
type fieldNode struct {
	x     node
	index int
	view  vector.Vector
	valid []uint64
}

func (f *fieldNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	parent := f.x.eval(ctx, b)
	child := parent.Child[f.index]
	if !parent.HasNulls() {
		return child
	}
	f.view = *child
	if child.Valid == nil {
		f.view.Valid = parent.Valid
		return &f.view
	}
	f.valid = append(f.valid[:0], child.Valid...)
	for i := range f.valid {
		f.valid[i] &= parent.Valid[i]
	}
	f.view.Valid = f.valid
	return &f.view
}

// sharedNode computes an expression that occurs several times once per batch. Its errors are replayed for each use, because each
// use may stand in a lazy place of its own.
type sharedNode struct {
	x     node
	out   *vector.Vector
	errs  []function.RowError
	fresh bool
}

func (s *sharedNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	if s.fresh {
		ctx.Errs = append(ctx.Errs, s.errs...)
		return s.out
	}
	start := len(ctx.Errs)
	s.out = s.x.eval(ctx, b)
	s.errs = append(s.errs[:0], ctx.Errs[start:]...)
	s.fresh = true
	return s.out
}

// compiler turns expressions into nodes.
type compiler struct {
	uses   map[string]int
	shared map[string]*sharedNode
	nodes  []*sharedNode
}

// maxSharedText bounds the text by which equal subexpressions are found; longer ones are not shared.
const maxSharedText = 500

func (c *compiler) count(e Expr) {
	if c.uses == nil {
		c.uses = map[string]int{}
	}
	if key := shareKey(e); key != "" {
		c.uses[key]++
		if c.uses[key] > 1 {
			return // its parts are shared with it
		}
	}
	if _, ok := e.(*Lambda); ok {
		return // bodies are compiled on their own
	}
	for _, x := range children(e) {
		c.count(x)
	}
}

// shareKey identifies a computation worth sharing; "" when it is none.
func shareKey(e Expr) string {
	switch e.(type) {
	case *Const, *Col, *Field, *Lambda, *Var:
		return ""
	}
	if !Deterministic(e) {
		return ""
	}
	key := identity(e)
	if len(key) > maxSharedText {
		return ""
	}
	return key
}

func (c *compiler) compile(e Expr) node {
	key := shareKey(e)
	if key == "" || c.uses[key] < 2 {
		return c.build(e)
	}
	s := c.shared[key]
	if s == nil {
		s = &sharedNode{x: c.build(e)}
		c.shared[key] = s
		c.nodes = append(c.nodes, s)
	}
	return s
}

func (c *compiler) all(exprs []Expr) []node {
	out := make([]node, len(exprs))
	for i, e := range exprs {
		out[i] = c.compile(e)
	}
	return out
}

func (c *compiler) build(e Expr) node {
	switch e := e.(type) {
	case *Const:
		return &constNode{value: e.Value}
	case *Col:
		return &colNode{index: e.Index}
	case *Call:
		if e.Bound.NewLambda != nil {
			return c.lambdaCall(e)
		}
		args := e.Args
		if e.Bound.FirstOnly {
			args = args[:1]
		}
		return &callNode{call: e, args: c.all(args), vecs: make([]*vector.Vector, len(e.Args)), out: vector.New(e.Bound.Ret, 0)}
	case *Case:
		n := &caseNode{conds: c.all(e.Conds), results: c.all(e.Results), out: vector.New(e.Typ, 0)}
		if e.Else != nil {
			n.els = c.compile(e.Else)
		}
		return n
	case *Logic:
		return &logicNode{or: e.Or, args: c.all(e.Args), out: vector.New(e.Type(), 0)}
	case *Field:
		return &fieldNode{x: c.compile(e.X), index: e.Index}
	}
	return &failNode{out: vector.New(e.Type(), 0)}
}

// failNode stands for an expression of a foreign kind: every row fails.
type failNode struct{ out *vector.Vector }

func (f *failNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	f.out.Reset()
	for i := range b.N {
		f.out.AppendNull()
		ctx.Fail(i, diag.New(diag.Internal, -1, "expression cannot be evaluated"))
	}
	return f.out
}
