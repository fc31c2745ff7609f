package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// elementSet is a set of rows of one vector, found by hash: the elements of one array at a time. NULLs are equal to one another.
// Buffers are kept from row to row.
type elementSet struct {
	of    *vector.Vector
	slots []int32 // row of `of` + 1; 0: free. Its length is a power of two
	size  int
	room  int // most elements of the present array
}

// reset empties the set; it will hold rows of v, at most `room` of them.
func (s *elementSet) reset(v *vector.Vector, room int) {
	n := 8
	for n < 2*room {
		n *= 2
	}
	if cap(s.slots) < n {
		s.slots = make([]int32, n)
	}
	s.of, s.slots, s.size, s.room = v, s.slots[:n], 0, room
	clear(s.slots)
}

// find returns the row of the set that is equal to row i of v, whose hash is given; -1 when there is none. At is the slot to put it.
func (s *elementSet) find(v *vector.Vector, i int, hash uint64) (found, at int) {
	mask := len(s.slots) - 1
	at = int(hash) & mask
	for s.slots[at] != 0 {
		if j := int(s.slots[at] - 1); Compare(s.of, j, v, i) == 0 {
			return j, at
		}
		at = (at + 1) & mask
	}
	return -1, at
}

// put fills the slot that find gave with row i of the set's own vector.
func (s *elementSet) put(at, i int) {
	s.slots[at] = int32(i + 1)
	s.size++
}

// hashes computes the hash of every row of a vector of elements.
func hashes(buf []uint64, v *vector.Vector) []uint64 {
	if cap(buf) < v.N {
		buf = make([]uint64, v.N)
	}
	buf = buf[:v.N]
	row.Hash([]*vector.Vector{v}, nil, buf)
	return buf
}

// distinctElements appends the elements from..to of v to list that are not in it yet and, with a filter, whose membership in only is
// as wanted.
type distinctElements struct {
	seen, only elementSet
	filter     bool
	wanted     bool
}

func (d *distinctElements) append(list, v *vector.Vector, from, to int32, hash []uint64) {
	for j := int(from); j < int(to); j++ {
		if d.filter {
			if found, _ := d.only.find(v, j, hash[j]); (found >= 0) != d.wanted {
				continue
			}
		}
		if found, at := d.seen.find(v, j, hash[j]); found < 0 {
			list.AppendFrom(v, j)
			d.seen.put(at, list.N-1)
		}
	}
}

func listLen(v *vector.Vector, i int) int { return int(v.Off[i+1] - v.Off[i]) }

func kernelDistinct(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var d distinctElements
	hash := hashes(nil, a[0].Child[0])
	for i := range n {
		d.seen.reset(out.Child[0], listLen(a[0], i))
		d.append(out.Child[0], a[0].Child[0], a[0].Off[i], a[0].Off[i+1], hash)
		out.EndList()
	}
}

func kernelArrayUnion(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var d distinctElements
	x, y := hashes(nil, a[0].Child[0]), hashes(nil, a[1].Child[0])
	for i := range n {
		d.seen.reset(out.Child[0], listLen(a[0], i)+listLen(a[1], i))
		d.append(out.Child[0], a[0].Child[0], a[0].Off[i], a[0].Off[i+1], x)
		d.append(out.Child[0], a[1].Child[0], a[1].Off[i], a[1].Off[i+1], y)
		out.EndList()
	}
}

// kernelArraySelect is ARRAY_INTERSECT (in true) and ARRAY_EXCEPT.
func kernelArraySelect(in bool) Kernel {
	return func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		d := distinctElements{filter: true, wanted: in}
		x, y := hashes(nil, a[0].Child[0]), hashes(nil, a[1].Child[0])
		for i := range n {
			d.only.fill(a[1], i, y)
			d.seen.reset(out.Child[0], listLen(a[0], i))
			d.append(out.Child[0], a[0].Child[0], a[0].Off[i], a[0].Off[i+1], x)
			out.EndList()
		}
	}
}

// fill makes the set that of the elements of array i.
func (s *elementSet) fill(list *vector.Vector, i int, hash []uint64) {
	s.reset(list.Child[0], listLen(list, i))
	for j := int(list.Off[i]); j < int(list.Off[i+1]); j++ {
		if found, at := s.find(list.Child[0], j, hash[j]); found < 0 {
			s.put(at, j)
		}
	}
}

// kernelOverlap: TRUE when some element that is not NULL is in both; else NULL when one that is could be.
func kernelOverlap(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var set elementSet
	x, y := hashes(nil, a[0].Child[0]), hashes(nil, a[1].Child[0])
	for i := range n {
		set.fill(a[1], i, y)
		elems, found, nulls := a[0].Child[0], false, false
		for j := int(a[0].Off[i]); j < int(a[0].Off[i+1]) && !found; j++ {
			if elems.IsNull(j) {
				nulls = true
				continue
			}
			at, _ := set.find(elems, j, x[j])
			found = at >= 0
		}
		for j := int(a[1].Off[i]); j < int(a[1].Off[i+1]) && !found; j++ {
			nulls = nulls || a[1].Child[0].IsNull(j)
		}
		out.AppendBool(found)
		if !found && nulls && listLen(a[0], i) > 0 && listLen(a[1], i) > 0 {
			out.SetNull(i)
		}
	}
}

func kernelContainsAll(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var set elementSet
	x, y := hashes(nil, a[0].Child[0]), hashes(nil, a[1].Child[0])
	for i := range n {
		set.fill(a[0], i, x)
		all := true
		for j := int(a[1].Off[i]); j < int(a[1].Off[i+1]) && all; j++ {
			at, _ := set.find(a[1].Child[0], j, y[j])
			all = at >= 0
		}
		out.AppendBool(all)
	}
}

func arrayArg(args []Arg, i int) error {
	if args[i].Type.Kind != types.Array && args[i].Type.Kind != types.Null {
		return fmt.Errorf("argument %d must be an ARRAY, not %s", i+1, args[i].Type)
	}
	return nil
}

// oneArray checks the arguments of a function of one ARRAY.
func oneArray(args []Arg) (t types.Type, err error) {
	if err := arity(args, 1); err != nil {
		return t, err
	}
	return arrayOf(args[0].Type), arrayArg(args, 0)
}

// bindArray1 binds a strict function of one ARRAY; ret makes the result's type from the array's.
func bindArray1(kernel Kernel, ret func(types.Type) types.Type) binder {
	return func(args []Arg) (Bound, error) {
		t, err := oneArray(args)
		if err != nil {
			return Bound{}, err
		}
		return strict(ret(t), kernel, t), nil
	}
}

// arrayOf reads a bare NULL as an ARRAY.
func arrayOf(t types.Type) types.Type {
	if t.Kind == types.Null {
		return types.ArrayOf(t)
	}
	return t
}

func sameType(t types.Type) types.Type { return t }
func elemOf(t types.Type) types.Type   { return *t.Elem }

// bindArrays binds a strict function of least to most ARRAYs of a common type; ret Null: that type.
func bindArrays(kernel Kernel, ret types.Type, least, most int) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < least || len(args) > most {
			return Bound{}, arityError(least, most, len(args))
		}
		for i := range args {
			if err := arrayArg(args, i); err != nil {
				return Bound{}, err
			}
		}
		t, want, err := commonArgs(args)
		if err != nil {
			return Bound{}, fmt.Errorf("the ARRAYs have elements of different types: %s and %s", args[0].Type, args[1].Type)
		}
		if t.Kind == types.Null {
			t = arrayOf(t)
			for i := range want {
				want[i] = t
			}
		}
		if ret.Kind != types.Null {
			return strict(ret, kernel, want...), nil
		}
		return strict(t, kernel, want...), nil
	}
}

// bindArrayElement binds a strict function of an ARRAY and a value for its elements; ret Null: the type of the array.
func bindArrayElement(kernel Kernel, ret types.Type) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		if err := arrayArg(args, 0); err != nil {
			return Bound{}, err
		}
		elem, ok := types.CommonType(*arrayOf(args[0].Type).Elem, args[1].Type)
		if !ok {
			return Bound{}, fmt.Errorf("argument 2 is a %s, the elements are %s", args[1].Type, args[0].Type.Elem)
		}
		t := types.ArrayOf(elem)
		if ret.Kind == types.Null {
			ret := t
			return strict(ret, kernel, t, elem), nil
		}
		return strict(ret, kernel, t, elem), nil
	}
}
