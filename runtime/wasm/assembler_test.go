package wasm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// assemble translates a small part of the text format: functions with parameters, locals and plain (not folded) instructions, one memory, one
// table, imports of functions, exports.
//
//	(memory 32 64) (table 1 1) (import "env" "now") (func name (export) (param a i32) (result i64) (local x i32) instr...)
//
// It knows names of functions and locals without their $.
func assemble(t testing.TB, text string) []byte {
	t.Helper()
	a := &assembler{toks: tokens(text), funcs: map[string]int{}}
	for a.k = 0; a.k < len(a.toks); {
		if a.next() != "(" {
			t.Fatalf("assemble: ( is expected at token %d", a.k)
		}
		a.field()
	}
	if a.err != nil {
		t.Fatalf("assemble: %v", a.err)
	}
	return a.module()
}

func tokens(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, ";;")
		lines = append(lines, line)
	}
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(strings.Join(lines, "\n")))
}

type asmFunc struct {
	name            string
	exported        bool
	params, results []byte
	locals          []byte
	names           []string
	code            []string
}

type assembler struct {
	toks    []string
	k       int
	list    []*asmFunc
	funcs   map[string]int
	imports []string
	memory  []uint64
	table   []uint64
	start   string
	labels  []string
	err     error
}

func (a *assembler) next() string {
	if a.k >= len(a.toks) {
		return ""
	}
	a.k++
	return a.toks[a.k-1]
}

func (a *assembler) rest() []string {
	var out []string
	for a.k < len(a.toks) && a.toks[a.k] != ")" {
		out = append(out, a.next())
	}
	a.k++
	return out
}

func numbers(words []string) []uint64 {
	var out []uint64
	for _, w := range words {
		n, _ := strconv.ParseUint(w, 0, 64)
		out = append(out, n)
	}
	return out
}

func (a *assembler) field() {
	switch kind := a.next(); kind {
	case "memory":
		a.memory = numbers(a.rest())
	case "table":
		a.table = numbers(a.rest())
	case "start":
		a.start = a.rest()[0]
	case "import":
		w := a.rest()
		a.imports = append(a.imports, w...)
	case "func":
		a.function()
	default:
		a.err = fmt.Errorf("field %q", kind)
		a.k = len(a.toks)
	}
}

var valueTypes = map[string]byte{"i32": 0x7f, "i64": 0x7e, "f32": 0x7d, "f64": 0x7c}

func (a *assembler) function() {
	f := &asmFunc{name: a.next()}
	a.funcs[f.name] = len(a.list)
	a.list = append(a.list, f)
	for a.k < len(a.toks) && a.toks[a.k] == "(" {
		a.k++
		switch kind := a.next(); kind {
		case "export":
			f.exported = true
			a.rest()
		case "param", "local":
			w := a.rest()
			f.names = append(f.names, w[0])
			if kind == "param" {
				f.params = append(f.params, valueTypes[w[1]])
			} else {
				f.locals = append(f.locals, valueTypes[w[1]])
			}
		case "result":
			f.results = append(f.results, valueTypes[a.rest()[0]])
		}
	}
	f.code = a.rest()
}

var opcodes = map[string]byte{"unreachable": 0x00, "nop": 0x01, "return": 0x0f, "drop": 0x1a, "select": 0x1b,
	"i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a, "i32.gt_u": 0x4b, "i32.le_s": 0x4c,
	"i32.le_u": 0x4d, "i32.ge_s": 0x4e, "i32.ge_u": 0x4f, "i64.eqz": 0x50, "i64.eq": 0x51, "i64.ne": 0x52, "i64.lt_s": 0x53, "i64.gt_s": 0x55,
	"i64.ge_s": 0x59, "f64.lt": 0x63, "f64.gt": 0x64, "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_s": 0x6d, "i32.div_u": 0x6e,
	"i32.rem_u": 0x70, "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_u": 0x76, "i64.add": 0x7c, "i64.sub": 0x7d,
	"i64.mul": 0x7e, "i64.div_s": 0x7f, "i64.rem_s": 0x81, "i64.or": 0x84, "i64.shl": 0x86, "f64.add": 0xa0, "f64.sub": 0xa1, "f64.mul": 0xa2,
	"f64.div": 0xa3, "i32.wrap_i64": 0xa7, "i64.extend_i32_u": 0xad}

// memoryOps have an alignment and an offset.
var memoryOps = map[string][2]byte{"i32.load": {0x28, 2}, "i64.load": {0x29, 3}, "f64.load": {0x2b, 3}, "i32.load8_u": {0x2d, 0}, "i32.store": {0x36, 2},
	"i64.store": {0x37, 3}, "f64.store": {0x39, 3}, "i32.store8": {0x3a, 0}}

func uleb(dst []byte, x uint64) []byte {
	for x >= 0x80 {
		dst = append(dst, byte(x)|0x80)
		x >>= 7
	}
	return append(dst, byte(x))
}

func sleb(dst []byte, x int64) []byte {
	for {
		b := byte(x & 0x7f)
		x >>= 7
		if x == 0 && b&0x40 == 0 || x == -1 && b&0x40 != 0 {
			return append(dst, b)
		}
		dst = append(dst, b|0x80)
	}
}

func (a *assembler) local(f *asmFunc, name string) uint64 {
	for i, n := range f.names {
		if n == name {
			return uint64(i)
		}
	}
	a.err = fmt.Errorf("no local %q in %s", name, f.name)
	return 0
}

// body translates the instructions of a function.
func (a *assembler) body(f *asmFunc) []byte {
	var b []byte
	b = uleb(b, uint64(len(f.locals)))
	for _, l := range f.locals {
		b = append(b, 1, l)
	}
	a.labels = nil
	for i := 0; i < len(f.code); i++ {
		op := f.code[i]
		arg := func() string { i++; return f.code[i] }
		switch {
		case op == "block" || op == "loop" || op == "if":
			b = append(b, map[string]byte{"block": 0x02, "loop": 0x03, "if": 0x04}[op], 0x40)
			a.labels = append(a.labels, arg())
		case op == "else":
			b = append(b, 0x05)
		case op == "end":
			b = append(b, 0x0b)
			a.labels = a.labels[:len(a.labels)-1]
		case op == "br" || op == "br_if":
			b = append(b, map[string]byte{"br": 0x0c, "br_if": 0x0d}[op])
			b = uleb(b, a.depth(arg()))
		case op == "call":
			b = uleb(append(b, 0x10), uint64(a.funcs[arg()]+len(a.imports)/2))
		case op == "local.get" || op == "local.set" || op == "local.tee":
			b = append(b, map[string]byte{"local.get": 0x20, "local.set": 0x21, "local.tee": 0x22}[op])
			b = uleb(b, a.local(f, arg()))
		case op == "memory.size" || op == "memory.grow":
			b = append(b, map[string]byte{"memory.size": 0x3f, "memory.grow": 0x40}[op], 0)
		case op == "i32.const" || op == "i64.const":
			n, err := strconv.ParseInt(arg(), 0, 64)
			if err != nil {
				a.err = err
			}
			b = sleb(append(b, map[string]byte{"i32.const": 0x41, "i64.const": 0x42}[op]), n)
		case op == "f64.const":
			x, _ := strconv.ParseFloat(arg(), 64)
			b = append(b, 0x44)
			for k := range 8 {
				b = append(b, byte(math.Float64bits(x)>>(8*k)))
			}
		case memoryOps[op] != [2]byte{}:
			b = append(b, memoryOps[op][0], memoryOps[op][1])
			at := uint64(0)
			if i+1 < len(f.code) && strings.HasPrefix(f.code[i+1], "offset=") {
				at, _ = strconv.ParseUint(arg()[len("offset="):], 0, 64)
			}
			b = uleb(b, at)
		default:
			code, ok := opcodes[op]
			if !ok {
				a.err = fmt.Errorf("instruction %q in %s", op, f.name)
			}
			b = append(b, code)
		}
	}
	return append(b, 0x0b)
}

func (a *assembler) depth(label string) uint64 {
	for i := len(a.labels) - 1; i >= 0; i-- {
		if a.labels[i] == label {
			return uint64(len(a.labels) - 1 - i)
		}
	}
	a.err = fmt.Errorf("no label %q", label)
	return 0
}

func (a *assembler) module() []byte {
	out := []byte(magic)
	section := func(id byte, n int, body []byte) {
		if n > 0 {
			head := uleb(nil, uint64(n))
			out = uleb(append(out, id), uint64(len(head)+len(body)))
			out = append(append(out, head...), body...)
		}
	}
	var typ, imp, fn, exp, code []byte
	imported := len(a.imports) / 2
	if imported > 0 {
		typ = append(typ, 0x60, 0, 1, 0x7f)
	}
	for i := range imported {
		for _, s := range a.imports[2*i : 2*i+2] {
			s = strings.Trim(s, `"`)
			imp = append(uleb(imp, uint64(len(s))), s...)
		}
		imp = append(imp, 0, 0)
	}
	exports := 0
	for i, f := range a.list {
		typ = append(uleb(append(typ, 0x60), uint64(len(f.params))), f.params...)
		typ = append(uleb(typ, uint64(len(f.results))), f.results...)
		fn = uleb(fn, uint64(i+min(imported, 1)))
		if f.exported {
			exp = append(uleb(exp, uint64(len(f.name))), f.name...)
			exp = uleb(append(exp, 0), uint64(i+imported))
			exports++
		}
		body := a.body(f)
		code = append(uleb(code, uint64(len(body))), body...)
	}
	section(1, len(a.list)+min(imported, 1), typ)
	section(2, imported, imp)
	section(3, len(a.list), fn)
	if a.table != nil {
		section(4, 1, append([]byte{0x70}, asmLimits(a.table)...))
	}
	if a.memory != nil {
		section(5, 1, asmLimits(a.memory))
		exp = append(append(uleb(exp, 6), "memory"...), 2, 0)
		exports++
	}
	section(7, exports, exp)
	if a.start != "" {
		out = append(out, 8, 1, byte(a.funcs[a.start]+imported))
	}
	section(10, len(a.list), code)
	return out
}

func asmLimits(n []uint64) []byte {
	if len(n) == 1 {
		return uleb([]byte{0}, n[0])
	}
	return uleb(uleb([]byte{1}, n[0]), n[1])
}
