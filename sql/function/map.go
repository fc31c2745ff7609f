package function

import (
	"bytes"
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// mapFuncs is the table of functions of MAP. Of equal keys the last value stays, at the place of the first; a NULL key is a row error.
func mapFuncs() []*Func {
	return family("map",
		def("map(key, value, ..)", "A MAP: MAP[key, value, ..]. Of equal keys the last counts; a key that is NULL is an error.", bindMap, "map('a', 1)", `{"a": 1}`, "map('a', 1, 'b', 2, 'a', 3)", `{"a": 3, "b": 2}`, "map('a', NULL)", `{"a": null}`),
		def("map_from_arrays(keys, values)", "A MAP of two ARRAYs of the same length.", bindMapFromArrays, "map_from_arrays(array('a', 'b'), array(1, 2))", `{"a": 1, "b": 2}`),
		def("map_from_entries(x)", "A MAP of an ARRAY of STRUCTs of key and value.", bindMapFromEntries, "map_from_entries(array(row('a', 1), row('b', 2)))", `{"a": 1, "b": 2}`),
		def("map_keys(m)", "The keys of a MAP.", bindMapPart(0), "map_keys(map('a', 1))", `["a"]`),
		def("map_values(m)", "The values of a MAP.", bindMapPart(1), "map_values(map('a', 1))", "[1]"),
		def("map_entries(m)", "A MAP as ARRAY of STRUCTs with the fields `key` and `value`.", bindMapEntries, "map_entries(map('a', 1))", `[{"key": "a", "value": 1}]`),
		def("map_concat(m1, m2, ..)", "Several MAPs in one; of equal keys the last MAP's value counts.", bindMapConcat, "map_concat(map('a', 1, 'b', 2), map('a', 5))", `{"a": 5, "b": 2}`),
		def("map_contains_key(m, k)", "Whether a MAP has a key.", bindMapContains, "map_contains_key(map('a', NULL), 'a')", "1", "map_contains_key(map('a', 1), 'b')", "0").alias("map_contains"),
		def("str_to_map(s) | str_to_map(s, between_pairs) | str_to_map(s, between_pairs, behind_key)",
			"A MAP of texts from `k=v,k=v`; the separators are `,` and `=` unless given. A pair without the second one has the value NULL.",
			optional(types.MapOf(tText, tText), kernelStrToMap, 1, tText, tText, tText), "str_to_map('a=1,b=2')", `{"a": "1", "b": "2"}`, "str_to_map('a:1;b', ';', ':')", `{"a": "1", "b": null}`),
	)
}

// mapEntries collects the entries of one MAP after the other into the children of out.
type mapEntries struct {
	ctx  *Ctx
	row  int
	out  *vector.Vector
	seen elementSet
	key  *vector.Vector // scratch: one key, to hash it
	hash [1]uint64
}

// begin starts the MAP of a row, of at most room entries.
func (m *mapEntries) begin(ctx *Ctx, row int, out *vector.Vector, room int) {
	m.ctx, m.row, m.out = ctx, row, out
	m.seen.reset(out.Child[0], room)
}

// add puts an entry: row i of keys and row j of values (nil: NULL). A NULL key is an error of the row.
func (m *mapEntries) add(keys *vector.Vector, i int, values *vector.Vector, j int) {
	if keys.IsNull(i) {
		m.ctx.Fail(m.row, diag.New(diag.InvalidArgument, -1, "a key of a MAP is NULL"))
		return
	}
	if m.key == nil {
		m.key = vector.New(keys.Type, 1)
	}
	m.key.Reset()
	m.key.AppendFrom(keys, i)
	hash := hashes(m.hash[:], m.key)
	found, at := m.seen.find(keys, i, hash[0])
	if found < 0 {
		m.out.Child[0].AppendFrom(keys, i)
		m.seen.put(at, m.out.Child[0].N-1)
		m.appendValue(values, j)
		return
	}
	m.replace(found, values, j)
}

func (m *mapEntries) appendValue(values *vector.Vector, j int) {
	if values == nil {
		m.out.Child[1].AppendNull()
		return
	}
	m.out.Child[1].AppendFrom(values, j)
}

// replace gives entry `at` another value: vectors only grow, so that the values behind it are copied. Equal keys are rare.
func (m *mapEntries) replace(at int, values *vector.Vector, j int) {
	old := m.out.Child[1]
	behind := vector.New(old.Type, old.N-at)
	for k := at + 1; k < old.N; k++ {
		behind.AppendFrom(old, k)
	}
	old.Truncate(at)
	m.appendValue(values, j)
	old.AppendAll(behind, nil)
}

func bindMap(args []Arg) (Bound, error) {
	if len(args)%2 != 0 {
		return Bound{}, countError("pairs of keys and values", len(args))
	}
	var keys, values []Arg
	for i := 0; i < len(args); i += 2 {
		keys, values = append(keys, args[i]), append(values, args[i+1])
	}
	key, _, err := commonArgs(keys)
	if err != nil {
		return Bound{}, fmt.Errorf("the keys of a MAP must have one type: %w", err)
	}
	value, _, err := commonArgs(values)
	if err != nil {
		return Bound{}, fmt.Errorf("the values of a MAP must have one type: %w", err)
	}
	var want []types.Type
	for range keys {
		want = append(want, key, value)
	}
	return Bound{Ret: types.MapOf(key, value), ArgTypes: want, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var m mapEntries
		for i := range n {
			m.begin(ctx, i, out, len(a)/2)
			for k := 0; k < len(a); k += 2 {
				m.add(a[k], i, a[k+1], i)
			}
			out.EndList()
		}
	}}, nil
}

func bindMapFromArrays(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	for i := range args {
		if err := arrayArg(args, i); err != nil {
			return Bound{}, err
		}
	}
	k, v := arrayOf(args[0].Type), arrayOf(args[1].Type)
	return strict(types.MapOf(*k.Elem, *v.Elem), func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var m mapEntries
		for i := range n {
			size := listLen(a[0], i)
			if size != listLen(a[1], i) {
				ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "a MAP of %d keys and %d values", size, listLen(a[1], i)))
				size = 0
			}
			m.begin(ctx, i, out, size)
			for e := range size {
				m.add(a[0].Child[0], int(a[0].Off[i])+e, a[1].Child[0], int(a[1].Off[i])+e)
			}
			out.EndList()
		}
	}, k, v), nil
}

func bindMapFromEntries(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	if t.Kind != types.Array || t.Elem.Kind != types.Struct || len(t.Elem.Fields) != 2 {
		return Bound{}, fmt.Errorf("argument 1 must be an ARRAY of STRUCTs of two fields, not %s", t)
	}
	return strict(types.MapOf(t.Elem.Fields[0].Type, t.Elem.Fields[1].Type), func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var m mapEntries
		entries := a[0].Child[0]
		for i := range n {
			m.begin(ctx, i, out, listLen(a[0], i))
			for e := int(a[0].Off[i]); e < int(a[0].Off[i+1]); e++ {
				if !entries.IsNull(e) {
					m.add(entries.Child[0], e, entries.Child[1], e)
				}
			}
			out.EndList()
		}
	}, t), nil
}

func mapArg(args []Arg, i int) error {
	if args[i].Type.Kind != types.Map {
		return fmt.Errorf("argument %d must be a MAP, not %s", i+1, args[i].Type)
	}
	return nil
}

// oneMap checks the arguments of a function of one MAP.
func oneMap(args []Arg) (t types.Type, err error) {
	if err := arity(args, 1); err != nil {
		return t, err
	}
	return args[0].Type, mapArg(args, 0)
}

func bindMapPart(child int) binder {
	return func(args []Arg) (Bound, error) {
		t, err := oneMap(args)
		if err != nil {
			return Bound{}, err
		}
		part := *t.Key
		if child == 1 {
			part = *t.Elem
		}
		return strict(types.ArrayOf(part), func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			out.Child[0].AppendAll(a[0].Child[child], nil)
			for i := range n {
				out.Off = append(out.Off, a[0].Off[i+1])
			}
			out.N = n
		}, t), nil
	}
}

func bindMapEntries(args []Arg) (Bound, error) {
	t, err := oneMap(args)
	if err != nil {
		return Bound{}, err
	}
	entry := types.StructOf(types.Field{Name: "key", Type: *t.Key}, types.Field{Name: "value", Type: *t.Elem})
	return strict(types.ArrayOf(entry), func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		entries := out.Child[0]
		for c := range entries.Child {
			entries.Child[c].AppendAll(a[0].Child[c], nil)
		}
		for range a[0].Child[0].N {
			entries.EndStruct()
		}
		for i := range n {
			out.Off = append(out.Off, a[0].Off[i+1])
		}
		out.N = n
	}, t), nil
}

func bindMapConcat(args []Arg) (Bound, error) {
	if len(args) == 0 {
		return Bound{}, countError("1 MAP or more", 0)
	}
	for i := range args {
		if err := mapArg(args, i); err != nil {
			return Bound{}, err
		}
	}
	t, want, err := commonArgs(args)
	if err != nil {
		return Bound{}, fmt.Errorf("the MAPs have different types: %s and %s", args[0].Type, args[1].Type)
	}
	return strict(t, func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		var m mapEntries
		for i := range n {
			room := 0
			for _, v := range a {
				room += listLen(v, i)
			}
			m.begin(ctx, i, out, room)
			for _, v := range a {
				for e := int(v.Off[i]); e < int(v.Off[i+1]); e++ {
					m.add(v.Child[0], e, v.Child[1], e)
				}
			}
			out.EndList()
		}
	}, want...), nil
}

func bindMapContains(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if err := mapArg(args, 0); err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	key, ok := types.CommonType(*t.Key, args[1].Type)
	if !ok {
		return Bound{}, fmt.Errorf("argument 2 is a %s, the keys are %s", args[1].Type, t.Key)
	}
	return strict(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		return boolInt(indexIn(a[0].Child[0], a[0].Off[i], a[0].Off[i+1], a[1], i) >= 0), true
	}), types.MapOf(key, *t.Elem), key), nil
}

// kernelStrToMap splits at the separators; an empty one never occurs.
func kernelStrToMap(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var m mapEntries
	key, value := vector.New(tText, 1), vector.New(tText, 1)
	for i := range n {
		pairs, behind := []byte(","), []byte("=")
		if len(a) > 1 {
			pairs = a[1].Bytes(i)
		}
		if len(a) > 2 {
			behind = a[2].Bytes(i)
		}
		rest := a[0].Bytes(i)
		m.begin(ctx, i, out, 1+countSeparators(rest, pairs))
		for more := true; more; {
			var pair []byte
			pair, rest, more = cutAt(rest, pairs)
			k, v, found := cutAt(pair, behind)
			key.Reset()
			value.Reset()
			key.AppendBytes(k)
			if value.AppendBytes(v); found {
				m.add(key, 0, value, 0)
			} else {
				m.add(key, 0, nil, 0)
			}
		}
		out.EndList()
	}
}

func countSeparators(s, separator []byte) int {
	if len(separator) == 0 {
		return 0
	}
	return bytes.Count(s, separator)
}

func cutAt(s, separator []byte) (before, after []byte, found bool) {
	if len(separator) == 0 {
		return s, nil, false
	}
	return bytes.Cut(s, separator)
}
