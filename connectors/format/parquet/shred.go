package parquet

import (
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// leaf is a column of the file: the column of the batch that it is part of, and the way down to it.
type leaf struct {
	column int
	path   []step
}

// step goes from a nested vector to one of its children.
type step struct {
	child    int
	list     bool // the child's rows are elements
	required bool // the child is never NULL: keys of maps
}

// appendLeaves appends the leaves below a type, in the order of the file's columns.
func appendLeaves(dst []leaf, at leaf, t types.Type) []leaf {
	down := func(s step, t types.Type) {
		path := append(append([]step{}, at.path...), s)
		dst = appendLeaves(dst, leaf{column: at.column, path: path}, t)
	}
	switch t.Kind {
	case types.Array:
		down(step{list: true}, *t.Elem)
	case types.Map:
		down(step{list: true, required: true}, *t.Key)
		down(step{list: true, child: 1}, *t.Elem)
	case types.Struct:
		for i, f := range t.Fields {
			down(step{child: i}, f.Type)
		}
	default:
		dst = append(dst, at)
	}
	return dst
}

// shred fills rows, defs and reps for a leaf and the counting rows of a batch, and returns the leaf's vector. The definition level
// counts how many of the optional and repeated parts on the way to a value exist, the repetition level says at which list the
// value goes on. (Melnik et al., Dremel: Interactive Analysis of Web-Scale Datasets, VLDB 2010.)
func (w *Writer) shred(l leaf, b *vector.Batch) *vector.Vector {
	w.rows, w.defs, w.reps = w.rows[:0], w.defs[:0], w.reps[:0]
	v := b.Cols[l.column]
	if len(l.path) == 0 {
		w.present(b, v)
		return v
	}
	for k := range b.Rows() {
		w.descend(v, b.Row(k), l.path, levels{}, false)
	}
	for _, s := range l.path {
		v = v.Child[s.child]
	}
	return v
}

// present is shred of a column that is not nested.
func (w *Writer) present(b *vector.Batch, v *vector.Vector) {
	for k := range b.Rows() {
		i := b.Row(k)
		if v.IsNull(i) {
			w.defs = append(w.defs, 0)
			continue
		}
		w.defs = append(w.defs, 1)
		w.rows = append(w.rows, int32(i))
	}
}

// levels is where a walk stands: the definition level, the repetition level to write next, and how many lists it is in.
type levels struct{ def, rep, lists int16 }

// descend notes the levels of one row of v and of what is below it on the path.
func (w *Writer) descend(v *vector.Vector, i int, path []step, at levels, required bool) {
	if v.IsNull(i) && !required {
		w.note(at)
		return
	}
	if !required {
		at.def++
	}
	if len(path) == 0 {
		w.rows = append(w.rows, int32(i))
		w.note(at)
		return
	}
	s := path[0]
	if !s.list {
		w.descend(v.Child[s.child], i, path[1:], at, s.required)
		return
	}
	from, to := int(v.Off[i]), int(v.Off[i+1])
	if from == to {
		w.note(at)
		return
	}
	at.def++
	at.lists++
	for j := from; j < to; j++ {
		w.descend(v.Child[s.child], j, path[1:], at, s.required)
		at.rep = at.lists
	}
}

func (w *Writer) note(at levels) {
	w.defs = append(w.defs, at.def)
	w.reps = append(w.reps, at.rep)
}
