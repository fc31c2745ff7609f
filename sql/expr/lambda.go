package expr

import (
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

type (
	// Lambda is an argument of a call of a function that takes lambdas, and stands nowhere else. Body is over the columns of the input
	// and the parameters: Var of this Level. A lambda within a lambda has another level; where the same level comes again, after a
	// substitution, the inner one is meant.
	Lambda struct {
		Level  int
		Names  []string
		Params []types.Type
		Body   Expr
		Pos    int
	}
	// Var is parameter Index of the nearest lambda of a Level around it.
	Var struct {
		Level, Index int
		Name         string
		Typ          types.Type
		Pos          int
	}
	// Unbound is a lambda whose parameters have no types yet, for NewCall to resolve. Bind makes the body over them; it may be called
	// several times. Level is how many lambdas there are around it.
	Unbound struct {
		Level int
		Names []string
		Bind  func(params []*Var) (Expr, error)
		Pos   int
	}
)

// Type returns what the lambda gives.
func (e *Lambda) Type() types.Type { return e.Body.Type() }

// Type returns the parameter's type.
func (e *Var) Type() types.Type { return e.Typ }

// Type returns NULL: it is not known yet.
func (e *Unbound) Type() types.Type { return types.Type{} }

// At returns the byte offset in the source text.
func (e *Lambda) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Var) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Unbound) At() int { return e.Pos }

// maxLambdaRounds bounds how often a lambda is bound until the types of its parameters stay: REDUCE widens its state by what the lambda
// gives.
const maxLambdaRounds = 4

// resolveLambdas gives the lambdas among args their types. A lambda given to a function that takes none is an error.
func resolveLambdas(fn *function.Func, args []Expr) ([]Expr, error) {
	var out []Expr
	for i, a := range args {
		u, ok := a.(*Unbound)
		if !ok {
			continue
		}
		if fn.Lambda == nil {
			return nil, diag.New(diag.TypeMismatch, u.Pos, "%s takes no lambda", strings.ToUpper(fn.Name)).
				WithHint("usage: %s", strings.Join(fn.Signatures, " or "))
		}
		if out == nil {
			out = append(out, args...)
		}
		l, err := resolveLambda(fn, out, i, u)
		if err != nil {
			return nil, err
		}
		out[i] = l
	}
	if out == nil {
		return args, nil
	}
	return out, nil
}

func resolveLambda(fn *function.Func, args []Expr, i int, u *Unbound) (*Lambda, error) {
	known := describe(args)
	var l *Lambda
	for range maxLambdaRounds {
		params, err := fn.Lambda(known, i)
		if err != nil {
			return nil, argumentError(fn, fn.Name, u.Pos, err)
		}
		if l != nil && sameTypes(l.Params, params) {
			break
		}
		l = &Lambda{Level: u.Level, Names: u.Names, Params: params, Pos: u.Pos}
		vars := make([]*Var, len(params))
		for p, t := range params {
			vars[p] = &Var{Level: u.Level, Index: p, Name: u.Names[p], Typ: t, Pos: u.Pos}
		}
		if l.Body, err = u.Bind(vars); err != nil {
			return nil, err
		}
		known[i].Type = l.Body.Type()
	}
	return l, nil
}

func sameTypes(a, b []types.Type) bool {
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// closed tells whether a lambda reads nothing but its own parameters.
func (e *Lambda) closed() bool {
	ok := true
	Walk(e.Body, func(x Expr) bool {
		switch x := x.(type) {
		case *Col:
			ok = false
		case *Var:
			ok = ok && x.Level >= e.Level
		}
		return ok
	})
	return ok
}

// replaceVars replaces the parameters of the lambdas of a level in e, but not those of inner lambdas of the same level.
func replaceVars(e Expr, level int, fn func(*Var) Expr) Expr {
	switch x := e.(type) {
	case *Var:
		if x.Level == level {
			return fn(x)
		}
	case *Lambda:
		if x.Level != level {
			c := *x
			c.Body = replaceVars(x.Body, level, fn)
			return &c
		}
	case *Call:
		c := *x
		c.Args = replaceAllVars(x.Args, level, fn)
		return &c
	case *Case:
		c := *x
		c.Conds, c.Results = replaceAllVars(x.Conds, level, fn), replaceAllVars(x.Results, level, fn)
		if x.Else != nil {
			c.Else = replaceVars(x.Else, level, fn)
		}
		return &c
	case *Logic:
		c := *x
		c.Args = replaceAllVars(x.Args, level, fn)
		return &c
	case *Field:
		c := *x
		c.X = replaceVars(x.X, level, fn)
		return &c
	}
	return e
}

func replaceAllVars(list []Expr, level int, fn func(*Var) Expr) []Expr {
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = replaceVars(e, level, fn)
	}
	return out
}

// lambdaNode runs the kernel of a function with lambdas. While a lambda is evaluated the batch is one of elements: the columns that the
// body reads, spread over the elements, and then its parameters.
type lambdaNode struct {
	call   *Call
	kernel function.LambdaKernel
	apply  function.Apply
	args   []node        // nil where a lambda stands
	bodies []*lambdaBody // nil where none stands
	vecs   []*vector.Vector
	out    *vector.Vector
	ctx    *function.Ctx // during eval
	batch  *vector.Batch // during eval
}

// lambdaBody is a compiled body.
type lambdaBody struct {
	eval     *Evaluator
	captured []int // the input's columns that it reads
	spread   []*vector.Vector
	batch    vector.Batch
}

func (c *compiler) lambdaCall(e *Call) node {
	n := &lambdaNode{call: e, kernel: e.Bound.NewLambda(), vecs: make([]*vector.Vector, len(e.Args)), out: vector.New(e.Bound.Ret, 0)}
	n.apply = n.elements
	for _, a := range e.Args {
		l, ok := a.(*Lambda)
		if !ok {
			n.args, n.bodies = append(n.args, c.compile(a)), append(n.bodies, nil)
			continue
		}
		n.args, n.bodies = append(n.args, nil), append(n.bodies, compileBody(l))
	}
	return n
}

func compileBody(l *Lambda) *lambdaBody {
	b := &lambdaBody{captured: Columns(l.Body)}
	to := map[int]int{}
	typ := map[int]types.Type{}
	Walk(l.Body, func(x Expr) bool {
		if c, ok := x.(*Col); ok {
			typ[c.Index] = c.Typ
		}
		return true
	})
	for i, c := range b.captured {
		to[c] = i
		b.spread = append(b.spread, vector.New(typ[c], 0))
	}
	body := Rewrite(l.Body, func(x Expr) Expr {
		if c, ok := x.(*Col); ok {
			moved := *c
			moved.Index = to[c.Index]
			return &moved
		}
		return x
	})
	body = replaceVars(body, l.Level, func(v *Var) Expr {
		return &Col{Index: len(b.captured) + v.Index, Name: v.Name, Typ: v.Typ, Pos: v.Pos}
	})
	b.eval = Compile([]Expr{body})
	return b
}

func (n *lambdaNode) eval(ctx *function.Ctx, b *vector.Batch) *vector.Vector {
	for i, a := range n.args {
		if a != nil {
			n.vecs[i] = a.eval(ctx, b)
		}
	}
	start := len(ctx.Errs)
	n.ctx, n.batch = ctx, b
	n.out.Reset()
	n.kernel(ctx, n.apply, n.vecs, b.N, n.out)
	n.ctx, n.batch = nil, nil
	if len(ctx.Errs) > start {
		keepErrors(ctx, start, n.call, n.vecs)
	}
	if n.call.Bound.Strict {
		for _, v := range n.vecs {
			if v != nil && v.HasNulls() {
				n.out.AndValidity(v)
			}
		}
	}
	return n.out
}

// elements is the function.Apply of a kernel.
func (n *lambdaNode) elements(arg int, rows []int32, params ...*vector.Vector) *vector.Vector {
	body := n.bodies[arg]
	body.batch.Cols = body.batch.Cols[:0]
	for i, c := range body.captured {
		body.spread[i].Reset()
		body.spread[i].AppendAll(n.batch.Cols[c], rows)
		body.batch.Cols = append(body.batch.Cols, body.spread[i])
	}
	body.batch.Cols, body.batch.N = append(body.batch.Cols, params...), len(rows)
	start := len(n.ctx.Errs)
	out := body.eval.Eval(n.ctx, &body.batch)[0]
	for k := range n.ctx.Errs[start:] {
		e := &n.ctx.Errs[start+k]
		e.Row = int(rows[e.Row])
	}
	return out
}
