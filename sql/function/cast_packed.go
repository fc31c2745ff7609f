package function

import (
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// temporalFromNumber reads [YY]YYMMDD, [YY]YYMMDDhhmmss and, for TIME, [h]hmmss; a number that is none is NULL, as in MySQL.
// Decimals are fractions of a second. (MySQL 8 manual, 11.2.6.)
func (c *caster) temporalFromNumber(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	in := args[0]
	out.Resize(n)
	for i := range n {
		x, ok := int64(0), false
		if !in.IsNull(i) {
			var whole, micros int64
			if whole, micros, ok = packedAt(in, i); ok {
				x, ok = c.unpack(ctx, whole, micros)
			}
		}
		if out.I64[i] = x; !ok {
			out.SetNull(i)
		}
	}
}

// packedAt splits a number into its whole part and millionths.
func packedAt(v *vector.Vector, i int) (whole, micros int64, ok bool) {
	var d types.Int128
	switch v.Type.Class() {
	case types.ClassF64:
		d, ok = decimalFromFloat(v.F64[i], types.MaxTimePrecision)
	case types.ClassI128:
		d, ok = types.Rescale(v.I128[i], v.Type.Scale, types.MaxTimePrecision)
	case types.ClassI256:
		wide, fits := types.WideRescale(v.I256[i], v.Type.Scale, types.MaxTimePrecision)
		d, ok = wide.Narrow()
		ok = ok && fits
	default:
		d, ok = types.Rescale(wideOf(v, i), 0, types.MaxTimePrecision)
	}
	q, r, _ := d.DivRem(types.I128(types.Second))
	whole, fits := q.Int64()
	return whole, int64(r.Lo), ok && fits
}

func (c *caster) unpack(ctx *Ctx, whole, micros int64) (int64, bool) {
	if c.to.Kind == types.Time && whole < 100_00_00_0000 { // longer ones are instants
		x, ok := unpackClock(max(whole, -whole))
		if whole < 0 {
			x = -x
		}
		x = types.RoundFraction(x+micros, c.to.Precision)
		return x, ok && x >= -types.MaxTime && x <= types.MaxTime
	}
	if whole < 0 || micros < 0 {
		return 0, false
	}
	date, clock := whole, int64(0)
	if whole >= 100_000_000 {
		date, clock = whole/1_000_000, whole%1_000_000
	} else {
		micros = 0 // of a day alone
	}
	year, month, day := date/10_000, date/100%100, date%100
	if year < 100 {
		year, _ = types.YearOf(year, true)
	}
	time, ok := unpackClock(clock)
	if !ok || time >= types.Day || year > 9999 || month < 1 || month > 12 || day < 1 || day > types.DaysInMonth(year, month) {
		return 0, false
	}
	wall := types.DaysFromCivil(year, month, day)*types.Day + time + micros
	return convertTemporal(ctx, wall, tDatetime, c.to), true
}

// unpackClock reads hhmmss.
func unpackClock(n int64) (micros int64, ok bool) {
	h, m, s := n/10_000, n/100%100, n%100
	return h*types.Hour + m*types.Minute + s*types.Second, m < 60 && s < 60
}

// fromJSON converts JSON scalars: strings without their quotes, TRUE and FALSE as 1 and 0, null as NULL.
func (c *caster) fromJSON() (Kernel, error) {
	inner, err := (&caster{from: tText, to: c.to, try: c.try}).kernel()
	if err != nil {
		return nil, err
	}
	return func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		in, text := args[0], vector.New(tText, n) // kernels are shared by tasks: no buffer to keep
		for i := range n {
			s := trimSpace(in.Bytes(i))
			null := in.IsNull(i) || string(s) == "null"
			switch {
			case null:
			case string(s) == "true":
				text.Data = append(text.Data, '1')
			case string(s) == "false":
				text.Data = append(text.Data, '0')
			default:
				text.Data = unquoteJSON(text.Data, s)
			}
			text.EndBytes()
			if null {
				text.SetNull(i)
			}
		}
		inner(ctx, []*vector.Vector{text}, n, out)
		out.AndValidity(text)
	}, nil
}
