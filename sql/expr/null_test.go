package expr

import (
	"testing"

	"github.com/millrace/millrace/sql/function"
)

// TestFunctionsKnowNull: NULL in any place of an example makes a strict function NULL. A function that is not strict has an example
// with NULL, so that its record tells what it does.
func TestFunctionsKnowNull(t *testing.T) {
	scalars := 0
	for _, f := range function.All() {
		if f.Family != "operator" {
			scalars++
		}
		strict, takes, told := true, false, false
		for _, ex := range f.Examples {
			calls, null := callsOf(t, ex.SQL, f)
			told = told || null
			for _, args := range calls {
				takes = takes || len(args) > 0
				if hasLambda(args) {
					told = true // the arrays' own tests look after NULLs
					continue
				}
				bound, err := f.Bind(describe(args))
				if err != nil {
					continue
				}
				strict = strict && bound.Strict
				if !bound.Strict || lazy[f.Name] != nil {
					continue
				}
				for k := range args {
					with := append([]Expr{}, args...)
					with[k] = NewNull()
					e, err := NewCall(f.Name, -1, with...)
					if err != nil {
						continue // the argument must be another constant
					}
					if c, ok := e.(*Const); f.Deterministic && (!ok || !c.Value.IsNull(0)) {
						t.Errorf("%s with NULL as argument %d is not NULL", ex.SQL, k+1)
					}
				}
			}
		}
		if takes && !strict && !told {
			t.Errorf("%s is not strict and no example of it has a NULL", f.Name)
		}
	}
	if scalars < 300 {
		t.Errorf("%d scalar functions, want 300", scalars)
	}
	t.Logf("%d scalar functions, %d records", scalars, len(function.All()))
}

func hasLambda(args []Expr) bool {
	for _, a := range args {
		if _, ok := a.(*Unbound); ok {
			return true
		}
	}
	return false
}

// callsOf gives the arguments of all calls of f in an expression, and whether it has the word NULL.
func callsOf(t *testing.T, src string, f *function.Func) (calls [][]Expr, null bool) {
	r := &reader{src: src, onCall: func(name string, args []Expr) {
		if function.Lookup(name) == f {
			calls = append(calls, args)
		}
	}}
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: %v", src, p)
		}
	}()
	r.scan()
	for _, tok := range r.tokens {
		null = null || tok.kind == 'w' && (tok.text == "NULL" || tok.text == "null")
	}
	r.expr(0)
	return calls, null
}
