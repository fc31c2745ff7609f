package operator

// keyList is a list of state keys to delete at the next barrier, in one buffer.
type keyList struct {
	arena []byte
	refs  []keyRef
}

type keyRef struct {
	group uint16
	end   int // in arena; the key starts where the one before ends
}

// add appends the key that encode appends to its argument.
func (l *keyList) add(group uint16, encode func(dst []byte) []byte) {
	l.arena = encode(l.arena)
	l.refs = append(l.refs, keyRef{group, len(l.arena)})
}

func (l *keyList) each(fn func(group uint16, key []byte)) {
	from := 0
	for _, r := range l.refs {
		fn(r.group, l.arena[from:r.end])
		from = r.end
	}
}

func (l *keyList) clear() { l.arena, l.refs = l.arena[:0], l.refs[:0] }
