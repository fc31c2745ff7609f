package function

import (
	"encoding/json"
	"math"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// listedKernel makes ENUM and SET from text (a member, a list of members) and from numbers (a place, bits).
func (c *caster) listedKernel() Kernel {
	switch {
	case c.from.Kind.IsListed():
		return c.listedFromListed
	case c.from.Class() == types.ClassBytes:
		return c.listedFromText
	}
	return c.listedFromNumber
}

func (c *caster) listedFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := c.to.ParseListed(in.Bytes(i))
		out.I64[i] = x
		if !ok {
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}

func (c *caster) listedFromListed(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	var room [64]byte
	for i := range n {
		x, ok := c.to.ParseListed(c.from.AppendListed(room[:0], in.I64[i]))
		out.I64[i] = x
		if !ok {
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}

func (c *caster) listedFromNumber(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := uint64At(in, i)
		out.I64[i] = int64(x)
		if !ok || !c.to.HoldsListed(x) {
			c.bad(ctx, in, i, out, diag.NumericOverflow)
		}
	}
}

// uint64At reads a number of any kind as an unsigned integer, rounded; ok is false when it is none.
func uint64At(v *vector.Vector, i int) (x uint64, ok bool) {
	switch v.Type.Class() {
	case types.ClassF64:
		f := math.Round(v.F64[i])
		return uint64(max(0, min(f, 1<<63))), f >= 0 && f < 1<<63
	case types.ClassI128:
		d, _ := types.Rescale(v.I128[i], v.Type.Scale, 0)
		return d.Lo, d.Hi == 0
	case types.ClassI256:
		d, _ := types.WideRescale(v.I256[i], v.Type.Scale, 0)
		small, ok := d.Narrow()
		return small.Lo, ok && small.Hi == 0
	}
	return uint64(v.I64[i]), v.I64[i] >= 0 || v.Type.Kind.IsUnsignedBits()
}

// yearKernel makes YEAR from text (1, 2 or 4 digits), from numbers, and from dates.
func (c *caster) yearKernel() Kernel {
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		in := args[0]
		out.Resize(n)
		for i := range n {
			if in.IsNull(i) {
				out.I64[i] = 0
				continue
			}
			year, ok := c.yearAt(ctx, in, i)
			out.I64[i] = year
			if !ok {
				c.bad(ctx, in, i, out, diag.NumericOverflow)
			}
		}
	}
}

func (c *caster) yearAt(ctx *Ctx, in *vector.Vector, i int) (int64, bool) {
	switch {
	case c.from.Class() == types.ClassBytes:
		return types.ParseYear(trimSpace(in.Bytes(i)))
	case c.from.Kind.IsTemporal():
		x := convertTemporal(ctx, in.I64[i], c.from, tDate)
		year, _, _ := types.CivilFromDays(x)
		return year, year == 0 || year >= types.MinYear && year <= types.MaxYear
	}
	x, ok := uint64At(in, i)
	if !ok || x > types.MaxYear {
		return 0, false
	}
	return types.YearOf(int64(x), false)
}

// pointFromText reads WKT or, from JSON and from text that begins with a brace, GeoJSON.
func (c *caster) pointFromText(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		s := trimSpace(in.Bytes(i))
		p, ok := types.ParsePoint(s)
		if !ok && len(s) > 0 && s[0] == '{' {
			p, ok = pointFromGeoJSON(s)
		}
		out.I128[i] = p
		if !ok {
			c.bad(ctx, in, i, out, diag.InvalidCast)
		}
	}
}

// pointFromGeoJSON reads {"type": "Point", "coordinates": [lon, lat]}.
func pointFromGeoJSON(s []byte) (p types.Int128, ok bool) {
	value, err := decodeJSON(s)
	object, ok := value.(map[string]any)
	if err != nil || !ok || object["type"] != "Point" {
		return p, false
	}
	at, _ := object["coordinates"].([]any)
	if len(at) != 2 {
		return p, false
	}
	var degrees [2]float64
	for k, x := range at {
		number, ok := x.(json.Number)
		if degrees[k], err = number.Float64(); !ok || err != nil {
			return p, false
		}
	}
	return types.PointOf(degrees[0], degrees[1])
}
