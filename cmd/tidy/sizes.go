package main

import (
	"fmt"
	"go/ast"
)

// Limits, in lines.
const (
	maxFunc     = 60
	maxFlatFunc = 100 // one switch or one table fills the function
	maxFile     = 800
	maxParams   = 5
)

// flatPart is the part of a function's lines that one switch or table must have for the function to be flat: percent.
const flatPart = 70

// excess is something larger than its limit; its key is its line in the ratchet.
type excess struct {
	file string
	line int
	what string // "file", "lines NAME" or "parameters NAME"
	size int
	max  int
}

func (e excess) key() string { return e.file + " " + e.what }

// checkSizes finds what is larger than its limit and than its number in the ratchet.
func checkSizes(t *tree) []offence {
	ratchet, found := readRatchet(t)
	for _, e := range t.excesses() {
		r, listed := ratchet[e.key()]
		delete(ratchet, e.key())
		switch {
		case listed && e.size < r.size:
			found = append(found, offence{ratchetFile, r.line,
				fmt.Sprintf("%s shrank from %d to %d: run go run ./cmd/tidy -shrink", e.key(), r.size, e.size)})
		case listed && e.size == r.size:
		default:
			found = append(found, offence{e.file, e.line, fmt.Sprintf("%s: %d, the limit is %d", e.what, e.size, e.max)})
		}
	}
	for key, r := range ratchet {
		found = append(found, offence{ratchetFile, r.line, key + " is within its limit now: run go run ./cmd/tidy -shrink"})
	}
	return found
}

// excesses finds all that is larger than its limit. Tests may have long functions: tables of cases.
func (t *tree) excesses() []excess {
	var found []excess
	for _, f := range t.goes {
		if f.generated {
			continue
		}
		if f.lines > maxFile {
			found = append(found, excess{f.path, 1, "file", f.lines, maxFile})
		}
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				found = append(found, f.funcExcess(fn)...)
			}
		}
	}
	return found
}

func (f *goFile) funcExcess(fn *ast.FuncDecl) []excess {
	var found []excess
	name, line := funcName(fn), f.line(fn.Pos())
	limit := maxFunc
	if f.flat(fn) {
		limit = maxFlatFunc
	}
	if n := f.line(fn.End()) - line + 1; n > limit {
		found = append(found, excess{f.path, line, "lines " + name, n, limit})
	}
	if n := fn.Type.Params.NumFields(); n > maxParams {
		found = append(found, excess{f.path, line, "parameters " + name, n, maxParams})
	}
	return found
}

// flat tells whether one switch, select or composite literal has most of a function's lines.
func (f *goFile) flat(fn *ast.FuncDecl) bool {
	whole := f.line(fn.End()) - f.line(fn.Pos()) + 1
	flat := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.CompositeLit:
			lines := f.line(n.End()) - f.line(n.Pos()) + 1
			flat = flat || lines*100 >= whole*flatPart
		}
		return !flat
	})
	return flat
}

// funcName is NAME or TYPE.NAME.
func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	expr := fn.Recv.List[0].Type
	for {
		switch x := expr.(type) {
		case *ast.StarExpr:
			expr = x.X
		case *ast.IndexExpr:
			expr = x.X
		case *ast.IndexListExpr:
			expr = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}
