package function

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// charFuncs are the conversions to text by patterns as PostgreSQL and Oracle write them, and numbers of such text.
func charFuncs() []*Func {
	return []*Func{
		def("to_char(t, format) | to_char(x, format)", "A time or number as text by a constant pattern. Times: YYYY YY IYYY MM MON MONTH DD DDD D DY DAY HH24 HH12 HH MI SS MS US AM PM Q WW IW, text in double quotes; the case of MON, DY and their like decides that of the name. "+
			"Numbers: 9 a digit, 0 a digit that is always shown, D or . the point, G or , between thousands, S a sign, FM without blanks in front; # when the digits do not suffice.", narrowBinder(bindToChar),
			`to_char('2026-01-02 15:04:05.25', 'DD Mon YYYY HH12:MI:SS.MS AM')`, "02 Jan 2026 03:04:05.250 PM", "to_char(1234.5, 'FM9,999.00')", "1,234.50", "to_char(-7, '000')", "-007", "to_char(12345, '999')", " ###").readingFrom(types.Timestamp, 0),
		def("to_number(s)", "The number in a text, with commas, blanks and a currency sign around it ignored; NULL when it holds none.", fixed(tFloat, rowFloatOK(looseNumber), tText), "to_number('$1,234.50')", "1234.5", "to_number('abc')", "NULL"),
	}
}

// rowFloatOK is rowFloat with NULLs by ok.
func rowFloatOK(f func(args []*vector.Vector, i int) (x float64, ok bool)) Kernel {
	return func(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		for i := range n {
			x, ok := f(args, i)
			if out.F64[i] = x; !ok || x-x != 0 {
				out.F64[i] = 0
				out.SetNull(i)
			}
		}
	}
}

func looseNumber(a []*vector.Vector, i int) (float64, bool) {
	var room [64]byte
	digits := room[:0]
	for _, c := range a[0].Bytes(i) {
		switch {
		case len(digits) == len(room):
			return 0, false
		case c-'0' <= 9, c == '.', c == '-', c == '+', c|0x20 == 'e' && len(digits) > 0:
			digits = append(digits, c)
		case c == ',', c == ' ', c == '$', c == '_', c >= 0x80: // other currencies are beyond ASCII
		default:
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(string(digits), 64)
	return x, err == nil
}

func bindToChar(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	format, ok := constText(args[1])
	if !ok && args[1].Type.Kind != types.Null {
		return Bound{}, fmt.Errorf("argument 2 must be a constant pattern such as 'YYYY-MM-DD' or 'FM990.00'")
	}
	if isNumber(args[0].Type) {
		p, err := parseNumberPattern(format)
		if err != nil {
			return Bound{}, err
		}
		t := tFloat
		if !args[0].Type.Kind.IsFloat() {
			t = types.AsDecimal(args[0].Type)
		}
		return strict(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			var room [400]byte
			digits := room[:0]
			if t.Kind == types.Decimal {
				digits = appendRounded(digits, a[0].I128[i], t.Scale, p.decimals)
			} else {
				digits = strconv.AppendFloat(digits, roundFloat(a[0].F64[i], int64(p.decimals), false), 'f', p.decimals, 64)
			}
			return p.append(dst, digits), true
		}), t, tText), nil
	}
	t, err := temporalArg(args[0], 1)
	codes := parseTimePattern(format)
	return Bound{Ret: tText, ArgTypes: []types.Type{t, tText}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			w := min(max(wallOf(ctx, a[0], i), types.MinMicros), types.MaxMicros)
			for _, c := range codes {
				out.Data = c.append(out.Data, w)
			}
			out.EndBytes()
		}
	}}, err
}

// timeCode is a part of a pattern: a code as it was written, or text when it is none.
type timeCode struct {
	code    string // upper case; "" for text
	written string
}

// timeCodes in the order in which they are tried: longer ones first.
var timeCodes = []string{"MONTH", "IYYY", "YYYY", "HH24", "HH12", "MON", "DDD", "DAY", "MM", "MI", "MS", "YY", "DD", "DY", "HH", "SS", "US", "AM", "PM", "WW", "IW", "D", "Q"}

func parseTimePattern(s string) []timeCode {
	var codes []timeCode
next:
	for s != "" {
		if s[0] == '"' {
			text, rest, _ := strings.Cut(s[1:], `"`)
			codes, s = append(codes, timeCode{written: text}), rest
			continue
		}
		for _, code := range timeCodes {
			if len(s) >= len(code) && strings.EqualFold(s[:len(code)], code) {
				codes, s = append(codes, timeCode{code: code, written: s[:len(code)]}), s[len(code):]
				continue next
			}
		}
		codes, s = append(codes, timeCode{written: s[:1]}), s[1:]
	}
	return codes
}

func (c timeCode) append(dst []byte, w int64) []byte {
	y, m, d := civil(w)
	days, clock := types.FloorDiv(w, types.Day), clockOf(w)
	switch c.code {
	case "":
		return append(dst, c.written...)
	case "YYYY":
		return appendPadded(dst, y, 4)
	case "YY":
		return appendPadded(dst, y%100, 2)
	case "IYYY", "IW":
		week, year := weekOf(days, 3)
		if c.code == "IW" {
			return appendPadded(dst, week, 2)
		}
		return appendPadded(dst, year, 4)
	case "MM":
		return appendPadded(dst, m, 2)
	case "MONTH":
		return c.appendName(dst, monthNames[m])
	case "MON":
		return c.appendName(dst, monthNames[m][:3])
	case "DDD":
		return appendPadded(dst, dayOfYear(w), 3)
	case "DD":
		return appendPadded(dst, d, 2)
	case "D":
		return strconv.AppendInt(dst, weekday(days)+1, 10)
	case "DAY":
		return c.appendName(dst, dayNames[weekday(days)])
	case "DY":
		return c.appendName(dst, dayNames[weekday(days)][:3])
	case "Q":
		return strconv.AppendInt(dst, (m+2)/3, 10)
	case "WW":
		return appendPadded(dst, (dayOfYear(w)+6)/7, 2)
	case "HH24":
		return appendPadded(dst, clock/types.Hour, 2)
	case "HH12", "HH":
		return appendPadded(dst, (clock/types.Hour+11)%12+1, 2)
	case "MI":
		return appendPadded(dst, clock/types.Minute%60, 2)
	case "SS":
		return appendPadded(dst, clock/types.Second%60, 2)
	case "MS":
		return appendPadded(dst, clock%types.Second/types.Millisecond, 3)
	case "US":
		return appendPadded(dst, clock%types.Second, 6)
	}
	half := "AM"
	if clock >= 12*types.Hour {
		half = "PM"
	}
	return c.appendName(dst, half)
}

// appendName writes a name in the case of its code: MON is JAN, Mon is Jan, mon is jan.
func (c timeCode) appendName(dst []byte, name string) []byte {
	for k := range len(name) {
		ch := name[k]
		like := c.written[min(k, 1)]
		switch {
		case like >= 'a' && ch <= 'Z':
			ch |= 0x20
		case like <= 'Z' && ch >= 'a':
			ch &^= 0x20
		}
		dst = append(dst, ch)
	}
	return dst
}

// numberPattern is a compiled pattern of digits.
type numberPattern struct {
	whole    []byte // 9, 0 and the separator ',' before the point
	decimals int
	point    bool
	sign     bool // S: always a sign
	tight    bool // FM: no blanks
}

func parseNumberPattern(s string) (numberPattern, error) {
	var p numberPattern
	rest := strings.ToUpper(s)
	if p.tight = strings.HasPrefix(rest, "FM"); p.tight {
		rest = rest[2:]
	}
	for _, c := range []byte(rest) {
		switch {
		case c == 'S' && !p.sign:
			p.sign = true
		case (c == '.' || c == 'D') && !p.point:
			p.point = true
		case (c == '9' || c == '0') && p.point:
			p.decimals++
		case c == '9' || c == '0':
			p.whole = append(p.whole, c)
		case (c == ',' || c == 'G') && !p.point:
			p.whole = append(p.whole, ',')
		default:
			return p, fmt.Errorf("argument 2: %q is no pattern of digits such as 'FM9,990.00'", s)
		}
	}
	if p.decimals > types.MaxDecimalScale || len(p.whole) > 60 {
		return p, fmt.Errorf("argument 2: the pattern has too many digits")
	}
	return p, nil
}

// append lays digits, a number with as many decimals as the pattern has, over the pattern.
func (p *numberPattern) append(dst, digits []byte) []byte {
	negative := digits[0] == '-'
	if negative {
		digits = digits[1:]
		negative = bytes.ContainsAny(digits, "123456789")
	}
	whole, fraction, _ := bytes.Cut(digits, []byte("."))
	whole = bytes.TrimLeft(whole, "0")
	places := len(p.whole) - bytes.Count(p.whole, []byte(","))
	var room [64]byte
	line := room[:0]
	shown, sign := len(whole) >= places, false
	at := len(whole) - places // the digit under the first place
	writeSign := func() {
		sign = true
		switch {
		case negative:
			line = append(line, '-')
		case p.sign:
			line = append(line, '+')
		case !p.tight:
			line = append(line, ' ')
		}
	}
	for _, c := range p.whole {
		shown = shown || c == '0' || c != ',' && at >= 0
		switch {
		case !shown && !p.tight:
			line = append(line, ' ')
		case !shown:
		case c == ',':
			line = append(line, ',')
		default:
			if !sign {
				writeSign()
			}
			switch {
			case len(whole) > places:
				line = append(line, '#')
			case at >= 0:
				line = append(line, whole[at])
			default:
				line = append(line, '0')
			}
		}
		if c != ',' {
			at++
		}
	}
	if !sign {
		writeSign()
	}
	dst = append(dst, line...)
	if p.point {
		dst = append(append(dst, '.'), fraction...)
	}
	return dst
}
