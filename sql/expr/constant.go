package expr

// FoldConstant evaluates an expression that reads no column and gives the same value every time. When that fails it stays as it is: the
// error belongs to the rows, and there may be none.
func FoldConstant(e Expr) Expr {
	if _, ok := e.(*Const); ok || len(Columns(e)) > 0 || !Deterministic(e) {
		return e
	}
	return foldConstant(e, e.At())
}
