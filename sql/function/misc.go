package function

import (
	"bytes"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/vector"
)

// miscFuncs is the table of what fits nowhere else.
func miscFuncs() []*Func {
	return family("misc", append(append(uuidFuncs(), informationFuncs()...),
		def("single_row(n)", "TRUE; an error when n is more than 1. It checks the number of rows of a subquery that is used as a value.", fixed(tBool, kernelSingleRow, tInt), "single_row(1)", "1"),
		def("hash64(a, b, ..)", "A stable 64-bit hash of any values: the one that distributes rows by key.", bindHash, "hash64(1) = hash64(1)", "1", "hash64(NULL) = hash64(NULL)", "1"),
	)...)
}

func kernelSingleRow(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	for i, rows := range args[0].I64[:n] {
		if out.I64[i] = 1; rows > 1 && !args[0].IsNull(i) {
			ctx.Fail(i, diag.New(diag.SubqueryRows, -1, "the subquery gives %d rows where one value is wanted", rows).
				WithHint("aggregate it, take the first with ORDER BY .. LIMIT 1, or write IN (SELECT ..)"))
		}
	}
}

func bindHash(args []Arg) (Bound, error) {
	if len(args) == 0 {
		return Bound{}, countError("1 argument or more", 0)
	}
	return Bound{Ret: tUint, ArgTypes: anyTypes(args), Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		var room [256]uint64
		for from := 0; from < n; from += len(room) {
			some := room[:min(len(room), n-from)]
			rows := identityRows[from:]
			if from+len(some) > len(identityRows) {
				rows = rowsFrom(from, len(some))
			}
			row.Hash(a, rows[:len(some)], some)
			for k, h := range some {
				out.I64[from+k] = int64(h)
			}
		}
	}}, nil
}

// identityRows are the row numbers of a batch.
var identityRows = rowsFrom(0, vector.MaxRows)

func rowsFrom(from, n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(from + i)
	}
	return rows
}

// splitInto appends the parts of s to a text vector.
func splitInto(out *vector.Vector, s, sep []byte) {
	for len(sep) > 0 {
		at := bytes.Index(s, sep)
		if at < 0 {
			break
		}
		out.AppendBytes(s[:at])
		s = s[at+len(sep):]
	}
	out.AppendBytes(s)
}
