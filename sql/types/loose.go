package types

// looseRoom bounds what Canonical writes: the longest canonical instant with a zone.
const looseRoom = 48

// Canonical rewrites the other spellings of instants that MySQL reads into the one that ParseZoned does, in dst: YYYYMMDD, YYYYMMDDhhmmss,
// and years, months, days and clocks of fewer digits parted by any punctuation (2026/1/2 3:04). What follows the seconds stays as it is.
func Canonical(dst, s []byte) (out []byte, ok bool) {
	if len(s) > looseRoom {
		return dst, false
	}
	if n := digitRun(s); n == len(s) && (n == 8 || n == 14) {
		dst = append(append(append(append(append(dst, s[:4]...), '-'), s[4:6]...), '-'), s[6:8]...)
		if n == 14 {
			dst = append(append(append(append(append(append(dst, ' '), s[8:10]...), ':'), s[10:12]...), ':'), s[12:14]...)
		}
		return dst, true
	}
	if digitRun(s) != 4 {
		return dst, false
	}
	dst, s = append(dst, s[:4]...), s[4:]
	for range 2 {
		if len(s) == 0 || !isPunctuation(s[0]) {
			return dst, false
		}
		if dst, s, ok = padded(append(dst, '-'), s[1:]); !ok {
			return dst, false
		}
	}
	if len(s) == 0 {
		return dst, true
	}
	if s[0] != ' ' && s[0] != 'T' {
		return dst, false
	}
	if dst, s, ok = padded(append(dst, ' '), s[1:]); !ok {
		return dst, false
	}
	for part := 0; part < 2 && len(s) > 0 && s[0] == ':'; part++ {
		if dst, s, ok = padded(append(dst, ':'), s[1:]); !ok {
			return dst, false
		}
	}
	return append(dst, s...), true
}

// padded copies a number of one or two digits as two.
func padded(dst, s []byte) (out, rest []byte, ok bool) {
	switch n := digitRun(s); n {
	case 1:
		return append(dst, '0', s[0]), s[1:], true
	case 2:
		return append(dst, s[:2]...), s[2:], true
	}
	return dst, s, false
}

func digitRun(s []byte) (n int) {
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

func isPunctuation(c byte) bool {
	return c > ' ' && c < '0' || c >= ':' && c <= '@' || c == '_' || c == '^'
}
