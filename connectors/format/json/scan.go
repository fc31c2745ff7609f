package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// maxDepth bounds how deep arrays and objects may nest in values that are skipped or kept as text.
const maxDepth = 512

func space(src []byte, i int) int {
	for i < len(src) && src[i] <= ' ' && (src[i] == ' ' || src[i] == '\n' || src[i] == '\t' || src[i] == '\r') {
		i++
	}
	return i
}

// fault says why a scan ended.
type fault uint8

const (
	faultSyntax fault = iota
	faultEnd          // the record ends inside a value
	faultControl
	faultUTF8
	faultEscape
	faultNumber
	faultDepth
)

var faultText = [...]string{"unexpected character", "unexpected end of record", "control character in string", "invalid UTF-8",
	"invalid escape in string", "invalid number", "values nest too deep"}

// scanner checks the grammar of one record without building anything. A scan returns the index behind the value, or -1 with the
// fault and its place recorded.
type scanner struct {
	src  []byte
	why  fault
	at   int
	last struct{ escaped bool } // of the last string: it has escapes
}

func (s *scanner) fail(why fault, at int) int {
	if at >= len(s.src) {
		why = faultEnd
	}
	s.why, s.at = why, min(at, len(s.src))
	return -1
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// specials has the high bit of each byte of w set that is special: a quote, a backslash, a control character, not ASCII. Only the
// lowest bit set is to be trusted, since borrows give false ones above it. Flipping 0x02 puts the quote (0x22) right above the
// control characters, so that one comparison with 0x21 finds both.
func specials(w uint64) uint64 {
	return (((w ^ ones*0x02) - ones*0x21) | ((w ^ ones*'\\') - ones) | w) & highs
}

// special returns the index of the first byte from i on that needs a look.
func special(src []byte, i int) int {
	i = plainBlocks(src, i)
	if i+16 <= len(src) {
		return i
	}
	if i+8 <= len(src) {
		if m := specials(binary.LittleEndian.Uint64(src[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(src) {
		if c := src[i]; c == '"' || c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			break
		}
		i++
	}
	return i
}

// str scans a string whose opening quote is before i; it returns the index of the closing quote.
func (s *scanner) str(i int) int {
	src := s.src
	s.last.escaped = false
	for {
		i = special(src, i)
		if i >= len(src) {
			return s.fail(faultEnd, i)
		}
		switch c := src[i]; {
		case c == '"':
			return i
		case c == '\\':
			s.last.escaped = true
			n := escapeLen(src[i:])
			if n == 0 {
				return s.fail(faultEscape, i)
			}
			i += n
		case c < 0x20:
			return s.fail(faultControl, i)
		default:
			r, size := utf8.DecodeRune(src[i:])
			if r == utf8.RuneError && size == 1 {
				return s.fail(faultUTF8, i)
			}
			i += size
		}
	}
}

// escapeLen returns the length of the escape at the start of b, 0 when it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && hex4(b[2:6]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

func digits(src []byte, i int) int {
	for i < len(src) && src[i]-'0' <= 9 {
		i++
	}
	return i
}

// number scans -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (s *scanner) number(i int) int {
	src := s.src
	start := i
	if i < len(src) && src[i] == '-' {
		i++
	}
	j := digits(src, i)
	if j == i || src[i] == '0' && j > i+1 {
		return s.fail(faultNumber, start)
	}
	if j < len(src) && src[j] == '.' {
		i = j + 1
		if j = digits(src, i); j == i {
			return s.fail(faultNumber, start)
		}
	}
	if j < len(src) && (src[j] == 'e' || src[j] == 'E') {
		i = j + 1
		if i < len(src) && (src[i] == '+' || src[i] == '-') {
			i++
		}
		if j = digits(src, i); j == i {
			return s.fail(faultNumber, start)
		}
	}
	return j
}

// literal scans true, false or null.
func (s *scanner) literal(i int, word string) int {
	if len(s.src)-i < len(word) || string(s.src[i:i+len(word)]) != word {
		return s.fail(faultSyntax, i)
	}
	return i + len(word)
}

// skip scans the value that begins at i (no space before it).
func (s *scanner) skip(i int) int {
	if i >= len(s.src) {
		return s.fail(faultEnd, i)
	}
	switch s.src[i] {
	case '"':
		if i = s.str(i + 1); i < 0 {
			return -1
		}
		return i + 1
	case 't':
		return s.literal(i, "true")
	case 'f':
		return s.literal(i, "false")
	case 'n':
		return s.literal(i, "null")
	case '{', '[':
		return s.nested(i)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	}
	return s.fail(faultSyntax, i)
}

// nested scans an object or array without recursion; a bit per level says which of the two is open.
func (s *scanner) nested(i int) int {
	var objects [maxDepth / 64]uint64
	src, depth := s.src, 0
	for {
		// A value begins at i.
		if c := byteAt(src, i); c == '{' || c == '[' {
			if depth == maxDepth {
				return s.fail(faultDepth, i)
			}
			word, bit := depth>>6, uint64(1)<<(depth&63)
			depth++
			if i = space(src, i+1); byteAt(src, i) == c+2 { // } and ] are their openers plus 2
				i, depth = i+1, depth-1
			} else if c == '{' {
				objects[word] |= bit
				if i = s.memberKey(i); i < 0 {
					return -1
				}
				continue
			} else {
				objects[word] &^= bit
				continue
			}
		} else if i = s.skip(i); i < 0 {
			return -1
		}
		if i, depth = s.afterValue(i, depth, &objects); i < 0 || depth == 0 {
			return i
		}
	}
}

// afterValue closes what ends behind a value and goes to the next value; depth 0 says that the outermost has ended at i.
func (s *scanner) afterValue(i, depth int, objects *[maxDepth / 64]uint64) (int, int) {
	for depth > 0 {
		top := depth - 1
		object := objects[top>>6]&(1<<(top&63)) != 0
		i = space(s.src, i)
		switch c := byteAt(s.src, i); {
		case c == ',' && object:
			return s.memberKey(space(s.src, i+1)), depth
		case c == ',':
			return space(s.src, i+1), depth
		case c == '}' && object, c == ']' && !object:
			i, depth = i+1, top
		default:
			return s.fail(faultSyntax, i), depth
		}
	}
	return i, 0
}

// memberKey scans `"key" :` and the space behind it.
func (s *scanner) memberKey(i int) int {
	if byteAt(s.src, i) != '"' {
		return s.fail(faultSyntax, i)
	}
	if i = s.str(i + 1); i < 0 {
		return -1
	}
	return s.colon(i + 1)
}

// colon scans a colon with space around it.
func (s *scanner) colon(i int) int {
	if i = space(s.src, i); byteAt(s.src, i) != ':' {
		return s.fail(faultSyntax, i)
	}
	return space(s.src, i+1)
}

// byteAt returns 0, which is no byte of the grammar, behind the end.
func byteAt(src []byte, i int) byte {
	if i < len(src) {
		return src[i]
	}
	return 0
}

// unescape appends the text of a scanned string's inside. Lone surrogates become U+FFFD, as everywhere in Go.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			i++
			continue
		}
		switch c = s[i+1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, n := unescapeUnicode(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		dst = append(dst, c)
		i += 2
	}
	return dst
}

// unescapeUnicode reads \uXXXX, or a surrogate pair of two.
func unescapeUnicode(s []byte) (rune, int) {
	r := hex4(s[2:6])
	if r < 0xD800 || r > 0xDFFF {
		return r, 6
	}
	if r < 0xDC00 && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if low := hex4(s[8:12]); low >= 0xDC00 && low <= 0xDFFF {
			return 0x10000 + (r-0xD800)<<10 + (low - 0xDC00), 12
		}
	}
	return utf8.RuneError, 6
}
