package wasm

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxTimeouts is how many calls of one batch may run into the timeout before the rest of the batch fails without a call.
const maxTimeouts = 4

// Func is the record of the function.
func (m *Module) Func(signature, doc string) (*function.Func, error) {
	cast, err := m.narrowing()
	if err != nil {
		return nil, err
	}
	bound := function.Bound{Ret: m.sig.Returns, ArgTypes: m.sig.Params, Kernel: func(ctx *function.Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		b, _ := m.scratch.Get().(*batch)
		if b == nil {
			b = &batch{m: m, wide: vector.New(wide(m.code), n), narrowed: vector.New(m.sig.Returns, 0)}
		}
		b.ctx, b.args, b.n, b.timeouts = ctx, args, n, 0
		b.run(cast, out)
		b.ctx, b.args = nil, nil
		m.scratch.Put(b)
	}}
	return record(m.sig, signature, doc, bound), nil
}

// record makes the record of a function that binds as its signature says.
func record(sig Signature, signature, doc string, bound function.Bound) *function.Func {
	return &function.Func{Name: sig.Name, Family: "user", Signatures: []string{signature}, Doc: doc, Deterministic: sig.Deterministic,
		Bind: func(args []function.Arg) (function.Bound, error) {
			if len(args) != len(sig.Params) {
				return function.Bound{}, fmt.Errorf("takes %d argument(s), got %d", len(sig.Params), len(args))
			}
			for i, a := range args {
				if !types.ImplicitCast(a.Type, sig.Params[i]) {
					return function.Bound{}, fmt.Errorf("argument %d must be %s, not %s", i+1, sig.Params[i], a.Type)
				}
			}
			return bound, nil
		}}
}

// Declared is a function whose module is not at hand: it binds, and every row of it is an error.
func Declared(sig Signature, signature string) *function.Func {
	return record(sig, signature, "", function.Bound{Ret: sig.Returns, ArgTypes: sig.Params,
		Kernel: func(ctx *function.Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
			for i := range n {
				out.AppendNull()
				ctx.Fail(i, diag.New(diag.UserFunction, -1, "%s: its module is not here", sig.Name))
			}
		}})
}

// narrowing is the conversion from the type that blocks carry to the declared one; nil: they are the same.
func (m *Module) narrowing() (function.Kernel, error) {
	from := wide(m.code)
	if from.Equal(m.sig.Returns) {
		return nil, nil
	}
	return function.Cast(from, m.sig.Returns, false)
}

// batch is the evaluation of one batch; its buffers are used again for the next.
type batch struct {
	m        *Module
	ctx      *function.Ctx
	args     []*vector.Vector
	n        int
	wide     *vector.Vector // results of the rows called, in order
	at       []int32        // where in wide a row's result is, -1: NULL
	rows     []int32
	narrowed *vector.Vector
	timeouts int
	inst     *instance
}

// run fills out with n rows.
func (b *batch) run(cast function.Kernel, out *vector.Vector) {
	rows := b.called()
	b.wide.Reset()
	b.at = b.at[:0]
	for range b.n {
		b.at = append(b.at, -1)
	}
	if len(rows) > 0 {
		b.call(rows)
	}
	if b.inst != nil {
		b.m.release(b.inst)
		b.inst = nil
	}
	result := b.wide
	if cast != nil {
		result = b.narrow(cast)
	}
	for i := range b.n {
		if at := b.at[i]; at >= 0 {
			out.AppendFrom(result, int(at))
		} else {
			out.AppendNull()
		}
	}
}

// called lists the rows to send: those that count and, unless asked for, have no NULL argument.
func (b *batch) called() []int32 {
	rows := b.rows[:0]
	if b.ctx.Sel != nil {
		rows = append(rows, b.ctx.Sel...)
	} else {
		for i := range b.n {
			rows = append(rows, int32(i))
		}
	}
	b.rows = rows
	if b.m.opt.CallOnNull {
		return rows
	}
	kept := rows[:0]
	for _, r := range rows {
		null := false
		for _, a := range b.args {
			null = null || a.IsNull(int(r))
		}
		if !null {
			kept = append(kept, r)
		}
	}
	return kept
}

// call sends rows; when that fails it halves them until the rows at fault are alone.
func (b *batch) call(rows []int32) {
	if b.timeouts >= maxTimeouts {
		b.fail(rows, errTimeout)
		return
	}
	err := b.attempt(rows)
	if err == nil {
		return
	}
	if errors.Is(err, errTimeout) {
		b.timeouts++
	}
	if len(rows) == 1 {
		b.fail(rows, err)
		return
	}
	b.call(rows[:len(rows)/2])
	b.call(rows[len(rows)/2:])
}

// attempt sends rows in one call. An instance that failed is not used again: its memory may be in any state.
func (b *batch) attempt(rows []int32) error {
	if b.inst == nil {
		inst, err := b.m.instance(context.Background())
		if err != nil {
			return err
		}
		inst.args.prepare(b.args)
		b.inst = inst
	}
	a, err := b.inst.invoke(context.Background(), b.m, b.args, rows)
	if err != nil {
		b.m.discard(b.inst)
		b.inst = nil
		return err
	}
	for k, r := range rows {
		err := a.appendTo(b.wide, k)
		b.at[r] = int32(b.wide.N - 1)
		if err != nil {
			b.fail(rows[k:k+1], err)
		}
	}
	a.each(func(k int, text string) { b.fail(rows[k:k+1], fmt.Errorf("%w: %s", errFailed, text)) })
	return nil
}

// fail makes rows errors.
func (b *batch) fail(rows []int32, err error) {
	for _, r := range rows {
		b.ctx.Fail(int(r), diag.New(diag.UserFunction, -1, "%s: %s", b.m.sig.Name, err))
	}
}

// narrow converts the results to the declared type; errors move to the rows that they are of.
func (b *batch) narrow(cast function.Kernel) *vector.Vector {
	out := b.narrowed
	out.Reset()
	own := function.Ctx{Now: b.ctx.Now, Zone: b.ctx.Zone}
	cast(&own, []*vector.Vector{b.wide}, b.wide.N, out)
	out.AndValidity(b.wide)
	if len(own.Errs) == 0 {
		return out
	}
	rowOf := make([]int32, b.wide.N)
	for r, at := range b.at {
		if at >= 0 {
			rowOf[at] = int32(r)
		}
	}
	for _, e := range own.Errs {
		if !b.wide.IsNull(e.Row) {
			b.fail(rowOf[e.Row:e.Row+1], errors.New("its result: "+e.Err.Message))
		}
	}
	return out
}
