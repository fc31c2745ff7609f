package function

import (
	"fmt"
	"strconv"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxTime is the greatest TIME, 838:59:59; results beyond are cut to it as in MySQL.
const maxTime = 3020399 * types.Second

func cutTime(x int64) int64 { return min(max(x, -maxTime), maxTime) }

// clockFuncs is the part of the time table that works on clock readings.
func clockFuncs() []*Func {
	return []*Func{
		def("addtime(t, span)", "t, a TIME or an instant, moved on by a TIME; a TIME is cut to 838:59:59.", bindAddTime(false), "addtime('2007-12-31 23:59:59.999999', '1 01:01:01.000002')", "2008-01-02 01:01:01.000001", "addtime('01:00:00.999999', '02:00:00.999998')", "03:00:01.999997").reading(types.Timestamp),
		def("subtime(t, span)", "t, a TIME or an instant, moved back by a TIME; a TIME is cut to 838:59:59.", bindAddTime(true), "subtime('2007-12-31 23:59:59.999999', '1 01:01:01.000002')", "2007-12-30 22:58:58.999997", "subtime('01:00:00', '02:00:00')", "-01:00:00").reading(types.Timestamp),
		def("timediff(a, b)", "a - b as a TIME, cut to 838:59:59; both are TIMEs or both instants.", bindTimeDiff, "timediff('2008-12-31 23:59:59.000001', '2008-12-30 01:01:01.000002')", "46:58:57.999999", "timediff('10:00:00', '12:30:00')", "-02:30:00").reading(types.Timestamp),
		def("maketime(hour, minute, second)", "The TIME of its parts, cut to 838:59:59; NULL when minute or second lies outside 0..59.", fixed(tTime, rowInt(makeTime), tInt, tInt, types.DecimalOf(20, types.MaxTimePrecision)), "maketime(12, 15, 30)", "12:15:30", "maketime(-1, 0, 0.5)", "-01:00:00.500", "maketime(1, 60, 0)", "NULL"),
		def("time_format(t, format)", "A TIME, or the clock of an instant, as text by the clock codes of date_format; NULL for other codes.", bindTimeFormat, "time_format('100:00:00', '%H %k %h %I %l')", "100 100 04 04 4", "time_format('10:20:30', '%r')", "10:20:30 AM").readingFrom(types.Timestamp, 0),
		def("get_format(kind, region)", "The format of a kind ('DATE', 'TIME', 'DATETIME') in a region ('USA', 'JIS', 'ISO', 'EUR', 'INTERNAL') for date_format and str_to_date.", fixed(tText, rowText(getFormat), tText, tText), "get_format('DATE', 'USA')", "%m.%d.%Y", "get_format('DATE', 'x')", "NULL"),
		part("millisecond", "250", func(w int64) int64 { return clockOf(w) % types.Second / types.Millisecond }),
	}
}

func bindAddTime(minus bool) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		t, err := temporalArg(args[0], 1)
		if err != nil {
			return Bound{}, err
		}
		if t.Kind == types.Date {
			t = tDatetime
		}
		if err := spanArg(args[1], 2); err != nil {
			return Bound{}, err
		}
		return strict(t, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			span := a[1].I64[i]
			if minus {
				span = -span
			}
			r := a[0].I64[i] + span
			if t.Kind == types.Time {
				return cutTime(r), true
			}
			return r, r >= types.MinMicros && r <= types.MaxMicros
		}), t, tTime), nil
	}
}

// spanArg checks an argument that is to be a TIME.
func spanArg(a Arg, n int) error {
	if k := a.Type.Kind; k != types.Time && k != types.String && k != types.Null {
		return fmt.Errorf("argument %d must be a TIME, not %s", n, a.Type)
	}
	return nil
}

func bindTimeDiff(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	a, err := temporalArg(args[0], 1)
	if err != nil {
		return Bound{}, err
	}
	b, err := temporalArg(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	if a.Kind == types.Time && args[1].Type.Kind == types.String {
		b = tTime
	}
	if b.Kind == types.Time && args[0].Type.Kind == types.String {
		a = tTime
	}
	t, ok := types.CommonType(a, b)
	if !ok || (a.Kind == types.Time) != (b.Kind == types.Time) {
		return Bound{}, fmt.Errorf("%s and %s have no difference", a, b)
	}
	if t.Kind == types.Date {
		t = tDatetime
	}
	return strict(tTime, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return cutTime(a[0].I64[i] - a[1].I64[i]), true }), t, t), nil
}

func makeTime(a []*vector.Vector, i int) (int64, bool) {
	h, m := a[0].I64[i], a[1].I64[i]
	s, ok := a[2].I128[i].Int64()
	if m < 0 || m > 59 || !ok || s < 0 || s >= types.Minute {
		return 0, false
	}
	h = min(max(h, -900), 900)
	r := m*types.Minute + s
	if h < 0 {
		return cutTime(h*types.Hour - r), true
	}
	return cutTime(h*types.Hour + r), true
}

func bindTimeFormat(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t, err := temporalArg(args[0], 1)
	if args[0].Type.Kind == types.String {
		t = tTime
	}
	return Bound{Ret: tText, ArgTypes: []types.Type{t, tText}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			at := len(out.Data)
			clock := clockOf(wallOf(ctx, a[0], i))
			if t.Kind == types.Time {
				clock = a[0].I64[i]
			}
			if !appendTimeCodes(out, clock, a[1].Bytes(i)) {
				out.Data = out.Data[:at]
				out.AppendNull()
				continue
			}
			out.EndBytes()
		}
	}}, err
}

// appendTimeCodes writes a TIME by DATE_FORMAT's clock codes; false at another code.
func appendTimeCodes(out *vector.Vector, clock int64, format []byte) bool {
	if clock < 0 {
		out.Data = append(out.Data, '-')
		clock = cutTime(-cutTime(clock))
	}
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			out.Data = append(out.Data, c)
			continue
		}
		i++
		switch c = format[i]; c {
		case 'H':
			out.Data = appendPadded(out.Data, clock/types.Hour, 2)
		case 'k':
			out.Data = strconv.AppendInt(out.Data, clock/types.Hour, 10)
		case 'T':
			out.Data = types.AppendTime(out.Data, clock, 0)
		case '%':
			out.Data = append(out.Data, '%')
		default:
			data, ok := appendClockCode(out.Data, clock, c)
			if !ok {
				return false
			}
			out.Data = data
		}
	}
	return true
}

// localFormats is the table of GET_FORMAT in MySQL's manual, section 14.7.
var localFormats = map[string]string{
	"DATE USA": "%m.%d.%Y", "DATE JIS": "%Y-%m-%d", "DATE ISO": "%Y-%m-%d", "DATE EUR": "%d.%m.%Y", "DATE INTERNAL": "%Y%m%d",
	"DATETIME USA": "%Y-%m-%d %H.%i.%s", "DATETIME JIS": "%Y-%m-%d %H:%i:%s", "DATETIME ISO": "%Y-%m-%d %H:%i:%s", "DATETIME EUR": "%Y-%m-%d %H.%i.%s", "DATETIME INTERNAL": "%Y%m%d%H%i%s",
	"TIME USA": "%h:%i:%s %p", "TIME JIS": "%H:%i:%s", "TIME ISO": "%H:%i:%s", "TIME EUR": "%H.%i.%s", "TIME INTERNAL": "%H%i%s",
}

func getFormat(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	var room [20]byte
	kind, region := a[0].Bytes(i), a[1].Bytes(i)
	if len(kind)+len(region)+1 > len(room) {
		return dst, false
	}
	key := append(append(append(room[:0], kind...), ' '), region...)
	for k, c := range key {
		if c >= 'a' && c <= 'z' {
			key[k] = c - 'a' + 'A'
		}
	}
	format, ok := localFormats[string(key)]
	return append(dst, format...), ok
}
