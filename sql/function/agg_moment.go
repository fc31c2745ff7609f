package function

import (
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// momentAggs are the aggregates computed from sums of powers and products.
func momentAggs() []*Agg {
	pair := func(signature, doc string, result func(c *coMoments) (float64, bool), examples ...string) *Agg {
		return agg(signature, doc+" Rows where one of both is NULL do not count.", bindCoMoments(result), examples...)
	}
	return []*Agg{
		pair("corr(y, x)", "Pearson's coefficient of correlation; NULL when one of both does not vary.", func(c *coMoments) (float64, bool) {
			return c.xy / math.Sqrt(c.xx*c.yy), c.xx > 0 && c.yy > 0
		}, "corr(y, x) of (2, 1), (4, 2), (6, 3)", "1", "corr(y, x) of (1, 1), (1, 2)", "NULL"),
		pair("covar_pop(y, x)", "The population covariance.", func(c *coMoments) (float64, bool) { return c.xy / c.n, c.n > 0 }, "covar_pop(y, x) of (1, 1), (3, 2), (5, 3)", "1.3333333333333333"),
		pair("covar_samp(y, x)", "The sample covariance; NULL for less than two rows.", func(c *coMoments) (float64, bool) { return c.xy / (c.n - 1), c.n > 1 }, "covar_samp(y, x) of (1, 1), (3, 2), (5, 3)", "2", "covar_samp(y, x) of (1, 1)", "NULL"),
		pair("regr_slope(y, x)", "The slope of the line y = slope * x + intercept with the least squares; NULL when x does not vary.", func(c *coMoments) (float64, bool) { return c.xy / c.xx, c.xx > 0 }, "regr_slope(y, x) of (1, 1), (3, 2), (5, 3)", "2"),
		pair("regr_intercept(y, x)", "The intercept of the line with the least squares; NULL when x does not vary.", func(c *coMoments) (float64, bool) { return c.my - c.xy/c.xx*c.mx, c.xx > 0 }, "regr_intercept(y, x) of (1, 1), (3, 2), (5, 3)", "-1"),
		pair("regr_r2(y, x)", "The part of y's variance that the line explains; 1 when y does not vary, NULL when x does not.", func(c *coMoments) (float64, bool) {
			if c.yy == 0 {
				return 1, c.xx > 0
			}
			return c.xy * c.xy / (c.xx * c.yy), c.xx > 0
		}, "regr_r2(y, x) of (1, 1), (3, 2), (5, 3)", "1"),
		pair("regr_count(y, x)", "How many rows have both, as a DOUBLE.", func(c *coMoments) (float64, bool) { return c.n, true }, "regr_count(y, x) of (1, 1), (NULL, 2)", "1"),
		pair("regr_avgx(y, x)", "The mean of x.", func(c *coMoments) (float64, bool) { return c.mx, c.n > 0 }, "regr_avgx(y, x) of (1, 1), (3, 2)", "1.5"),
		pair("regr_avgy(y, x)", "The mean of y.", func(c *coMoments) (float64, bool) { return c.my, c.n > 0 }, "regr_avgy(y, x) of (1, 1), (3, 2)", "2"),
		pair("regr_sxx(y, x)", "The sum of the squared distances of x from its mean.", func(c *coMoments) (float64, bool) { return c.xx, c.n > 0 }, "regr_sxx(y, x) of (1, 1), (3, 2)", "0.5"),
		pair("regr_syy(y, x)", "The sum of the squared distances of y from its mean.", func(c *coMoments) (float64, bool) { return c.yy, c.n > 0 }, "regr_syy(y, x) of (1, 1), (3, 2)", "2"),
		pair("regr_sxy(y, x)", "The sum of the products of both distances from the means.", func(c *coMoments) (float64, bool) { return c.xy, c.n > 0 }, "regr_sxy(y, x) of (1, 1), (3, 2)", "1"),
		agg("skewness(x)", "The population skewness; NULL when x does not vary.", bindPowers(false), "skewness(x) of 1, 2, 3", "0", "skewness(x) of 1, 1", "NULL"),
		agg("kurtosis(x)", "The population excess kurtosis, 0 for a normal distribution; NULL when x does not vary.", bindPowers(true), "kurtosis(x) of 1, 1, 3, 3", "-2"),
		agg("geomean(x)", "The geometric mean of numbers above zero; NULL when there is another.", bindLogs(func(sum, n float64) float64 { return math.Exp(sum / n) }, false), "geomean(x) of 1, 4", "2", "geomean(x) of 1, -4", "NULL").alias("geometric_mean"),
		agg("product(x)", "The product of all values, a DOUBLE; NULL when there is no value.", bindLogs(func(sum, _ float64) float64 { return math.Exp(sum) }, true), "product(x) of 2, -3, NULL", "-6"),
		agg("avg_weighted(x, weight)", "The sum of x * weight by the sum of weights; NULL when that is zero.", bindWeighted, "avg_weighted(x, w) of (10, 1), (20, 3)", "17.5", "avg_weighted(x, w) of (10, 0)", "NULL"),
	}
}

// coMoments are count, means and sums of squared distances and their products, kept by Welford's method.
type coMoments struct{ n, mx, my, xx, yy, xy float64 }

func (c *coMoments) add(y, x float64) {
	c.n++
	dx, dy := x-c.mx, y-c.my
	c.mx += dx / c.n
	c.my += dy / c.n
	c.xx += dx * (x - c.mx)
	c.yy += dy * (y - c.my)
	c.xy += dx * (y - c.my)
}

func (c *coMoments) remove(y, x float64) {
	if c.n--; c.n <= 0 {
		*c = coMoments{n: c.n}
		return
	}
	dx, dy := x-c.mx, y-c.my
	c.mx -= dx / c.n
	c.my -= dy / c.n
	c.xx = cancelled(c.xx, dx*(x-c.mx))
	c.yy = cancelled(c.yy, dy*(y-c.my))
	if c.xy -= dx * (y - c.my); c.xx == 0 || c.yy == 0 {
		c.xy = 0
	}
}

// cancelled is a - b for sums of squares; what has lost all its digits is zero.
func cancelled(a, b float64) float64 {
	if d := a - b; d > 1e-12*a {
		return d
	}
	return 0
}

func bindCoMoments(result func(c *coMoments) (float64, bool)) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := numericArgs(args, 2); err != nil {
			return BoundAgg{}, err
		}
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat, tFloat}, NewState: func(bool) AggState { return &coMomentState{result: result} }}, nil
	}
}

// numericArgs checks that there are n numeric arguments.
func numericArgs(args []Arg, n int) error {
	if err := arity2(args, n); err != nil {
		return err
	}
	for _, a := range args {
		if _, err := numericArg([]Arg{a}); err != nil {
			return err
		}
	}
	return nil
}

type coMomentState struct {
	groups []coMoments
	result func(c *coMoments) (float64, bool)
}

func (s *coMomentState) Grow(groups int) { s.groups = growTo(s.groups, groups) }
func (s *coMomentState) Clear(group int) { s.groups[group] = coMoments{} }

func (s *coMomentState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	y, x := args[0], args[1]
	for k, g := range gids {
		i := rowAt(rows, k)
		if y.IsNull(i) || x.IsNull(i) {
			continue
		}
		if sign(change, k) > 0 {
			s.groups[g].add(y.F64[i], x.F64[i])
		} else {
			s.groups[g].remove(y.F64[i], x.F64[i])
		}
	}
	return nil
}

func (s *coMomentState) Emit(group int, out *vector.Vector) {
	emitFloat(out, s.result, &s.groups[group])
}

// emitFloat appends a result that may not be there or not be finite.
func emitFloat[T any](out *vector.Vector, result func(*T) (float64, bool), state *T) {
	if f, ok := result(state); ok && f-f == 0 {
		out.AppendF64(f)
	} else {
		out.AppendNull()
	}
}

func (s *coMomentState) Encode(group int, dst []byte) []byte {
	c := &s.groups[group]
	return appendFloats(dst, c.n, c.mx, c.my, c.xx, c.yy, c.xy)
}

func (s *coMomentState) Decode(group int, data []byte) ([]byte, error) {
	c := &s.groups[group]
	return readFloats(data, &c.n, &c.mx, &c.my, &c.xx, &c.yy, &c.xy)
}

func appendFloats(dst []byte, list ...float64) []byte {
	for _, f := range list {
		dst = appendF64(dst, f)
	}
	return dst
}

func readFloats(data []byte, list ...*float64) (rest []byte, err error) {
	for _, f := range list {
		if *f, data, err = readF64(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func bindPowers(fourth bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := numericArgs(args, 1); err != nil {
			return BoundAgg{}, err
		}
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat}, NewState: func(bool) AggState { return &powerState{fourth: fourth} }}, nil
	}
}

// powers are the sums of the first four powers of x - shift; shift is the first value, so that a large mean costs no digits.
type powers struct{ n, shift, s1, s2, s3, s4 float64 }

// powerState is SKEWNESS and KURTOSIS.
type powerState struct {
	groups []powers
	fourth bool
}

func (s *powerState) Grow(groups int) { s.groups = growTo(s.groups, groups) }
func (s *powerState) Clear(group int) { s.groups[group] = powers{} }

func (s *powerState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		p, step := &s.groups[g], float64(sign(change, k))
		if p.n == 0 {
			*p = powers{shift: args[0].F64[i]}
		}
		x := args[0].F64[i] - p.shift
		p.n += step
		p.s1 += step * x
		p.s2 += step * x * x
		p.s3 += step * x * x * x
		p.s4 += step * x * x * x * x
	}
	return nil
}

func (s *powerState) Emit(group int, out *vector.Vector) {
	emitFloat(out, func(p *powers) (float64, bool) {
		m := p.s1 / p.n
		m2 := p.s2/p.n - m*m
		if p.n <= 0 || m2 <= 1e-12*p.s2/p.n { // nothing but rounding is left
			return 0, false
		}
		if s.fourth {
			m4 := p.s4/p.n - 4*m*p.s3/p.n + 6*m*m*p.s2/p.n - 3*m*m*m*m
			return m4/(m2*m2) - 3, true
		}
		m3 := p.s3/p.n - 3*m*p.s2/p.n + 2*m*m*m
		return m3 / (m2 * math.Sqrt(m2)), true
	}, &s.groups[group])
}

func (s *powerState) Encode(group int, dst []byte) []byte {
	p := &s.groups[group]
	return appendFloats(dst, p.n, p.shift, p.s1, p.s2, p.s3, p.s4)
}

func (s *powerState) Decode(group int, data []byte) ([]byte, error) {
	p := &s.groups[group]
	return readFloats(data, &p.n, &p.shift, &p.s1, &p.s2, &p.s3, &p.s4)
}

func bindLogs(result func(sum, n float64) float64, signed bool) func([]Arg) (BoundAgg, error) {
	return func(args []Arg) (BoundAgg, error) {
		if err := numericArgs(args, 1); err != nil {
			return BoundAgg{}, err
		}
		return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat}, NewState: func(bool) AggState { return &logState{result: result, signed: signed} }}, nil
	}
}

// logState is GEOMEAN and PRODUCT: a sum of logarithms, taken back as it was added, and how many values are zero or below.
type logState struct {
	sum                sumFloatState
	negatives, zeros   []int64
	signed             bool // negative values count, as factors
	result             func(sum, n float64) float64
	logs               *vector.Vector
	passGids, passRows []int32
	passChange         []vector.Change
}

func (s *logState) Grow(groups int) {
	s.sum.Grow(groups)
	s.negatives, s.zeros = growTo(s.negatives, groups), growTo(s.zeros, groups)
}

func (s *logState) Clear(group int) {
	s.sum.Clear(group)
	s.negatives[group], s.zeros[group] = 0, 0
}

func (s *logState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	if s.logs == nil {
		s.logs = vector.New(tFloat, len(gids))
	}
	s.logs.Reset()
	s.passGids, s.passRows, s.passChange = s.passGids[:0], s.passRows[:0], s.passChange[:0]
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) {
			continue
		}
		x, step := args[0].F64[i], sign(change, k)
		switch {
		case x == 0:
			s.zeros[g] += step
		case x < 0:
			s.negatives[g] += step
		}
		if x != 0 {
			s.passGids, s.passRows = append(s.passGids, g), append(s.passRows, int32(s.logs.N))
			s.logs.AppendF64(math.Log(math.Abs(x)))
			if change != nil {
				s.passChange = append(s.passChange, change[k])
			}
		}
	}
	ops := s.passChange
	if change == nil {
		ops = nil
	}
	return s.sum.Add(s.passGids, s.passRows, ops, []*vector.Vector{s.logs})
}

func (s *logState) Emit(group int, out *vector.Vector) {
	n, zeros, negatives := s.sum.n[group], s.zeros[group], s.negatives[group]
	switch {
	case n+zeros <= 0, !s.signed && zeros+negatives > 0:
		out.AppendNull()
		return
	case zeros > 0:
		out.AppendF64(0)
		return
	}
	f := s.result(s.sum.sum[group]+s.sum.low[group], float64(n))
	if r := math.Round(f); math.Abs(f-r) < 1e-9*math.Abs(f) && math.Abs(f) < 1<<52 { // logarithms of integers lose digits
		f = r
	}
	if s.signed && negatives&1 == 1 {
		f = -f
	}
	if f-f != 0 {
		out.AppendNull()
		return
	}
	out.AppendF64(f)
}

func (s *logState) Encode(group int, dst []byte) []byte {
	dst = binary.AppendVarint(binary.AppendVarint(dst, s.zeros[group]), s.negatives[group])
	return s.sum.Encode(group, dst)
}

func (s *logState) Decode(group int, data []byte) (rest []byte, err error) {
	if s.zeros[group], rest, err = readVarint(data); err != nil {
		return nil, err
	}
	if s.negatives[group], rest, err = readVarint(rest); err != nil {
		return nil, err
	}
	return s.sum.Decode(group, rest)
}

func bindWeighted(args []Arg) (BoundAgg, error) {
	if err := numericArgs(args, 2); err != nil {
		return BoundAgg{}, err
	}
	return BoundAgg{Ret: tFloat, ArgTypes: []types.Type{tFloat, tFloat}, NewState: func(bool) AggState { return &weightedState{} }}, nil
}

// weighted is the sum of weighted values, the sum of weights and the number of rows.
type weighted struct{ sum, weight, n float64 }

type weightedState struct{ groups []weighted }

func (s *weightedState) Grow(groups int) { s.groups = growTo(s.groups, groups) }
func (s *weightedState) Clear(group int) { s.groups[group] = weighted{} }

func (s *weightedState) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[0].IsNull(i) || args[1].IsNull(i) {
			continue
		}
		w, step := &s.groups[g], float64(sign(change, k))
		w.sum += step * args[0].F64[i] * args[1].F64[i]
		w.weight += step * args[1].F64[i]
		if w.n += step; w.n == 0 {
			*w = weighted{}
		}
	}
	return nil
}

func (s *weightedState) Emit(group int, out *vector.Vector) {
	emitFloat(out, func(w *weighted) (float64, bool) { return w.sum / w.weight, w.weight != 0 }, &s.groups[group])
}

func (s *weightedState) Encode(group int, dst []byte) []byte {
	w := &s.groups[group]
	return appendFloats(dst, w.sum, w.weight, w.n)
}

func (s *weightedState) Decode(group int, data []byte) ([]byte, error) {
	w := &s.groups[group]
	return readFloats(data, &w.sum, &w.weight, &w.n)
}
