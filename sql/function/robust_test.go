package function

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
	"pgregory.net/rapid"
)

var hostileTypes = []types.Type{tInt, tUint, tFloat, tText, tBytes, tBool, tDate, tTime, tDatetime, tStamp, tInterval, tJSON, types.DecimalOf(38, 10),
	types.DecimalOf(5, 0), types.DecimalOf(65, 30), types.DecimalOf(60, 0), types.Of(types.Year), types.EnumOf("a", "b"), types.SetOf("a", "b,c"), types.Of(types.Point),
	types.ArrayOf(tInt), types.MapOf(tText, tInt), types.StructOf(types.Field{Name: "a", Type: tInt})}

// appendHostile appends a value from the edges of its type; the slot of a NULL gets one as well.
func appendHostile(t *rapid.T, v *vector.Vector) {
	switch v.Type.Class() {
	case types.ClassI64:
		x := rapid.SampledFrom([]int64{0, 1, -1, 12, math.MaxInt64, math.MinInt64, 1 << 40, 64, 2026}).Draw(t, "int")
		switch v.Type.Kind {
		case types.Bool:
			x &= 1
		case types.Date:
			x %= types.MaxDay
		}
		v.AppendI64(x)
	case types.ClassF64:
		v.AppendF64(rapid.SampledFrom([]float64{0, 1, -1.5, 1e300, -1e300, 1e-300, 45}).Draw(t, "float"))
	case types.ClassI128:
		v.AppendI128(rapid.SampledFrom([]types.Int128{{}, types.I128(1), types.I128(-15), types.Pow10[4], types.Pow10[37], types.IntervalOf(1<<62, math.MinInt64)}).Draw(t, "wide"))
	case types.ClassI256:
		great, _ := types.ParseWide([]byte("9999999999999999999999999999999999999999999999999999999999999999"), 0)
		v.AppendI256(rapid.SampledFrom([]types.Int256{{}, types.I256(1), types.I256(-15), great, great.Neg()}).Draw(t, "wider"))
	case types.ClassBytes:
		v.AppendString(rapid.SampledFrom([]string{"", "a", "\xff\xfe", "%_\\", "é😀", `{"a": [1, {"b`, `[[[[`, `"\ud83d`, "2026-01-02 10:00:00", "$.a[0]", "hour", "9e999", "+02:00", "%Y-%q%", "(", ","}).Draw(t, "text"))
	case types.ClassList:
		for range rapid.IntRange(0, 2).Draw(t, "len") {
			for _, c := range v.Child {
				appendHostile(t, c)
			}
		}
		v.EndList()
	case types.ClassStruct:
		for _, c := range v.Child {
			appendHostile(t, c)
		}
		v.EndStruct()
	}
	if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		v.SetNull(v.N - 1)
	}
}

// TestKernelsSurvive: no function panics or makes the wrong number of rows, whatever it is given, NULL slots included.
func TestKernelsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			f := rapid.SampledFrom(All()).Draw(t, "function")
			args := make([]Arg, rapid.IntRange(0, 4).Draw(t, "args"))
			for i := range args {
				args[i].Type = rapid.SampledFrom(hostileTypes).Draw(t, "type")
				if rapid.Bool().Draw(t, "const") {
					args[i].Const = vector.New(args[i].Type, 1)
					appendHostile(t, args[i].Const)
				}
			}
			bound, err := f.Bind(args)
			if err != nil {
				continue
			}
			const n = 3
			cols := make([]*vector.Vector, len(args))
			for i, want := range bound.ArgTypes {
				cols[i] = vector.New(want, n)
				for range n {
					appendHostile(t, cols[i])
				}
			}
			runKernel(t, f.Name, bound.Kernel, cols, bound.Ret)
		}
	})
}

// TestCastsSurvive is TestKernelsSurvive for casts.
func TestCastsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.SampledFrom(hostileTypes).Draw(t, "from"), rapid.SampledFrom(hostileTypes).Draw(t, "to")
		kernel, err := Cast(from, to, rapid.Bool().Draw(t, "try"))
		if err != nil {
			return
		}
		col := vector.New(from, 3)
		for range 3 {
			appendHostile(t, col)
		}
		runKernel(t, "cast", kernel, []*vector.Vector{col}, to)
	})
}

func runKernel(t *rapid.T, name string, kernel Kernel, cols []*vector.Vector, ret types.Type) {
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s panics: %v\n%s", name, p, debug.Stack())
		}
	}()
	out := vector.New(ret, 3)
	kernel(&Ctx{}, cols, 3, out)
	if out.N != 3 {
		t.Fatalf("%s makes %d rows of 3", name, out.N)
	}
	for i := range out.N {
		if size := len(AppendText(nil, out, i)); size > 2*maxTextBytes {
			t.Fatalf("%s makes %d bytes", name, size)
		}
	}
}
