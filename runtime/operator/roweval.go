package operator

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/vector"
)

// disposeErrors hands the errors that an evaluation left in ctx.Fn.Errs to the error policy, in row order, and forgets them. failed is
// overwritten with the rows, ascending.
func disposeErrors(ctx *Context, stage string, b *vector.Batch, failed []int32) ([]int32, error) {
	errs := ctx.Fn.Errs
	ctx.Fn.Errs = ctx.Fn.Errs[:0]
	sortErrors(errs)
	failed = failed[:0]
	for _, e := range errs {
		if n := len(failed); n > 0 && failed[n-1] == int32(e.Row) {
			continue
		}
		failed = append(failed, int32(e.Row))
		if err := ctx.RowError(stage, b, e.Row, e.Err); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

// sortErrors is an insertion sort: errors are few and mostly in order.
func sortErrors(errs []function.RowError) {
	for i := 1; i < len(errs); i++ {
		for j := i; j > 0 && errs[j].Row < errs[j-1].Row; j-- {
			errs[j], errs[j-1] = errs[j-1], errs[j]
		}
	}
}

// without sets dst to the counting rows of b that are not in failed (ascending). The result is never nil: that would be all rows.
func without(dst []int32, b *vector.Batch, failed []int32) []int32 {
	if dst = dst[:0]; dst == nil {
		dst = []int32{}
	}
	for k := range b.Rows() {
		i := int32(b.Row(k))
		for len(failed) > 0 && failed[0] < i {
			failed = failed[1:]
		}
		if len(failed) == 0 || failed[0] != i {
			dst = append(dst, i)
		}
	}
	return dst
}

// maxEventTime bounds event times so that window arithmetic cannot overflow: about 73,000 years around 1970.
const maxEventTime = 1 << 61

// eventTime returns the event time of row i; an error says why it has none that can be used.
func eventTime(v *vector.Vector, i int) (int64, *diag.Error) {
	if v.IsNull(i) {
		return 0, diag.New(diag.InvalidArgument, -1, "event time is NULL").
			WithHint("filter such rows out, or give the column a default")
	}
	t := v.I64[i]
	if t > maxEventTime || t < -maxEventTime {
		return 0, diag.New(diag.InvalidArgument, -1, "event time is out of range")
	}
	return t, nil
}
