package function

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// moreTextFuncs is the part of the text table with the less common functions of MySQL and what other systems add.
func moreTextFuncs() []*Func {
	return []*Func{
		def("insert(s, pos, len, new)", "s with the len characters from pos on replaced by new; s as it is when pos lies outside.", fixed(tText, rowText(insertText), tText, tInt, tInt, tText), "insert('Quadratic', 3, 4, 'What')", "QuWhattic", "insert('Quadratic', -1, 4, 'What')", "Quadratic", "insert('Quadratic', 3, 100, 'What')", "QuWhat"),
		def("overlay(s, new, pos) | overlay(s, new, pos, len)", "s with the len characters from pos on (as many as new has, unless given) replaced by new.", optional(tText, rowText(overlay), 3, tText, tText, tInt, tInt), "overlay('Txxxxas', 'hom', 2, 4)", "Thomas"),
		def("make_set(bits, a, b, ..)", "The texts whose bit is set in bits, from the least, joined by commas; NULL texts are left out.", bindMakeSet, "make_set(1 | 4, 'hello', 'nice', 'world')", "hello,world", "make_set(1, NULL)", "", "make_set(NULL, 'a')", "NULL"),
		def("export_set(bits, on, off) | export_set(bits, on, off, sep) | export_set(bits, on, off, sep, n)", "For each of n bits (64 unless given) from the least on or off, joined by sep (a comma unless given).", optional(tText, rowText(exportSet), 3, tInt, tText, tText, tText, tInt), "export_set(5, 'Y', 'N', ',', 4)", "Y,N,Y,N", "export_set(6, '1', '0', '', 3)", "011"),
		def("soundex(s)", "How a word sounds in English: its first letter and digits for the consonants, at least four characters (the original algorithm, as MySQL has it).", fixed(tText, mapText(soundex), tText), "soundex('Hello')", "H400", "soundex('Quadratically')", "Q36324"),
		def("sounds_like(a, b)", "Whether soundex(a) = soundex(b): MySQL's a SOUNDS LIKE b.", fixed(tBool, kernelSoundsLike, tText, tText), "sounds_like('Robert', 'Rupert')", "1", "sounds_like('a', NULL)", "NULL"),
		def("weight_string(s)", "The bytes by which a text sorts: its own, as text compares bytewise.", fixed(tBytes, mapText(func(dst, s []byte) []byte { return append(dst, s...) }), tText), "hex(weight_string('ab'))", "6162"),
		def("codepoint(s)", "The code point of the first character; 0 for an empty text.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			s := a[0].Bytes(i)
			if len(s) == 0 {
				return 0, true
			}
			r, _ := utf8.DecodeRune(s)
			return int64(r), true
		}), tText), "codepoint('é')", "233").alias("unicode"),
		def("substr_count(s, sub)", "How often sub occurs in s without overlap; 0 for an empty sub.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			if len(a[1].Bytes(i)) == 0 {
				return 0, true
			}
			return int64(bytes.Count(a[0].Bytes(i), a[1].Bytes(i))), true
		}), tText, tText), "substr_count('banana', 'an')", "2").alias("count_substring"),
		def("common_prefix(a, b)", "The longest text that both begin with.", fixed(tText, rowText(commonPrefix), tText, tText), "common_prefix('stream', 'strong')", "str"),
		def("squeeze(s)", "s without blanks at both ends, and one blank for each run of white space inside.", fixed(tText, mapText(squeeze), tText), "squeeze('  a   b ')", "a b").alias("normalize_space"),
		def("ellipsis(s, n)", "s when it has at most n characters, else its beginning and ... in n characters.", fixed(tText, rowText(ellipsis), tText, tInt), "ellipsis('a long text', 6)", "a l...", "ellipsis('short', 6)", "short").alias("abbreviate"),
		def("swapcase(s)", "Upper case letters in lower case and the reverse.", fixed(tText, mapText(func(dst, s []byte) []byte {
			return mapCase(dst, s, func(r rune) rune {
				if unicode.IsUpper(r) {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			})
		}), tText), "swapcase('aBc')", "AbC"),
		def("mask_inner(s, left, right) | mask_inner(s, left, right, char)", "s with all but the first `left` and last `right` characters masked by char (X unless given).", optional(tText, rowText(mask(false)), 3, tText, tInt, tInt, tText), "mask_inner('abcdef', 1, 1)", "aXXXXf", "mask_inner('abc', 2, 0, '*')", "ab*"),
		def("mask_outer(s, left, right) | mask_outer(s, left, right, char)", "s with the first `left` and last `right` characters masked by char (X unless given).", optional(tText, rowText(mask(true)), 3, tText, tInt, tInt, tText), "mask_outer('abcdef', 1, 1)", "XbcdeX"),
		def("is_utf8(s)", "Whether the bytes are valid UTF-8.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return boolInt(utf8.Valid(a[0].Bytes(i))), true }), tBytes), "is_utf8('é')", "1", "is_utf8(unhex('FF'))", "0"),
		def("is_numeric(s)", "Whether a text is a number that CAST would read.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(isNumericText(a[0].Bytes(i))), true
		}), tText), "is_numeric('-1.5e3')", "1", "is_numeric('1x')", "0"),
	}
}

func insertText(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, pos, n := a[0].Bytes(i), a[1].I64[i], a[2].I64[i]
	if pos < 1 || pos > int64(utf8.RuneCount(s)) {
		return append(dst, s...), true
	}
	from := charOffset(s, pos-1)
	dst = append(append(dst, s[:from]...), a[3].Bytes(i)...)
	if n < 0 {
		return dst, true
	}
	return append(dst, s[from+charOffset(s[from:], n):]...), true
}

func overlay(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, with, pos := a[0].Bytes(i), a[1].Bytes(i), a[2].I64[i]
	n := int64(utf8.RuneCount(with))
	if len(a) == 4 {
		n = a[3].I64[i]
	}
	from := charOffset(s, pos-1)
	dst = append(append(dst, s[:from]...), with...)
	return append(dst, s[from+charOffset(s[from:], n):]...), true
}

func bindMakeSet(args []Arg) (Bound, error) {
	want := []types.Type{tInt}
	for range max(len(args), 2) - 1 {
		want = append(want, tText)
	}
	argTypes, err := match(args, 2, want)
	kernel := rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		if a[0].IsNull(i) {
			return dst, false
		}
		set, start := uint64(a[0].I64[i]), len(dst)
		first := true
		for k, s := range a[1:] {
			if k >= 64 || set>>k&1 == 0 || s.IsNull(i) {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(dst, s.Bytes(i)...)
			if len(dst)-start > maxTextBytes {
				return dst[:start], false
			}
		}
		return dst, true
	})
	return Bound{Ret: tText, ArgTypes: argTypes, Kernel: kernel}, err
}

func exportSet(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	n, start := int64(64), len(dst)
	if len(a) == 5 && a[4].I64[i] >= 0 {
		n = min(a[4].I64[i], 64)
	}
	for bit := range n {
		if bit > 0 {
			if len(a) > 3 {
				dst = append(dst, a[3].Bytes(i)...)
			} else {
				dst = append(dst, ',')
			}
		}
		dst = append(dst, a[2-a[0].I64[i]>>bit&1].Bytes(i)...)
		if len(dst)-start > maxTextBytes {
			return dst[:start], false
		}
	}
	return dst, true
}

// soundexDigits are the classes of the letters A to Z; 0 ones are dropped.
const soundexDigits = "01230120022455012623010202"

// soundex drops vowels before it drops repetitions: so does MySQL, and Knuth's improved algorithm does the reverse.
func soundex(dst, s []byte) []byte {
	start, last := len(dst), byte(0)
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		s = s[size:]
		if !unicode.IsLetter(r) {
			continue
		}
		r = unicode.ToUpper(r)
		digit := byte('0')
		if r <= 'Z' {
			digit = soundexDigits[r-'A']
		}
		if len(dst) == start {
			dst = utf8.AppendRune(dst, r)
			last = digit
			continue
		}
		if digit != '0' && digit != last {
			dst = append(dst, digit)
			last = digit
		}
	}
	if len(dst) == start {
		return dst
	}
	for utf8.RuneCount(dst[start:]) < 4 {
		dst = append(dst, '0')
	}
	return dst
}

func kernelSoundsLike(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	out.Resize(n)
	var roomA, roomB [64]byte
	for i := range n {
		out.I64[i] = boolInt(bytes.Equal(soundex(roomA[:0], a[0].Bytes(i)), soundex(roomB[:0], a[1].Bytes(i))))
	}
}

func commonPrefix(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	x, y := a[0].Bytes(i), a[1].Bytes(i)
	n := 0
	for n < len(x) && n < len(y) {
		_, size := utf8.DecodeRune(x[n:])
		if !bytes.HasPrefix(y[n:], x[n:n+size]) {
			break
		}
		n += size
	}
	return append(dst, x[:n]...), true
}

func squeeze(dst, s []byte) []byte {
	start, gap := len(dst), false
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		if unicode.IsSpace(r) {
			gap = true
		} else {
			if gap && len(dst) > start {
				dst = append(dst, ' ')
			}
			gap = false
			dst = append(dst, s[:size]...)
		}
		s = s[size:]
	}
	return dst
}

func ellipsis(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, n := a[0].Bytes(i), a[1].I64[i]
	if n < 0 || int64(utf8.RuneCount(s)) <= n {
		return append(dst, s...), n >= 0
	}
	if n <= 3 {
		return append(dst, "..."[:n]...), true
	}
	return append(append(dst, s[:charOffset(s, n-3)]...), "..."...), true
}

// mask masks the outer or inner characters; negative margins are NULL.
func mask(outer bool) func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	return func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		s, left, right := a[0].Bytes(i), a[1].I64[i], a[2].I64[i]
		with := []byte("X")
		if len(a) == 4 {
			with = a[3].Bytes(i)
			with = with[:charOffset(with, 1)]
		}
		if left < 0 || right < 0 {
			return dst, false
		}
		count := int64(utf8.RuneCount(s))
		for k := int64(0); len(s) > 0; k++ {
			_, size := utf8.DecodeRune(s)
			if (k < left || count-k <= right) == outer {
				dst = append(dst, with...)
			} else {
				dst = append(dst, s[:size]...)
			}
			s = s[size:]
		}
		return dst, true
	}
}

// numericRoom is the longest text that may be a number: sign, 400 digits, exponent.
const numericRoom = 420

func isNumericText(s []byte) bool {
	s = trimSpace(s)
	if len(s) == 0 || len(s) > numericRoom {
		return false
	}
	for _, c := range s {
		if c-'0' > 9 && c != '.' && c != '-' && c != '+' && c|0x20 != 'e' {
			return false
		}
	}
	_, err := strconv.ParseFloat(string(s), 64)
	return err == nil
}
