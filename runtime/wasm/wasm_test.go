package wasm

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// frame is a module around the body of one function over BIGINTs: at `value` the argument is on the stack, the body leaves the result.
const frame = `
(memory 33)
(func alloc (export) (param size i32) (result i32) i32.const 0x1000)
(func f (export) (param block i32) (param length i32) (result i64) (local n i32) (local i i32) (local src i32) (local x i64)
  local.get block i32.load offset=4 local.set n
  local.get block local.get block i32.load offset=24 i32.add local.set src
  i32.const 0x100000 i32.const 0 i32.store
  i32.const 0x100000 local.get n i32.store offset=4
  i32.const 0x100000 i32.const 0 i32.store offset=8
  i32.const 0x100000 i32.const 32 i32.store offset=12
  i32.const 0x100000 i32.const 0 i32.store offset=16
  i32.const 0x100000 i32.const 0 i32.store offset=20
  i32.const 0x100000 i32.const 0 i32.store offset=24
  block done
    loop again
      local.get i local.get n i32.ge_u br_if done
      local.get src local.get i i32.const 8 i32.mul i32.add i64.load local.set x
      local.get i i32.const 8 i32.mul i32.const 0x100000 i32.add
      BODY
      i64.store offset=32
      local.get i i32.const 1 i32.add local.set i
      br again
    end
  end
  i64.const 0x100000 i64.const 32 i64.shl
  local.get n i32.const 8 i32.mul i32.const 32 i32.add i64.extend_i32_u i64.or)`

func bigintModule(t testing.TB, body string) []byte {
	return assemble(t, strings.Replace(frame, "BODY", body, 1))
}

var (
	bigint = types.Of(types.Int64)
	text   = types.Of(types.String)
)

func compileWith(t testing.TB, module []byte, sig Signature, opt Options) *function.Func {
	t.Helper()
	if sig.Name == "" {
		sig.Name = "f"
	}
	m, err := NewHost().Compile(context.Background(), module, sig, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	fn, err := m.Func("f(..)", "a test")
	if err != nil {
		t.Fatal(err)
	}
	return fn
}

// call evaluates a function over columns; errors are by row.
func call(t testing.TB, fn *function.Func, sel []int32, args ...*vector.Vector) (string, map[int]string) {
	t.Helper()
	var as []function.Arg
	for _, a := range args {
		as = append(as, function.Arg{Type: a.Type})
	}
	bound, err := fn.Bind(as)
	if err != nil {
		t.Fatal(err)
	}
	n := args[0].N
	out := vector.New(bound.Ret, n)
	ctx := &function.Ctx{Sel: sel}
	bound.Kernel(ctx, args, n, out)
	if out.N != n {
		t.Fatalf("%d rows of %d", out.N, n)
	}
	errs := map[int]string{}
	for _, e := range ctx.Errs {
		if e.Err.Code != diag.UserFunction {
			t.Errorf("row %d: code %s", e.Row, e.Err.Code)
		}
		errs[e.Row] = e.Err.Message
	}
	var cells []string
	for i := range n {
		if _, failed := errs[i]; failed {
			cells = append(cells, "!")
			continue
		}
		cells = append(cells, string(function.AppendText(nil, out, i)))
	}
	return strings.Join(cells, " "), errs
}

func ints(values ...any) *vector.Vector {
	v := vector.New(bigint, len(values))
	for _, x := range values {
		if n, ok := x.(int); ok {
			v.AppendI64(int64(n))
		} else {
			v.AppendNull()
		}
	}
	return v
}

func TestRows(t *testing.T) {
	sig := Signature{Params: []types.Type{bigint}, Returns: bigint}
	double := bigintModule(t, "local.get x i64.const 2 i64.mul")
	if got, errs := call(t, compileWith(t, double, sig, Options{}), nil, ints(1, nil, -3)); got != "2 NULL -6" || len(errs) > 0 {
		t.Errorf("got %s, %v", got, errs)
	}
	// Rows that a selection leaves out are not sent.
	trap := bigintModule(t, "local.get x i64.const 3 i64.eq if t unreachable end local.get x")
	fn := compileWith(t, trap, sig, Options{})
	if got, errs := call(t, fn, []int32{0, 2}, ints(1, 3, 5)); got != "1 NULL 5" || len(errs) > 0 {
		t.Errorf("got %s, %v", got, errs)
	}
	// Many rows, more than one instance's worth of batches.
	big := vector.New(bigint, vector.MaxRows)
	for i := range vector.MaxRows {
		big.AppendI64(int64(i % 5))
	}
	_, errs := call(t, fn, nil, big)
	if len(errs) != 819 {
		t.Errorf("%d rows fail, want 819", len(errs))
	}
}

func TestTrapsFindTheirRows(t *testing.T) {
	sig := Signature{Params: []types.Type{bigint}, Returns: bigint}
	for name, c := range map[string]struct{ body, want string }{
		"unreachable": {"local.get x i64.const 3 i64.eq if t unreachable end local.get x", "unreachable"},
		"divide":      {"i64.const 1 local.get x i64.const 3 i64.sub i64.div_s drop local.get x", "integer divide by zero"},
		"outside":     {"local.get x i64.const 3 i64.eq if t i32.const -8 i64.load drop end local.get x", "out of bounds memory access"},
		"loop":        {"local.get x i64.const 3 i64.eq if t loop l br l end end local.get x", "longer than its timeout"},
		"recursion":   {"local.get x i64.const 3 i64.eq if t i32.const 0 i32.const 0 call f drop end local.get x", ""},
	} {
		t.Run(name, func(t *testing.T) {
			module := bigintModule(t, c.body)
			got, errs := call(t, compileWith(t, module, sig, Options{Timeout: 20 * time.Millisecond}), nil, ints(1, 2, 3, 4, 5))
			if name != "recursion" && (got != "1 2 ! 4 5" || !strings.Contains(errs[2], c.want)) {
				t.Errorf("got %s, %v", got, errs)
			}
			if name == "recursion" && !strings.HasPrefix(got, "1 2 ") {
				t.Errorf("got %s, %v", got, errs)
			}
		})
	}
}

// TestTimeoutsEnd: a function that always loops fails its batch after a few time-outs, not after one a row.
func TestTimeoutsEnd(t *testing.T) {
	fn := compileWith(t, bigintModule(t, "loop l br l end local.get x"), Signature{Params: []types.Type{bigint}, Returns: bigint},
		Options{Timeout: 10 * time.Millisecond})
	rows := vector.New(bigint, 1000)
	for i := range 1000 {
		rows.AppendI64(int64(i))
	}
	began := time.Now()
	_, errs := call(t, fn, nil, rows)
	if len(errs) != 1000 || time.Since(began) > 5*time.Second {
		t.Errorf("%d errors in %s", len(errs), time.Since(began))
	}
}

func TestMemory(t *testing.T) {
	// A module that grows its memory by 16 MiB at each row, within a limit of 4 MiB: memory.grow gives -1, the module goes on.
	sig := Signature{Params: []types.Type{bigint}, Returns: bigint}
	grow := bigintModule(t, "i32.const 256 memory.grow i32.const -1 i32.eq i64.extend_i32_u")
	if got, errs := call(t, compileWith(t, grow, sig, Options{MemoryLimit: 4 << 20}), nil, ints(1, 2)); got != "1 1" {
		t.Errorf("got %s, %v", got, errs)
	}
	if _, err := NewHost().Compile(context.Background(), grow, Signature{Name: "f", Params: sig.Params, Returns: bigint}, Options{MemoryLimit: 1 << 20}); err == nil {
		t.Error("a module that begins with more memory than its limit compiles")
	}
	full := assemble(t, `(memory 1) (func alloc (export) (param n i32) (result i32) i32.const 0)
		(func f (export) (param b i32) (param n i32) (result i64) i64.const 0)`)
	if got, errs := call(t, compileWith(t, full, sig, Options{}), nil, ints(1)); got != "!" || !strings.Contains(errs[0], "no room") {
		t.Errorf("got %s, %v", got, errs)
	}
	outside := assemble(t, `(memory 1) (func alloc (export) (param n i32) (result i32) i32.const 65530)
		(func f (export) (param b i32) (param n i32) (result i64) i64.const 0)`)
	if got, errs := call(t, compileWith(t, outside, sig, Options{}), nil, ints(1)); got != "!" || !strings.Contains(errs[0], "no room") {
		t.Errorf("got %s, %v", got, errs)
	}
}

func TestRefused(t *testing.T) {
	alloc := `(func alloc (export) (param n i32) (result i32) i32.const 8)`
	f := `(func f (export) (param b i32) (param n i32) (result i64) i64.const 0)`
	for want, module := range map[string][]byte{
		"does not begin with":                               []byte("not a module"),
		"no WebAssembly binary of version":                  []byte("\x00asm\x02\x00\x00\x00"),
		"cut off":                                           []byte(magic + "\x01\x7f"),
		"imports env.now, env.random;":                      assemble(t, `(memory 1) (import "env" "now") (import "env" "random")`+alloc+f),
		"its table has no maximum":                          assemble(t, `(memory 1) (table 1)`+alloc+f),
		"its table may have 70000":                          assemble(t, `(memory 1) (table 1 70000)`+alloc+f),
		"does not export 'memory'":                          assemble(t, alloc+f),
		"does not export the function alloc (i32) -> (i32)": assemble(t, `(memory 1)`+f),
		"its function f is () -> (i64), not (i32, i32)":     assemble(t, `(memory 1) (func f (export) (result i64) i64.const 0)`+alloc),
		"starting it failed":                                assemble(t, `(memory 1) (func go unreachable) (start go)`+alloc+f),
		"longer than its timeout":                           assemble(t, `(memory 1) (func go loop l br l end) (start go)`+alloc+f),
		"not valid":                                         assemble(t, `(memory 1) (func bad (result i32) i64.const 1)`+alloc+f),
	} {
		m, err := NewHost().Compile(context.Background(), module, Signature{Name: "f", Params: []types.Type{bigint}, Returns: bigint}, Options{})
		if err == nil {
			m.Close()
			t.Errorf("%s: it compiles", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %q", want, err)
		}
	}
}

// TestBadResults gives results that do not hold together: none may be read beyond its block.
func TestBadResults(t *testing.T) {
	answer := func(words ...uint32) string {
		s := ""
		for i, w := range words {
			s += fmt.Sprintf("i32.const 0x8000 i32.const %d i32.store offset=%d ", int32(w), 4*i)
		}
		return s
	}
	for _, c := range []struct {
		name, body, ret, want string
		returns               types.Type
	}{
		{"outside memory", "", "i64.const 0xfff0000000100", "outside its memory", bigint},
		{"short", "", "i64.const 0x800000000004", "less than its head", bigint},
		{"rows", answer(0, 7, 0, 32), "i64.const 0x800000000100", "has 7 rows, the call had 1", bigint},
		{"status", answer(9, 1, 0, 32), "i64.const 0x800000000100", "status 9", bigint},
		{"values", answer(0, 1, 0, 0xfffffff8), "i64.const 0x800000000100", "values of the result lie outside", bigint},
		{"validity", answer(0, 1, 0xffffffff, 32), "i64.const 0x800000000100", "validity of the result lie outside", bigint},
		{"data", answer(0, 1, 0, 32, 0xffffffff, 0xffffffff), "i64.const 0x800000000100", "data of the result lie outside", text},
		{"offsets", answer(0, 1, 0, 32, 64, 8, 0, 0, 5, 3), "i64.const 0x800000000100", "do not ascend", text},
		{"offsets beyond", answer(0, 1, 0, 32, 64, 8, 0, 0, 0, 9), "i64.const 0x800000000100", "do not ascend", text},
		{"errors", answer(0, 1, 0, 32, 0, 0, 48, 0, 0, 0, 0, 0, 5), "i64.const 0x800000000100", "5 errors for 1 rows", bigint},
		{"message", answer(0, 1, 0, 32, 0, 0, 48, 0, 0, 0, 0, 0, 1, 0, 0xfffffff0, 9), "i64.const 0x800000000100", "message of the result lie outside", bigint},
		{"no text", answer(0, 1, 0, 32, 64, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xff), "i64.const 0x800000000100", "no UTF-8", text},
		{"boolean", answer(0, 1, 0, 32, 0, 0, 0, 0, 2, 0), "i64.const 0x800000000100", "no BOOLEAN", types.Of(types.Bool)},
		{"narrow", answer(0, 1, 0, 32, 0, 0, 0, 0, 300, 0), "i64.const 0x800000000100", "its result", types.Of(types.Int8)},
		{"date", answer(0, 1, 0, 32, 0, 0, 0, 0, 0xffffff, 0), "i64.const 0x800000000100", "out of range", types.Of(types.Date)},
		{"said", answer(1, 1, 0, 0, 64, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x6f6f66), "i64.const 0x800000000100", "the function failed: foo", bigint},
	} {
		t.Run(c.name, func(t *testing.T) {
			module := assemble(t, `(memory 1) (func alloc (export) (param n i32) (result i32) i32.const 0x1000)
				(func f (export) (param b i32) (param n i32) (result i64) `+c.body+c.ret+")")
			got, errs := call(t, compileWith(t, module, Signature{Params: []types.Type{bigint}, Returns: c.returns}, Options{}), nil, ints(1))
			if got != "!" || !strings.Contains(errs[0], c.want) {
				t.Errorf("got %s, %v; want %q", got, errs, c.want)
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(assemble(f, strings.Replace(frame, "BODY", "local.get x", 1)))
	f.Add(assemble(f, `(memory 1) (table 1 70000) (import "env" "now") (func f (export) (result i64) i64.const 0)`))
	f.Fuzz(func(_ *testing.T, module []byte) { _ = inspect(module) })
}

// FuzzAnswer decodes any block as a result of any type: no panic, and every row has a value, a NULL or an error.
func FuzzAnswer(f *testing.F) {
	f.Add(make([]byte, 64), uint8(codeInt), uint16(3))
	f.Add([]byte("\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00\x28\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00ab"),
		uint8(codeText), uint16(1))
	f.Fuzz(func(t *testing.T, block []byte, code uint8, rows uint16) {
		c := uint32(code)%codeJSON + 1
		n := int(rows)%vector.MaxRows + 1
		a, err := readAnswer(block, c, n)
		if err != nil {
			return
		}
		out := vector.New(wide(c), n)
		for k := range n {
			if err := a.appendTo(out, k); err != nil && !out.IsNull(k) {
				t.Fatal("an error with a value")
			}
		}
		a.each(func(k int, text string) {
			if k >= n || text == "" {
				t.Fatal("an error of no row, or without text")
			}
		})
		if out.N != n {
			t.Fatalf("%d rows of %d", out.N, n)
		}
	})
}

// BenchmarkBigint is the cost of a row of a trivial function, 4,096 rows a batch.
func BenchmarkBigint(b *testing.B) {
	fn := compileWith(b, bigintModule(b, "local.get x i64.const 2 i64.mul"), Signature{Params: []types.Type{bigint}, Returns: bigint}, Options{})
	bound, err := fn.Bind([]function.Arg{{Type: bigint}})
	if err != nil {
		b.Fatal(err)
	}
	v := vector.New(bigint, vector.MaxRows)
	for i := range vector.MaxRows {
		v.AppendI64(int64(i))
	}
	out, args := vector.New(bigint, vector.MaxRows), []*vector.Vector{v}
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		bound.Kernel(&function.Ctx{}, args, v.N, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/vector.MaxRows, "ns/row")
}
