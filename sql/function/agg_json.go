package function

import (
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// pairAggs are the aggregates that make one nested value of all rows.
func pairAggs() []*Agg {
	return []*Agg{
		agg("json_arrayagg(x)", "All values, NULLs too, as a JSON array in order of arrival; NULL when there is no row.", bindCollect(func(types.Type) types.Type { return tJSON }, emitJSONArray), "json_arrayagg(x) of 1, NULL, 2", "[1, null, 2]").ordered(),
		agg("json_objectagg(key, value)", "A JSON object of all rows; of equal keys the last counts, a NULL key is an error. NULL when there is no row.", bindPairs(true), "json_objectagg(k, v) of ('a', 1), ('b', 2), ('a', 3)", `{"a": 3, "b": 2}`).ordered(),
		agg("map_agg(key, value)", "A MAP of all rows; of equal keys the last counts, rows with a NULL key do not.", bindPairs(false), "map_agg(k, v) of ('a', 1), ('b', 2), ('a', 3)", `{"a": 3, "b": 2}`).ordered(),
	}
}

func emitJSONArray(list, out *vector.Vector) {
	if list.N == 0 {
		out.AppendNull()
		return
	}
	out.Data = append(out.Data, '[')
	for i := range list.N {
		if i > 0 {
			out.Data = append(out.Data, ", "...)
		}
		out.Data = AppendJSON(out.Data, list, i)
	}
	out.Data = append(out.Data, ']')
	out.EndBytes()
}

// bindPairs binds JSON_OBJECTAGG and MAP_AGG: both collect pairs, as STRUCTs.
func bindPairs(asJSON bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := arity2(args, 2); err != nil {
			return BoundAgg{}, err
		}
		key, value := args[0].Type, args[1].Type
		ret, emit := types.MapOf(key, value), emitMap
		if asJSON {
			key, ret, emit = tText, tJSON, emitObject
		}
		pair := types.StructOf(types.Field{Name: "key", Type: key}, types.Field{Name: "value", Type: value})
		newState := func(bool) AggState {
			return &rowState{inner: &collectState{t: pair, emit: emit}, args: vector.Vector{Type: pair}, needKey: asJSON}
		}
		return BoundAgg{Ret: ret, ArgTypes: []types.Type{key, value}, NewState: newState}, nil
	}
}

// lastPairs gives the rows of a list of pairs that count: for each key where it came first, the row that came last.
func lastPairs(list *vector.Vector) []int {
	var rows []int
	at := map[string]int{}
	var buf []byte
	for i := range list.N {
		if list.Child[0].IsNull(i) {
			continue
		}
		buf = AppendText(buf[:0], list.Child[0], i)
		if k, seen := at[string(buf)]; seen {
			rows[k] = i
			continue
		}
		at[string(buf)] = len(rows)
		rows = append(rows, i)
	}
	return rows
}

func emitMap(list, out *vector.Vector) {
	if list.N == 0 {
		out.AppendNull()
		return
	}
	for _, i := range lastPairs(list) {
		out.Child[0].AppendFrom(list.Child[0], i)
		out.Child[1].AppendFrom(list.Child[1], i)
	}
	out.EndList()
}

func emitObject(list, out *vector.Vector) {
	if list.N == 0 {
		out.AppendNull()
		return
	}
	out.Data = append(out.Data, '{')
	for k, i := range lastPairs(list) {
		if k > 0 {
			out.Data = append(out.Data, ", "...)
		}
		out.Data = AppendQuoted(out.Data, list.Child[0].Bytes(i))
		out.Data = append(out.Data, ": "...)
		out.Data = AppendJSON(out.Data, list.Child[1], i)
	}
	out.Data = append(out.Data, '}')
	out.EndBytes()
}

// rowState hands all arguments on as one STRUCT, without copying them.
type rowState struct {
	inner   AggState
	args    vector.Vector
	one     [1]*vector.Vector
	needKey bool // a NULL first argument is an error
}

func (s *rowState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	if s.needKey && args[0].HasNulls() {
		for k := range gids {
			if args[0].IsNull(rowAt(rows, k)) {
				return diag.New(diag.InvalidArgument, -1, "the key of a JSON object is NULL")
			}
		}
	}
	s.args.Child, s.args.N = args, args[0].N
	s.one[0] = &s.args
	return s.inner.Add(gids, rows, change, s.one[:])
}

func (s *rowState) Grow(groups int)                               { s.inner.Grow(groups) }
func (s *rowState) Clear(group int)                               { s.inner.Clear(group) }
func (s *rowState) Emit(group int, out *vector.Vector)            { s.inner.Emit(group, out) }
func (s *rowState) Encode(group int, dst []byte) []byte           { return s.inner.Encode(group, dst) }
func (s *rowState) Decode(group int, data []byte) ([]byte, error) { return s.inner.Decode(group, data) }
