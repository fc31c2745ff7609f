package types

import (
	"bytes"
	"math/bits"
	"strconv"
	"strings"
)

// Member finds the 1-based place of a member of an ENUM by its text, bytewise but for trailing spaces, which MySQL cuts from
// members; 0 when there is none.
func (t Type) Member(s []byte) int64 {
	s = bytes.TrimRight(s, " ")
	for i, m := range t.Members {
		if string(s) == m {
			return int64(i + 1)
		}
	}
	return 0
}

// MemberText gives the text of an ENUM value: ” for 0 and for a place beyond the members.
func (t Type) MemberText(place int64) string {
	if place < 1 || place > int64(len(t.Members)) {
		return ""
	}
	return t.Members[place-1]
}

// AppendMembers appends the text of a SET value: its members in the order of the type, parted by commas.
func (t Type) AppendMembers(dst []byte, set int64) []byte {
	for left, first := uint64(set), true; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if i >= len(t.Members) {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst, first = append(dst, t.Members[i]...), false
	}
	return dst
}

// ParseMembers reads the text of a SET value: members parted by commas, in any order and any number of times.
func (t Type) ParseMembers(s []byte) (set int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	for len(s) >= 0 {
		part, rest, more := bytes.Cut(s, []byte{','})
		place := t.Member(part)
		if place == 0 {
			return 0, false
		}
		set |= 1 << (place - 1)
		if !more {
			break
		}
		s = rest
	}
	return set, true
}

// ParseListed reads the text of an ENUM or SET value; a number in text that is no member is the place or the bits, as in MySQL.
func (t Type) ParseListed(s []byte) (int64, bool) {
	if t.Kind == Enum {
		if place := t.Member(s); place > 0 {
			return place, true
		}
	} else if set, ok := t.ParseMembers(s); ok {
		return set, true
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(s)), 10, 64)
	return int64(n), err == nil && t.HoldsListed(n)
}

// HoldsListed tells whether a number is a value of an ENUM (a place) or of a SET (bits).
func (t Type) HoldsListed(n uint64) bool {
	if t.Kind == Enum {
		return n >= 1 && n <= uint64(len(t.Members))
	}
	return bits.Len64(n) <= len(t.Members)
}

// AppendListed appends the text of an ENUM or SET value.
func (t Type) AppendListed(dst []byte, x int64) []byte {
	if t.Kind == Enum {
		return append(dst, t.MemberText(x)...)
	}
	return t.AppendMembers(dst, x)
}

// CheckMembers says what is wrong with the members of an ENUM or SET, "" when nothing is. (MySQL 8 manual, 11.3.5 and 11.3.6.)
func CheckMembers(k Kind, members []string) string {
	most := MaxEnumMembers
	if k == Set {
		most = MaxSetMembers
	}
	if len(members) > most {
		return k.String() + " has at most " + strconv.Itoa(most) + " members"
	}
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		switch {
		case seen[m]:
			return k.String() + " has the member '" + m + "' twice"
		case k == Set && strings.Contains(m, ","):
			return "a member of SET has no comma: '" + m + "'"
		}
		seen[m] = true
	}
	return ""
}

// Years that YEAR holds besides 0.
const (
	MinYear = 1901
	MaxYear = 2155
)

// YearOf reads a number as YEAR: 1..69 are 2001..2069, 70..99 are 1970..1999. A text of one or two digits is read alike, but there
// 0 is 2000 as well. (MySQL 8 manual, 11.2.4.)
func YearOf(n int64, text bool) (year int64, ok bool) {
	switch {
	case n == 0 && !text:
		return 0, true
	case n >= 0 && n <= 69:
		return 2000 + n, true
	case n >= 70 && n <= 99:
		return 1900 + n, true
	}
	return n, n >= MinYear && n <= MaxYear
}

// ParseYear reads a year of one, two or four digits; 0000 is 0.
func ParseYear(s []byte) (year int64, ok bool) {
	if len(s) == 0 || len(s) > 4 || len(s) == 3 || digitRun(s) != len(s) {
		return 0, false
	}
	n := int64(0)
	for _, c := range s {
		n = n*10 + int64(c-'0')
	}
	if len(s) == 4 {
		return n, n == 0 || n >= MinYear && n <= MaxYear
	}
	return YearOf(n, true)
}

// AppendYear appends a YEAR as four digits.
func AppendYear(dst []byte, year int64) []byte {
	if year < 0 || year > 9999 {
		return appendYear(dst, year)
	}
	return appendTwo(appendTwo(dst, year/100), year%100)
}
