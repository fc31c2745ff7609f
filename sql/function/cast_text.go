package function

import (
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// toText writes the text form; VARCHAR(n) keeps the first n characters, as MySQL's CAST does, unless it is an
// assignment. Instants are written in the session's
// zone.
func (c *caster) toText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	if c.from.Kind != types.Timestamp {
		in = ctx.shown(in)
	}
	for i := range n {
		start := len(out.Data)
		switch {
		case in.IsNull(i):
		case c.from.Kind == types.Timestamp:
			wall := ctx.toWall(in.I64[i])
			out.Data = types.AppendTimestamp(out.Data, wall, shownDigits(wall, c.from.Precision), false)
		default:
			out.Data = AppendText(out.Data, in, i)
		}
		if c.to.Precision > 0 && !c.fit(out, start) {
			c.tooLong(ctx, in, i, out)
			continue
		}
		out.EndBytes()
	}
}

// fit makes the text that begins at start fit the target's length: CAST cuts it and fills BINARY(n) up; on assignment only spaces
// may be cut, and false says that more would have to be.
func (c *caster) fit(out *vector.Vector, start int) bool {
	s := out.Data[start:]
	size, ok := vector.FitLength(s, c.to)
	switch {
	case ok:
	case c.assign:
		return false
	case c.to.Kind == types.Bytes:
		size = c.to.Precision
	default:
		size = prefixLen(s, c.to.Precision)
	}
	out.Data = out.Data[:start+min(size, len(s))]
	for len(out.Data) < start+size {
		out.Data = append(out.Data, 0)
	}
	return true
}

// tooLong ends a row whose text does not fit.
func (c *caster) tooLong(ctx *Ctx, in *vector.Vector, row int, out *vector.Vector) {
	out.Data = out.Data[:out.Off[row]]
	out.EndBytes()
	if !in.IsNull(row) && ctx.Counts(row) {
		ctx.Fail(row, diag.New(diag.InvalidCast, -1, "'%s' is too long for %s", clip(AppendText(nil, in, row)), c.to).
			WithHint("CAST(.. AS %s) cuts it", c.to))
	}
}

// prefixLen returns the length in bytes of the first chars characters of s.
func prefixLen(s []byte, chars int) int {
	if len(s) <= chars {
		return len(s)
	}
	i := 0
	for ; chars > 0 && i < len(s); chars-- {
		_, size := utf8.DecodeRune(s[i:])
		i += size
	}
	return i
}

func (c *caster) toJSON(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := ctx.shown(args[0])
	for i := range n {
		if c.from.Class() != types.ClassBytes {
			out.Data = AppendJSON(out.Data, in, i)
			out.EndBytes()
			continue
		}
		s := in.Bytes(i)
		out.AppendBytes(s)
		if !validJSON(s) {
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}

func (c *caster) temporalKernel() Kernel {
	switch {
	case c.from.Class() == types.ClassBytes:
		return c.temporalFromText
	case !c.from.Kind.IsTemporal():
		return c.temporalFromNumber
	}
	return c.temporalFromTemporal
}

// temporalFromText gives NULL for text that is no date or time, as MySQL does.
func (c *caster) temporalFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		s := trimSpace(in.Bytes(i))
		x, ok := parseTemporal(ctx, s, c.to)
		if whole, digits := parseInt(s); !ok && digits {
			x, ok = c.unpack(ctx, whole, 0)
		}
		ok = ok && (x <= types.MaxMicros || c.to.Kind == types.Date) // rounding may go beyond
		out.I64[i] = x
		if !ok {
			out.SetNull(i)
		}
	}
}

// parseTemporal reads a value of any temporal type. A DATE is the day of a longer text, a TIME its clock; a TIMESTAMP without zone
// is in the session's zone, and a DATETIME with one is moved to it.
func parseTemporal(ctx *Ctx, s []byte, to types.Type) (int64, bool) {
	if to.Kind == types.Time {
		if x, ok := types.ParseTime(s); ok {
			return types.RoundFraction(x, to.Precision), true
		}
	}
	if to.Kind == types.Date && len(s) == 10 {
		if x, ok := types.ParseDate(s); ok {
			return x, true
		}
	}
	x, zoned, ok := types.ParseZoned(s)
	if !ok && to.Kind != types.Time {
		var room [64]byte
		if s, ok = types.Canonical(room[:0], s); ok {
			x, zoned, ok = types.ParseZoned(s)
		}
	}
	if !ok {
		return 0, false
	}
	if to.Kind == types.Timestamp {
		if !zoned {
			x = ctx.fromWall(x)
		}
		return types.RoundFraction(x, to.Precision), true
	}
	if zoned {
		x = ctx.toWall(x)
	}
	switch to.Kind {
	case types.Date:
		return types.FloorDiv(x, types.Day), true
	case types.Time:
		return types.RoundFraction(x-types.FloorDiv(x, types.Day)*types.Day, to.Precision), true
	}
	return types.RoundFraction(x, to.Precision), true
}

func (c *caster) temporalFromTemporal(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		out.I64[i] = convertTemporal(ctx, in.I64[i], c.from, c.to)
	}
}

func convertTemporal(ctx *Ctx, x int64, from, to types.Type) int64 {
	if from.Kind == to.Kind {
		if to.Precision < from.Precision {
			return types.RoundFraction(x, to.Precision)
		}
		return x
	}
	switch from.Kind { // to a wall clock
	case types.Time: // of the current day
		now := ctx.toWall(ctx.Now)
		x += types.FloorDiv(now, types.Day) * types.Day
	case types.Date:
		if x < types.MinDay || x > types.MaxDay {
			x = 0
		}
		x *= types.Day
	case types.Timestamp:
		x = ctx.toWall(x)
	}
	switch to.Kind {
	case types.Date:
		return types.FloorDiv(x, types.Day)
	case types.Time:
		return types.RoundFraction(x-types.FloorDiv(x, types.Day)*types.Day, to.Precision)
	case types.Timestamp:
		x = ctx.fromWall(x)
	}
	return types.RoundFraction(x, to.Precision)
}
