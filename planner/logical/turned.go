package logical

// Turned is the inner join j of left and right with its sides exchanged; the columns are put back in their order.
func Turned(j Join, left, right Node) Node {
	l, r := len(left.Columns()), len(right.Columns())
	moved := make([]int, l+r)
	for i := range moved {
		moved[i] = (i + r) % (l + r)
	}
	j.LeftKeys, j.RightKeys = j.RightKeys, j.LeftKeys
	if j.Residual != nil {
		j.Residual = Remap(j.Residual, moved)
	}
	return NewPick(NewJoin(right, left, j), moved)
}
