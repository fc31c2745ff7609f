package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// kernelExtreme is ARRAY_MIN and ARRAY_MAX: NULLs do not count.
func kernelExtreme(greatest bool) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		elems := a[0].Child[0]
		for i := range n {
			best := -1
			for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
				if elems.IsNull(j) {
					continue
				}
				if best < 0 || (Compare(elems, j, elems, best) > 0) == greatest && Compare(elems, j, elems, best) != 0 {
					best = j
				}
			}
			appendOrNull(out, elems, best)
		}
	}
}

// bindArraySum binds ARRAY_SUM and ARRAY_AVG with the types of SUM and AVG: NULLs do not count; NULL when nothing does.
func bindArraySum(mean bool) binder {
	return func(args []Arg) (Bound, error) {
		t, err := oneArray(args)
		if err != nil {
			return Bound{}, err
		}
		bind := bindSum
		if mean {
			bind = bindAvg
		}
		agg, err := bind([]Arg{{Type: *t.Elem}})
		if err != nil {
			return Bound{}, fmt.Errorf("the elements must be numbers, not %s", t.Elem)
		}
		if agg.Ret.Kind.IsFloat() {
			return strict(agg.Ret, kernelSumFloats(mean), types.ArrayOf(tFloat)), nil
		}
		shift := 0
		if mean {
			shift = agg.Ret.Scale - types.AsDecimal(agg.ArgTypes[0]).Scale
		}
		return strict(agg.Ret, kernelSumExact(mean, shift), types.ArrayOf(agg.ArgTypes[0])), nil
	}
}

func kernelSumFloats(mean bool) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		elems := a[0].Child[0]
		out.Resize(n)
		for i := range n {
			sum, count := 0.0, 0
			for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
				if !elems.IsNull(j) {
					sum += elems.F64[j]
					count++
				}
			}
			if mean && count > 0 {
				sum /= float64(count)
			}
			out.F64[i] = sum
			if count == 0 {
				out.SetNull(i)
			}
		}
	}
}

func kernelSumExact(mean bool, shift int) Kernel {
	return func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		elems := a[0].Child[0]
		out.Resize(n)
		for i := range n {
			var sum types.Int256
			count, fits := int64(0), true
			for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]); j++ {
				if elems.IsNull(j) {
					continue
				}
				var ok bool
				sum, ok = sum.Add(exactAt(elems, j))
				fits = fits && ok
				count++
			}
			if mean && count > 0 {
				var ok bool
				sum, ok = types.WideDivShift(sum, types.I256(count), shift)
				fits = fits && ok
			}
			if !putWide(out, i, sum) || !fits {
				ctx.Fail(i, diag.New(diag.NumericOverflow, -1, "a sum has more than %d digits", types.MaxDecimalPrecision))
			}
			if count == 0 {
				out.SetNull(i)
			}
		}
	}
}
