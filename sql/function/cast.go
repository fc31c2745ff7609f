package function

import (
	"fmt"
	"math"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// caster is one conversion. A bad value is NULL when try is set, else a row error; text that is no date is NULL either way, as in
// MySQL.
type caster struct {
	from, to types.Type
	try      bool
	assign   bool     // text that is too long is an error
	child    []Kernel // conversions of the children of nested values
}

// Cast returns the kernel of CAST (a bad value is a row error) or TRY_CAST (a bad value is NULL).
func Cast(from, to types.Type, try bool) (Kernel, error) {
	return (&caster{from: from, to: to, try: try}).kernel()
}

// Assign returns the kernel that stores values in a column of type to: as Cast, but text that is too long for the column is a row
// error, as in MySQL's strict mode.
func Assign(from, to types.Type) (Kernel, error) {
	return (&caster{from: from, to: to, assign: true}).kernel()
}

func (c *caster) kernel() (Kernel, error) {
	from, to := c.from, c.to
	if !types.CanCast(from, to) {
		return nil, fmt.Errorf("cannot cast %s to %s", from, to)
	}
	switch {
	case from.Kind == types.Null:
		return castNull, nil
	case from.Kind == types.JSON && to.Class() != types.ClassBytes && to.Class() != types.ClassList && to.Class() != types.ClassStruct && to.Kind != types.Point:
		return c.fromJSON()
	case to.Kind == types.JSON:
		return c.toJSON, nil
	case to.Class() == types.ClassBytes:
		return c.toText, nil
	case to.Class() == types.ClassI256, from.Class() == types.ClassI256 && to.Kind == types.Decimal:
		return c.wideKernel(), nil
	case to.Kind.IsListed():
		return c.listedKernel(), nil
	case to.Kind == types.Year:
		return c.yearKernel(), nil
	case to.Kind == types.Point && from.Kind == types.Point:
		return copyKernel, nil
	case to.Kind == types.Point:
		return c.pointFromText, nil
	case from.Class() == types.ClassI256 && to.Class() != types.ClassBytes:
		return c.fromWide, nil
	case to.Kind == types.Bool || to.Kind.IsInteger():
		return c.integerKernel(), nil
	case to.Kind.IsFloat():
		return c.floatKernel(), nil
	case to.Kind == types.Decimal:
		return c.decimalKernel(), nil
	case to.Kind.IsTemporal():
		return c.temporalKernel(), nil
	case to.Kind == types.Interval && from.Kind == types.Interval:
		return copyKernel, nil
	case to.Kind == types.Interval:
		return c.toInterval, nil
	case from.Class() == types.ClassBytes:
		return c.nestedFromJSON, nil
	}
	return c.nestedKernel()
}

func castNull(_ *Ctx, _ []*vector.Vector, n int, out *vector.Vector) {
	for range n {
		out.AppendNull()
	}
}

// bad handles a value that does not convert; slots of NULL rows hold anything and are no errors. Row must already be in out.
func (c *caster) bad(ctx *Ctx, in *vector.Vector, row int, out *vector.Vector, code diag.Code) {
	switch {
	case in.IsNull(row):
	case c.try:
		out.SetNull(row)
	case !ctx.Counts(row):
	case code == diag.NumericOverflow:
		ctx.Fail(row, diag.New(code, -1, "%s is out of range of %s", clip(AppendText(nil, in, row)), c.to))
	default:
		ctx.Fail(row, diag.New(code, -1, "'%s' is no %s", clip(AppendText(nil, in, row)), c.to).WithHint("TRY_CAST gives NULL instead"))
	}
}

// clip shortens a value for a message.
func clip(s []byte) string {
	const most = 60
	if len(s) > most {
		return string(s[:most]) + "..."
	}
	return string(s)
}

// integerLimits are the ranges of the kinds narrower than 64 bits.
var integerLimits = map[types.Kind][2]int64{
	types.Bool: {0, 1}, types.Int8: {math.MinInt8, math.MaxInt8}, types.Int16: {math.MinInt16, math.MaxInt16},
	types.Int32: {math.MinInt32, math.MaxInt32}, types.Int64: {math.MinInt64, math.MaxInt64},
	types.Uint8: {0, math.MaxUint8}, types.Uint16: {0, math.MaxUint16}, types.Uint32: {0, math.MaxUint32},
}

func (c *caster) integerKernel() Kernel {
	switch from := c.from; {
	case c.to.Kind == types.Bool && from.Class() != types.ClassBytes:
		return c.toBool
	case from.Kind.IsInteger() || from.Kind == types.Bool || from.Kind == types.Interval || from.Kind == types.Year || from.Kind.IsListed():
		return c.integerFromInteger
	case from.Kind.IsFloat():
		return c.integerFromFloat
	case from.Kind == types.Decimal:
		return c.integerFromDecimal
	case from.Kind.IsTemporal():
		return c.integerFromTemporal
	}
	return c.integerFromText
}

// toBool is x <> 0.
func (c *caster) toBool(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	switch in.Type.Class() {
	case types.ClassF64:
		for i := range n {
			out.I64[i] = boolInt(in.F64[i] != 0)
		}
	case types.ClassI128:
		for i := range n {
			out.I64[i] = boolInt(!in.I128[i].IsZero())
		}
	default:
		for i := range n {
			out.I64[i] = boolInt(in.I64[i] != 0)
		}
	}
}

func (c *caster) integerFromInteger(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	if in.Type.Kind == types.Interval {
		for i := range n {
			out.I64[i] = int64(in.I128[i].Lo)
		}
		return
	}
	copy(out.I64, in.I64[:n])
	switch fromUnsigned := c.from.Kind.IsUnsignedBits(); {
	case c.to.Kind == types.Uint64 && fromUnsigned:
	case c.to.Kind == types.Uint64 || fromUnsigned && c.to.Kind == types.Int64:
		for i, x := range out.I64 {
			if x < 0 {
				c.bad(ctx, in, i, out, diag.NumericOverflow)
			}
		}
	default:
		limits := integerLimits[c.to.Kind]
		for i, x := range out.I64 {
			if x < limits[0] || x > limits[1] {
				c.bad(ctx, in, i, out, diag.NumericOverflow)
			}
		}
	}
}

// narrow stores a 128-bit integer, checked against the target's range.
func (c *caster) narrow(ctx *Ctx, x types.Int128, row int, in, out *vector.Vector) {
	if c.to.Kind == types.Uint64 {
		out.I64[row] = int64(x.Lo)
		if x.Hi != 0 {
			c.bad(ctx, in, row, out, diag.NumericOverflow)
		}
		return
	}
	v, ok := x.Int64()
	out.I64[row] = v
	limits := integerLimits[c.to.Kind]
	if !ok || v < limits[0] || v > limits[1] {
		c.bad(ctx, in, row, out, diag.NumericOverflow)
	}
}

func (c *caster) integerFromFloat(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		f := math.Round(in.F64[i])
		if !(math.Abs(f) < 1e30) {
			out.I64[i] = 0
			c.bad(ctx, in, i, out, diag.NumericOverflow)
			continue
		}
		c.narrow(ctx, int128FromFloat(f), i, in, out)
	}
}

// int128FromFloat converts an integral float of magnitude < 2^126.
func int128FromFloat(f float64) types.Int128 {
	abs := math.Abs(f)
	hi := math.Floor(abs / (1 << 32) / (1 << 32))
	lo := abs - hi*(1<<32)*(1<<32)
	v := types.Int128{Hi: int64(hi), Lo: uint64(lo)}
	if f < 0 {
		v = v.Neg()
	}
	return v
}

func (c *caster) integerFromDecimal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, _ := types.Rescale(in.I128[i], c.from.Scale, 0)
		c.narrow(ctx, x, i, in, out)
	}
}

// integerFromTemporal gives YYYYMMDD, hhmmss or YYYYMMDDhhmmss, as MySQL does in numeric context.
func (c *caster) integerFromTemporal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		c.narrow(ctx, types.I128(packTemporal(ctx, in, i)), i, in, out)
	}
}

func packTemporal(ctx *Ctx, v *vector.Vector, i int) int64 {
	x := v.I64[i]
	switch v.Type.Kind {
	case types.Date:
		return packDate(x)
	case types.Time:
		if x < 0 {
			return -packClock(-x)
		}
		return packClock(x)
	case types.Timestamp:
		x = ctx.toWall(x)
	}
	days := types.FloorDiv(x, types.Day)
	return packDate(days)*1_000_000 + packClock(x-days*types.Day)
}

func packDate(days int64) int64 {
	y, m, d := types.CivilFromDays(days)
	return y*10_000 + m*100 + d
}

func packClock(micros int64) int64 {
	return micros/types.Hour*10_000 + micros/types.Minute%60*100 + micros/types.Second%60
}

func (c *caster) integerFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		s := trimSpace(in.Bytes(i))
		out.I64[i] = 0
		if x, ok := parseInt(s); ok {
			c.narrow(ctx, types.I128(x), i, in, out)
			continue
		}
		if c.to.Kind == types.Bool {
			if b, ok := parseBool(s); ok {
				out.I64[i] = boolInt(b)
				continue
			}
		}
		if x, ok := types.ParseDecimal(s, 0); ok {
			c.narrow(ctx, x, i, in, out)
			continue
		}
		c.bad(ctx, in, i, out, diag.InvalidCast)
	}
}

func trimSpace(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t' || s[0] == '\n' || s[0] == '\r') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t' || s[len(s)-1] == '\n' || s[len(s)-1] == '\r') {
		s = s[:len(s)-1]
	}
	return s
}

// parseInt reads up to 18 digits; longer numbers take the slow way.
func parseInt(s []byte) (int64, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	x := int64(0)
	for _, ch := range s {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		x = x*10 + int64(ch-'0')
	}
	if neg {
		x = -x
	}
	return x, true
}

func parseBool(s []byte) (value, ok bool) {
	var low [5]byte
	if len(s) > len(low) {
		return false, false
	}
	for i, ch := range s {
		low[i] = ch | 0x20
	}
	switch string(low[:len(s)]) {
	case "true", "t", "yes", "y", "on":
		return true, true
	case "false", "f", "no", "n", "off":
		return false, true
	}
	return false, false
}

func (c *caster) toInterval(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		out.I128[i] = types.IntervalOf(0, in.I64[i])
	}
}
