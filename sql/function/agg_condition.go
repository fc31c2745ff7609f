package function

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// conditionAggs are the aggregates of conditions and of the rows where one holds.
func conditionAggs() []*Agg {
	where := func(name string) func([]Arg) (BoundAgg, error) { return bindWhere(name) }
	return []*Agg{
		agg("bool_and(x)", "Whether x is TRUE in every row where it is not NULL; NULL when there is none.", bindTruths(func(n, yes int64) bool { return n == yes }), "bool_and(x) of TRUE, FALSE", "0", "bool_and(x) of TRUE, NULL", "1").alias("every"),
		agg("bool_or(x)", "Whether x is TRUE in some row; NULL when it is NULL in all.", bindTruths(func(_, yes int64) bool { return yes > 0 }), "bool_or(x) of TRUE, FALSE", "1").alias("some"),
		agg("count_if(cond)", "In how many rows cond is TRUE.", where("count"), "count_if(x) of TRUE, FALSE, NULL", "1").alias("countif"),
		agg("sum_if(x, cond)", "sum(x) of the rows where cond is TRUE.", where("sum"), "sum_if(x, c) of (1, TRUE), (2, FALSE), (4, TRUE)", "5"),
		agg("avg_if(x, cond)", "avg(x) of the rows where cond is TRUE.", where("avg"), "avg_if(x, c) of (1, TRUE), (2, FALSE), (4, TRUE)", "2.5000"),
		agg("min_if(x, cond)", "min(x) of the rows where cond is TRUE.", where("min"), "min_if(x, c) of (3, TRUE), (1, FALSE)", "3"),
		agg("max_if(x, cond)", "max(x) of the rows where cond is TRUE.", where("max"), "max_if(x, c) of (3, TRUE), (9, FALSE)", "3"),
		agg("count_distinct(x, ..)", "count(DISTINCT x, ..) as a function.", bindCountDistinct, "count_distinct(x) of 1, 1, 2, NULL", "2"),
	}
}

func bindCountDistinct(args []Arg) (BoundAgg, error) {
	if len(args) == 0 {
		return BoundAgg{}, countError("1 argument or more", 0)
	}
	bound, err := bindCount(args)
	return NewDistinct(bound), err
}

func bindTruths(result func(n, yes int64) bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if _, err := numericArg(args); err != nil {
			return BoundAgg{}, err
		}
		return BoundAgg{Ret: tBool, ArgTypes: []types.Type{tBool}, NewState: func(bool) AggState { return &truthState{result: result} }}, nil
	}
}

// truthState counts rows, and those where the condition holds.
type truthState struct {
	n, yes []int64
	result func(n, yes int64) bool
}

func (s *truthState) Grow(groups int) { s.n, s.yes = growTo(s.n, groups), growTo(s.yes, groups) }
func (s *truthState) Clear(group int) { s.n[group], s.yes[group] = 0, 0 }

func (s *truthState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		if i := rowAt(rows, k); !args[0].IsNull(i) {
			step := sign(change, k)
			s.n[g] += step
			s.yes[g] += step * boolInt(args[0].I64[i] != 0)
		}
	}
	return nil
}

func (s *truthState) Emit(group int, out *vector.Vector) {
	if s.n[group] == 0 {
		out.AppendNull()
		return
	}
	out.AppendBool(s.result(s.n[group], s.yes[group]))
}

func (s *truthState) Encode(group int, dst []byte) []byte {
	return binary.AppendVarint(binary.AppendVarint(dst, s.n[group]), s.yes[group])
}

func (s *truthState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.n[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	s.yes[group], rest, err = readVarint(rest)
	return rest, err
}

// bindWhere binds an aggregate of the rows where the last argument is TRUE.
func bindWhere(name string) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		want := 2
		if name == "count" {
			want = 1
		}
		if err := arity2(args, want); err != nil {
			return BoundAgg{}, err
		}
		if cond := args[want-1].Type; cond.Kind != types.Null && !isNumber(cond) {
			return BoundAgg{}, fmt.Errorf("argument %d must be a condition, not %s", want, cond)
		}
		bound, err := LookupAgg(name).Bind(args[:want-1])
		if err != nil {
			return bound, err
		}
		inner := bound.NewState
		bound.ArgTypes = append(append([]types.Type{}, bound.ArgTypes...), tBool)
		bound.NewState = func(retract bool) AggState { return &whereState{AggState: inner(retract)} }
		return bound, nil
	}
}

// whereState hands on the rows where the last argument is TRUE.
type whereState struct {
	AggState
	gids, rows []int32
	change     []vector.Change
}

func (s *whereState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	cond := args[len(args)-1]
	s.gids, s.rows, s.change = s.gids[:0], s.rows[:0], s.change[:0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if cond.IsNull(i) || cond.I64[i] == 0 {
			continue
		}
		s.gids, s.rows = append(s.gids, g), append(s.rows, int32(i))
		if change != nil {
			s.change = append(s.change, change[k])
		}
	}
	ops := s.change
	if change == nil {
		ops = nil
	}
	return s.AggState.Add(s.gids, s.rows, ops, args[:len(args)-1])
}
