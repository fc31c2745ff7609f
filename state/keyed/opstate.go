package keyed

// OpState is the state of one operator in the key groups [From, To) of one task: it writes into the task's delta and reads from the
// store. It has the method set of operator.State. Not safe for concurrent use.
type OpState struct {
	Store    *Store
	Op       uint64
	From, To uint16 // key groups owned, To exclusive
	Delta    *Delta
}

// NewOpState makes the view. Delta may be shared by the operators of a task.
func NewOpState(s *Store, op uint64, from, to uint16, d *Delta) *OpState {
	return &OpState{Store: s, Op: op, From: from, To: to, Delta: d}
}

// Put sets an entry.
func (o *OpState) Put(table byte, group uint16, key, value []byte) {
	o.Delta.putParts(o.Op, table, group, key, value)
}

// Delete removes an entry.
func (o *OpState) Delete(table byte, group uint16, key []byte) {
	o.Delta.startParts(Delete, o.Op, table, group, key)
}

// DeleteRange removes the entries with keys in [from, to) of one group; an empty to means to the end of the group.
func (o *OpState) DeleteRange(table byte, group uint16, from, to []byte) {
	d := o.Delta
	start := AppendKey(nil, o.Op, table, group, from)
	if len(to) == 0 {
		d.DeleteRange(start, appendEnd(nil, o.Op, table, uint32(group)+1))
		return
	}
	d.DeleteRange(start, AppendKey(nil, o.Op, table, group, to))
}

// Scan calls fn for every applied entry of the task's key groups, by group, then key.
func (o *OpState) Scan(table byte, fn func(group uint16, key, value []byte) error) error {
	return o.Store.Scan(o.Op, table, o.From, o.To, fn)
}
