package function

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// serverVersion is what clients of the MySQL protocol see: they pick their dialect by it.
const serverVersion = "8.0.40-millrace"

// informationFuncs are the functions by which clients ask where they are. A connection of the MySQL protocol puts in what it knows of
// itself before a statement is parsed; these are the answers everywhere else.
func informationFuncs() []*Func {
	return []*Func{
		def("version()", "The version that clients of the MySQL protocol see.", constantText(serverVersion), "version()", serverVersion),
		def("database()", "The name of the database: there is one.", constantText("millrace"), "database()", "millrace").alias("schema"),
		def("user()", "The user of the connection.", constantText("root@localhost"), "user()", "root@localhost").alias("current_user", "session_user", "system_user"),
		def("current_role()", "The roles in force: there are none.", constantText("NONE"), "current_role()", "NONE"),
		def("connection_id()", "The number of the connection; 0 outside of one.", constantZero, "connection_id()", "0"),
		def("last_insert_id()", "Always 0: tables have no AUTO_INCREMENT.", constantZero, "last_insert_id()", "0"),
		def("found_rows()", "Always 0: results are streams.", constantZero, "found_rows()", "0"),
		def("row_count()", "Always 0: a statement does not tell how many rows it changed.", constantZero, "row_count()", "0"),
		def("charset(x)", "The character set of an expression: utf8mb4 for text, binary for the rest.", bindAbout("utf8mb4", "binary"), "charset('a')", "utf8mb4", "charset(1)", "binary", "charset(NULL)", "binary"),
		def("collation(x)", "The collation of an expression: utf8mb4_bin for text, binary for the rest.", bindAbout("utf8mb4_bin", "binary"), "collation('a')", "utf8mb4_bin", "collation(NULL)", "binary"),
		def("coercibility(x)", "How much an expression's collation gives way: 4 for constant text, 2 for other text, 5 for numbers and times, 6 for NULL.", bindCoercibility, "coercibility('a')", "4", "coercibility(1)", "5", "coercibility(NULL)", "6"),
		def("typeof(x)", "The name of an expression's type.", bindTypeOf, "typeof(1)", "BIGINT", "typeof(1.50)", "DECIMAL(3,2)", "typeof(NULL)", "NULL"),
		def("raise_error(message)", "Fails the row with a message: CASE WHEN x < 0 THEN raise_error('negative') ELSE x END. The job's error policy decides what becomes of the row.", fixed(tText, kernelRaise, tText), "raise_error(NULL)", "NULL"),
	}
}

func constantText(text string) binder {
	return fixed(tText, rowText(func(dst []byte, _ []*vector.Vector, _ int) ([]byte, bool) { return append(dst, text...), true }))
}

func constantZero(args []Arg) (Bound, error) {
	return fixed(tInt, rowInt(func([]*vector.Vector, int) (int64, bool) { return 0, true }))(args)
}

// bindAbout binds a function of an argument's type: one answer for text, one for the rest.
func bindAbout(text, other string) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		bound, err := constantText(pickText(args[0].Type.Kind.IsText(), text, other))(nil)
		bound.ArgTypes, bound.Strict = anyTypes(args), false
		return bound, err
	}
}

func pickText(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

func bindCoercibility(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	x := int64(5)
	switch a := args[0]; {
	case a.Type.Kind == types.Null:
		x = 6
	case a.Type.Kind.IsText() && a.Const != nil:
		x = 4
	case a.Type.Kind.IsText():
		x = 2
	}
	return Bound{Ret: tInt, ArgTypes: anyTypes(args), Kernel: rowInt(func([]*vector.Vector, int) (int64, bool) { return x, true })}, nil
}

func bindTypeOf(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	bound, err := constantText(args[0].Type.String())(nil)
	bound.ArgTypes, bound.Strict = anyTypes(args), false
	return bound, err
}

func kernelRaise(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		if !a[0].IsNull(i) && ctx.Counts(i) {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "%s", clip(a[0].Bytes(i))))
		}
		out.AppendNull()
	}
}
