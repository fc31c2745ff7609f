package operator

// dirtySet is the set of group ids changed since the last barrier.
type dirtySet struct {
	bits []uint64
	list []int32
}

func (d *dirtySet) mark(gid int32) {
	word := int(gid >> 6)
	if word >= len(d.bits) {
		d.bits = grown(d.bits, word+1)
	}
	if bit := uint64(1) << (gid & 63); d.bits[word]&bit == 0 {
		d.bits[word] |= bit
		d.list = append(d.list, gid)
	}
}

// clear empties the set.
func (d *dirtySet) clear() {
	for _, gid := range d.list {
		d.bits[gid>>6] = 0
	}
	d.list = d.list[:0]
}

// groupSet is a set of key groups.
type groupSet [4]uint64

func (g *groupSet) add(group uint16) { g[group>>6&3] |= 1 << (group & 63) }

// each calls fn for the members, ascending.
func (g *groupSet) each(fn func(group uint16)) {
	for i := range uint16(256) {
		if g[i>>6]&(1<<(i&63)) != 0 {
			fn(i)
		}
	}
}
