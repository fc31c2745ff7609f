package function

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func bindDateFormat(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	if err := refuseLetters(args[1]); err != nil {
		return Bound{}, err
	}
	t, err := temporalArg(args[0], 1)
	return Bound{Ret: tText, ArgTypes: []types.Type{t, tText}, Strict: true, Kernel: func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.Data = appendFormatted(out.Data, wallOf(ctx, a[0], i), a[1].Bytes(i))
			out.EndBytes()
		}
	}}, err
}

// appendPadded appends v with at least width digits.
func appendPadded(dst []byte, v int64, width int) []byte {
	if v < 0 {
		return strconv.AppendInt(dst, v, 10)
	}
	for limit := int64(10); width > 1; width-- {
		if v < limit {
			for range width - 1 {
				dst = append(dst, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, v, 10)
}

// appendFormatted writes a wall clock by MySQL's DATE_FORMAT codes.
func appendFormatted(dst []byte, wall int64, format []byte) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			dst = append(dst, format[i])
			continue
		}
		i++
		if out, ok := appendDateCode(dst, wall, format[i]); ok {
			dst = out
		} else if out, ok := appendClockCode(dst, wall, format[i]); ok {
			dst = out
		} else {
			dst = append(dst, format[i])
		}
	}
	return dst
}

func appendDateCode(dst []byte, wall int64, code byte) ([]byte, bool) {
	y, m, d := civil(wall)
	days := types.FloorDiv(wall, types.Day)
	switch code {
	case 'Y':
		return appendPadded(dst, y, 4), true
	case 'y':
		return appendPadded(dst, y%100, 2), true
	case 'm':
		return appendPadded(dst, m, 2), true
	case 'c':
		return strconv.AppendInt(dst, m, 10), true
	case 'M':
		return append(dst, monthNames[m]...), true
	case 'b':
		return append(dst, monthNames[m][:3]...), true
	case 'd':
		return appendPadded(dst, d, 2), true
	case 'e':
		return strconv.AppendInt(dst, d, 10), true
	case 'D':
		return append(strconv.AppendInt(dst, d, 10), ordinal(d)...), true
	case 'j':
		return appendPadded(dst, dayOfYear(wall), 3), true
	case 'W':
		return append(dst, dayNames[weekday(days)]...), true
	case 'a':
		return append(dst, dayNames[weekday(days)][:3]...), true
	case 'w':
		return strconv.AppendInt(dst, weekday(days), 10), true
	}
	mode, ok := map[byte]int64{'U': 0, 'u': 1, 'V': 2, 'v': 3, 'X': 2, 'x': 3}[code]
	if !ok {
		return dst, false
	}
	week, year := weekOf(days, mode)
	if code == 'X' || code == 'x' {
		return appendPadded(dst, year, 4), true
	}
	return appendPadded(dst, week, 2), true
}

func ordinal(d int64) string {
	if d/10 == 1 {
		return "th"
	}
	switch d % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

func appendClockCode(dst []byte, wall int64, code byte) ([]byte, bool) {
	clock := clockOf(wall)
	h, half := clock/types.Hour, "AM"
	h12 := (h+11)%12 + 1
	if h >= 12 {
		half = "PM"
	}
	switch code {
	case 'H':
		return appendPadded(dst, h, 2), true
	case 'k':
		return strconv.AppendInt(dst, h, 10), true
	case 'h', 'I':
		return appendPadded(dst, h12, 2), true
	case 'l':
		return strconv.AppendInt(dst, h12, 10), true
	case 'i':
		return appendPadded(dst, clock/types.Minute%60, 2), true
	case 's', 'S':
		return appendPadded(dst, clock/types.Second%60, 2), true
	case 'f':
		return appendPadded(dst, clock%types.Second, 6), true
	case 'p':
		return append(dst, half...), true
	case 'T':
		return types.AppendTime(dst, clock, 0), true
	case 'r':
		dst = types.AppendTime(dst, h12*types.Hour+clock%types.Hour, 0)
		return append(append(dst, ' '), half...), true
	}
	return dst, false
}

// The codes of STR_TO_DATE that read a part of a clock, and of a date.
const (
	clockCodes = "HkhIlisSfpTr"
	dateCodes  = "YymcMbdeDjWawUuVvXx"
)

func bindStrToDate(args []Arg) (Bound, error) {
	want, err := match(args, 2, []types.Type{tText, tText})
	ret := tDatetime
	if err == nil {
		err = refuseLetters(args[1])
	}
	if err == nil {
		if format, ok := constText(args[1]); ok {
			switch {
			case !hasCode(format, clockCodes):
				ret = tDate
			case !hasCode(format, dateCodes):
				ret = tTime
			}
		}
	}
	return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		wall, ok := parseFormatted(a[0].Bytes(i), a[1].Bytes(i))
		switch ret.Kind {
		case types.Date:
			wall = types.FloorDiv(wall, types.Day)
		case types.Time:
			wall = clockOf(wall)
		}
		return wall, ok
	})}, err
}

// hasCode tells whether a format has one of these codes.
func hasCode(format, codes string) bool {
	for i := 0; i+1 < len(format); i++ {
		if format[i] == '%' {
			i++
			if strings.IndexByte(codes, format[i]) >= 0 {
				return true
			}
		}
	}
	return false
}

// dateFields collects what STR_TO_DATE has read.
type dateFields struct {
	year, month, day, yday  int64
	hour, minute, sec, frac int64
	pm, twelve              bool
}

// parseFormatted reads text by STR_TO_DATE's codes; ok is false when it does not match or is no date.
func parseFormatted(s, format []byte) (int64, bool) {
	f := dateFields{month: 1, day: 1}
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == ' ' {
			s = bytes.TrimLeft(s, " ")
			continue
		}
		if c != '%' || i+1 == len(format) {
			if len(s) == 0 || s[0] != c {
				return 0, false
			}
			s = s[1:]
			continue
		}
		i++
		var ok bool
		if s, ok = f.read(bytes.TrimLeft(s, " "), format[i]); !ok { // spaces before a part count for nothing, as in MySQL
			return 0, false
		}
	}
	if len(s) > 0 {
		return 0, false
	}
	return f.wall()
}

func (f *dateFields) read(s []byte, code byte) ([]byte, bool) {
	switch code {
	case 'T':
		return f.readAll(s, "H:i:s")
	case 'r':
		return f.readAll(s, "h:i:s p")
	case 'M', 'b':
		for m := 1; m <= 12; m++ {
			name := monthNames[m]
			if code == 'b' {
				name = name[:3]
			}
			if len(s) >= len(name) && strings.EqualFold(string(s[:len(name)]), name) {
				f.month = int64(m)
				return s[len(name):], true
			}
		}
		return s, false
	case 'W', 'a':
		n := 0
		for n < len(s) && (s[n]|0x20) >= 'a' && (s[n]|0x20) <= 'z' {
			n++
		}
		return s[n:], n >= 3
	case 'p':
		if len(s) < 2 || s[1]|0x20 != 'm' || s[0]|0x20 != 'a' && s[0]|0x20 != 'p' {
			return s, false
		}
		f.pm, f.twelve = s[0]|0x20 == 'p', true
		return s[2:], true
	}
	return f.readNumber(s, code)
}

// readAll reads a composite code; letters are codes, the rest is itself.
func (f *dateFields) readAll(s []byte, codes string) ([]byte, bool) {
	for _, c := range []byte(codes) {
		if c >= 'A' {
			var ok bool
			if s, ok = f.read(s, c); !ok {
				return s, false
			}
			continue
		}
		if len(s) == 0 || s[0] != c {
			return s, false
		}
		s = s[1:]
	}
	return s, true
}

func (f *dateFields) readNumber(s []byte, code byte) ([]byte, bool) {
	width := 2
	switch code {
	case 'Y':
		width = 4
	case 'f':
		width = 6
	case 'j':
		width = 3
	}
	n, v := 0, int64(0)
	for n < len(s) && n < width && s[n]-'0' <= 9 {
		v = v*10 + int64(s[n]-'0')
		n++
	}
	if n == 0 {
		return s, false
	}
	switch code {
	case 'Y':
		f.year = v
	case 'y':
		f.year = 2000 + v
		if v >= 70 {
			f.year -= 100
		}
	case 'm', 'c':
		f.month = v
	case 'd', 'e':
		f.day = v
	case 'D':
		f.day = v
		n = min(n+2, len(s))
	case 'j':
		f.yday = v
	case 'H', 'k':
		f.hour = v
	case 'h', 'I', 'l':
		f.hour, f.twelve = v, true
	case 'i':
		f.minute = v
	case 's', 'S':
		f.sec = v
	case 'f':
		for range width - n {
			v *= 10
		}
		f.frac = v
	default:
		return s, false
	}
	return s[n:], true
}

func (f *dateFields) wall() (int64, bool) {
	if f.twelve {
		if f.hour < 1 || f.hour > 12 {
			return 0, false
		}
		f.hour %= 12
		if f.pm {
			f.hour += 12
		}
	}
	if f.month < 1 || f.month > 12 || f.day < 1 || f.day > types.DaysInMonth(f.year, f.month) || f.hour > 23 || f.minute > 59 || f.sec > 59 {
		return 0, false
	}
	days := types.DaysFromCivil(f.year, f.month, f.day)
	if f.yday > 0 {
		days = types.DaysFromCivil(f.year, 1, 1) + f.yday - 1
	}
	return days*types.Day + f.hour*types.Hour + f.minute*types.Minute + f.sec*types.Second + f.frac, true
}
