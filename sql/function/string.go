package function

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxTextBytes bounds what REPEAT, LPAD, SPACE and the like may make of one row.
const maxTextBytes = 16 << 20

// textFuncs is the table of text functions. Positions and lengths count characters, from 1.
func textFuncs() []*Func {
	all := []*Func{
		def("concat(a, b, ..)", "The arguments joined, texts or ARRAYs; NULL when one is NULL.", bindOrArray(variadic(tText, kernelConcat, 1, tText), bindArrays(kernelArrayConcat, types.Type{}, 1, maxArguments)), "concat('a', 1, 'b')", "a1b", "concat('a', NULL)", "NULL"),
		def("concat_ws(sep, a, b, ..)", "The arguments that are not NULL, joined by sep.", nullable(variadic(tText, rowText(concatSeparated), 2, tText)), "concat_ws('-', 'a', NULL, 'b')", "a-b"),
		def("lower(s)", "The text in lower case.", fixed(tText, mapText(func(dst, s []byte) []byte { return mapCase(dst, s, unicode.ToLower) }), tText), "lower('AbC')", "abc").alias("lcase"),
		def("upper(s)", "The text in upper case.", fixed(tText, mapText(func(dst, s []byte) []byte { return mapCase(dst, s, unicode.ToUpper) }), tText), "upper('aé')", "AÉ").alias("ucase"),
		def("length(s)", "The length in bytes.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return int64(a[0].Off[i+1] - a[0].Off[i]), true }), tBytes), "length('é')", "2").alias("octet_length"),
		def("char_length(s)", "The length in characters.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return int64(utf8.RuneCount(a[0].Bytes(i))), true }), tText), "char_length('é')", "1").alias("character_length"),
		def("bit_length(s)", "The length in bits.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return 8 * int64(a[0].Off[i+1]-a[0].Off[i]), true }), tBytes), "bit_length('ab')", "16"),
		def("substring(s, pos) | substring(s, pos, len)", "The characters from pos on, len of them; a negative pos counts from the end.", optional(tText, rowText(substring), 2, tText, tInt, tInt),
			"substring('stream', 3)", "ream", "substring('stream', -3, 2)", "ea").alias("substr", "mid"),
		def("left(s, n)", "The first n characters.", fixed(tText, rowText(leftPart), tText, tInt), "left('stream', 2)", "st"),
		def("right(s, n)", "The last n characters.", fixed(tText, rowText(rightPart), tText, tInt), "right('stream', 2)", "am"),
		def("trim(s) | trim(s, chars)", "s without the text chars (a blank unless given) at both ends.", optional(tText, trimKernel(true, true), 1, tText, tText), "trim('  a ')", "a", "trim('xxaxx', 'x')", "a").alias("btrim"),
		def("ltrim(s) | ltrim(s, chars)", "s without chars at the start.", optional(tText, trimKernel(true, false), 1, tText, tText), "ltrim('  a')", "a"),
		def("rtrim(s) | rtrim(s, chars)", "s without chars at the end.", optional(tText, trimKernel(false, true), 1, tText, tText), "rtrim('a  ')", "a"),
		def("lpad(s, n, pad)", "s brought to n characters with pad in front.", optional(tText, padKernel(true), 2, tText, tInt, tText), "lpad('7', 3, '0')", "007", "lpad('abcd', 2, 'x')", "ab"),
		def("rpad(s, n, pad)", "s brought to n characters with pad behind.", optional(tText, padKernel(false), 2, tText, tInt, tText), "rpad('7', 3, '0')", "700"),
		def("replace(s, from, to)", "s with every occurrence of from replaced.", fixed(tText, rowText(replaceAll), tText, tText, tText), "replace('a-b-c', '-', '+')", "a+b+c"),
		def("reverse(s)", "The characters in reverse.", bindOrArray(fixed(tText, mapText(reverseText), tText), bindArray1(kernelArrayReverse, sameType)), "reverse('abé')", "éba"),
		def("repeat(s, n)", "s n times.", fixed(tText, rowText(repeatText), tText, tInt), "repeat('ab', 3)", "ababab"),
		def("space(n)", "n blanks.", fixed(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return repeatBytes(dst, []byte{' '}, a[0].I64[i])
		}), tInt), "concat('a', space(2), 'b')", "a  b"),
		def("locate(sub, s) | locate(sub, s, pos)", "Where sub first occurs in s, from pos on; 0 when it does not.", optional(tInt, rowInt(locate), 2, tText, tText, tInt), "locate('r', 'stream')", "3", "locate('x', 'stream')", "0").alias("position"),
		def("instr(s, sub)", "Where sub first occurs in s; 0 when it does not.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return indexChars(a[0].Bytes(i), a[1].Bytes(i), 1), true
		}), tText, tText), "instr('stream', 'ea')", "4").alias("strpos"),
		def("substring_index(s, delim, n)", "What stands before the n-th delim; with a negative n, what stands behind the n-th from the end.", fixed(tText, rowText(substringIndex), tText, tText, tInt),
			"substring_index('a.b.c', '.', 2)", "a.b", "substring_index('a.b.c', '.', -1)", "c"),
		def("split_part(s, delim, n)", "The n-th part of s split at delim; empty when there are fewer.", fixed(tText, rowText(splitPart), tText, tText, tInt), "split_part('a,b,c', ',', 2)", "b", "split_part('a,b', ',', -1)", "b"),
		def("split_index(s, delim, i)", "The part of s at index i, from 0, split at delim; NULL when there is none.", fixed(tText, rowText(splitIndex), tText, tText, tInt), "split_index('a/b/c', '/', 1)", "b", "split_index('a', '/', 3)", "NULL"),
		def("starts_with(s, prefix)", "Whether s begins with prefix.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(bytes.HasPrefix(a[0].Bytes(i), a[1].Bytes(i))), true
		}), tText, tText), "starts_with('stream', 'st')", "1"),
		def("ends_with(s, suffix)", "Whether s ends with suffix.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(bytes.HasSuffix(a[0].Bytes(i), a[1].Bytes(i))), true
		}), tText, tText), "ends_with('stream', 'am')", "1"),
		def("contains(s, sub)", "Whether sub occurs in s.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return boolInt(bytes.Contains(a[0].Bytes(i), a[1].Bytes(i))), true
		}), tText, tText), "contains('stream', 'rea')", "1"),
		def("strcmp(a, b)", "-1, 0 or 1 as a is less than, equal to or greater than b, bytewise.", fixed(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			return int64(bytes.Compare(a[0].Bytes(i), a[1].Bytes(i))), true
		}), tText, tText), "strcmp('a', 'b')", "-1"),
		def("elt(n, a, b, ..)", "The n-th of the texts; NULL when there is none.", bindElt, "elt(2, 'a', 'b')", "b", "elt(3, 'a')", "NULL", "elt(NULL, 'a')", "NULL"),
		def("field(x, a, b, ..)", "Which of the values x equals, from 1; 0 for none.", nullable(variadic(tInt, rowInt(fieldIndex), 2, tText)), "field('b', 'a', 'b')", "2", "field('x', 'a')", "0", "field(NULL, 'a')", "0"),
		def("find_in_set(x, list)", "Which entry of a comma-separated list x is; 0 for none.", fixed(tInt, rowInt(findInSet), tText, tText), "find_in_set('b', 'a,b')", "2"),
		def("initcap(s)", "The first letter of each word in upper, the others in lower case.", fixed(tText, mapText(initCap), tText), "initcap('big data')", "Big Data"),
		def("translate(s, from, to)", "s with each character of from replaced by the one at its place in to; those without one are left out.", fixed(tText, rowText(translate), tText, tText, tText), "translate('a-b', '-b', '_')", "a_"),
	}
	all = append(append(append(append(all, moreTextFuncs()...), distanceFuncs()...), unicodeFuncs()...), encodingFuncs()...)
	all = append(family("text", all...), family("regexp", regexpFuncs()...)...)
	return all
}

func kernelConcat(_ *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		for _, a := range args {
			out.Data = append(out.Data, a.Data[a.Off[i]:a.Off[i+1]]...)
		}
		out.EndBytes()
	}
}

func concatSeparated(dst []byte, args []*vector.Vector, i int) ([]byte, bool) {
	first := true
	for _, a := range args[1:] {
		if a.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, args[0].Bytes(i)...)
		}
		first = false
		dst = append(dst, a.Bytes(i)...)
	}
	return dst, !args[0].IsNull(i)
}

func mapCase(dst, s []byte, to func(rune) rune) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, to(r))
		}
		i += size
	}
	return dst
}

// charOffset returns the byte offset of character n (from 0); the length of s when there are fewer.
func charOffset(s []byte, n int64) int {
	if n <= 0 {
		return 0
	}
	if n >= int64(len(s)) {
		return len(s)
	}
	return prefixLen(s, int(n))
}

func substring(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, pos := a[0].Bytes(i), a[1].I64[i]
	if pos < 0 {
		pos += int64(utf8.RuneCount(s)) + 1
	}
	if pos <= 0 {
		return dst, true
	}
	s = s[charOffset(s, pos-1):]
	if len(a) == 3 {
		s = s[:charOffset(s, a[2].I64[i])]
	}
	return append(dst, s...), true
}

func leftPart(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s := a[0].Bytes(i)
	return append(dst, s[:charOffset(s, a[1].I64[i])]...), true
}

func rightPart(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s := a[0].Bytes(i)
	n := a[1].I64[i]
	if n <= 0 {
		return dst, true
	}
	return append(dst, s[charOffset(s, int64(utf8.RuneCount(s))-n):]...), true
}

func trimKernel(left, right bool) Kernel {
	blank := []byte{' '}
	return rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		s, cut := a[0].Bytes(i), blank
		if len(a) == 2 {
			cut = a[1].Bytes(i)
		}
		for left && len(cut) > 0 && bytes.HasPrefix(s, cut) {
			s = s[len(cut):]
		}
		for right && len(cut) > 0 && bytes.HasSuffix(s, cut) {
			s = s[:len(s)-len(cut)]
		}
		return append(dst, s...), true
	})
}

func padKernel(left bool) Kernel {
	blank := []byte{' '}
	return rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		s, want, pad := a[0].Bytes(i), a[1].I64[i], blank
		if len(a) == 3 {
			pad = a[2].Bytes(i)
		}
		have := int64(utf8.RuneCount(s))
		if want < 0 || want > maxTextBytes/utf8.UTFMax || want > have && len(pad) == 0 {
			return dst, false
		}
		if have >= want {
			return append(dst, s[:charOffset(s, want)]...), true
		}
		if !left {
			dst = append(dst, s...)
		}
		width := int64(utf8.RuneCount(pad))
		missing := want - have
		for ; missing >= width; missing -= width {
			dst = append(dst, pad...)
		}
		dst = append(dst, pad[:charOffset(pad, missing)]...)
		if left {
			dst = append(dst, s...)
		}
		return dst, true
	})
}

func replaceAll(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, from, to := a[0].Bytes(i), a[1].Bytes(i), a[2].Bytes(i)
	if len(from) == 0 {
		return append(dst, s...), true
	}
	for {
		at := bytes.Index(s, from)
		if at < 0 {
			return append(dst, s...), true
		}
		dst = append(append(dst, s[:at]...), to...)
		s = s[at+len(from):]
	}
}

func reverseText(dst, s []byte) []byte {
	for len(s) > 0 {
		_, size := utf8.DecodeLastRune(s)
		dst = append(dst, s[len(s)-size:]...)
		s = s[:len(s)-size]
	}
	return dst
}

func repeatText(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	return repeatBytes(dst, a[0].Bytes(i), a[1].I64[i])
}

// repeatBytes is NULL when the result would be too large.
func repeatBytes(dst, s []byte, n int64) ([]byte, bool) {
	if len(s) > 0 && n > int64(maxTextBytes/len(s)) {
		return dst, false
	}
	for ; n > 0 && len(s) > 0; n-- {
		dst = append(dst, s...)
	}
	return dst, true
}

// indexChars finds sub in s from character pos on and returns its character position, 0 for none.
func indexChars(s, sub []byte, pos int64) int64 {
	if pos < 1 {
		return 0
	}
	from := charOffset(s, pos-1)
	if from == len(s) && pos-1 > int64(utf8.RuneCount(s)) {
		return 0
	}
	at := bytes.Index(s[from:], sub)
	if at < 0 {
		return 0
	}
	return int64(utf8.RuneCount(s[:from+at])) + 1
}

func locate(a []*vector.Vector, i int) (int64, bool) {
	pos := int64(1)
	if len(a) == 3 {
		pos = a[2].I64[i]
	}
	return indexChars(a[1].Bytes(i), a[0].Bytes(i), pos), true
}

func substringIndex(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, delim, n := a[0].Bytes(i), a[1].Bytes(i), a[2].I64[i]
	if n == 0 || len(delim) == 0 {
		return dst, true
	}
	if n > 0 {
		end := 0
		for ; n > 0; n-- {
			at := bytes.Index(s[end:], delim)
			if at < 0 {
				return append(dst, s...), true
			}
			end += at + len(delim)
		}
		return append(dst, s[:end-len(delim)]...), true
	}
	start := len(s)
	for ; n < 0; n++ {
		at := bytes.LastIndex(s[:start], delim)
		if at < 0 {
			return append(dst, s...), true
		}
		start = at
	}
	return append(dst, s[start+len(delim):]...), true
}

func splitPart(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, delim, n := a[0].Bytes(i), a[1].Bytes(i), a[2].I64[i]
	if n == 0 {
		return dst, false
	}
	if len(delim) == 0 {
		if n == 1 || n == -1 {
			dst = append(dst, s...)
		}
		return dst, true
	}
	if n < 0 {
		n += int64(bytes.Count(s, delim)) + 2
		if n < 1 {
			return dst, true
		}
	}
	for ; n > 1; n-- {
		at := bytes.Index(s, delim)
		if at < 0 {
			return dst, true
		}
		s = s[at+len(delim):]
	}
	if at := bytes.Index(s, delim); at >= 0 {
		s = s[:at]
	}
	return append(dst, s...), true
}

func splitIndex(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, delim, n := a[0].Bytes(i), a[1].Bytes(i), a[2].I64[i]
	if n < 0 || len(delim) == 0 {
		return dst, false
	}
	for ; n > 0; n-- {
		at := bytes.Index(s, delim)
		if at < 0 {
			return dst, false
		}
		s = s[at+len(delim):]
	}
	if at := bytes.Index(s, delim); at >= 0 {
		s = s[:at]
	}
	return append(dst, s...), true
}

func bindElt(args []Arg) (Bound, error) {
	want := []types.Type{tInt}
	for range max(len(args), 2) - 1 {
		want = append(want, tText)
	}
	argTypes, err := match(args, 2, want)
	kernel := rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		n := a[0].I64[i]
		if a[0].IsNull(i) || n < 1 || n >= int64(len(a)) || a[n].IsNull(i) {
			return dst, false
		}
		return append(dst, a[n].Bytes(i)...), true
	})
	return Bound{Ret: tText, ArgTypes: argTypes, Kernel: kernel}, err
}

func fieldIndex(a []*vector.Vector, i int) (int64, bool) {
	for k, x := range a[1:] {
		if !a[0].IsNull(i) && !x.IsNull(i) && bytes.Equal(a[0].Bytes(i), x.Bytes(i)) {
			return int64(k + 1), true
		}
	}
	return 0, true
}

func findInSet(a []*vector.Vector, i int) (int64, bool) {
	x, list := a[0].Bytes(i), a[1].Bytes(i)
	for n := int64(1); len(list) > 0; n++ {
		at := bytes.IndexByte(list, ',')
		if at < 0 {
			at = len(list)
		}
		if bytes.Equal(list[:at], x) {
			return n, true
		}
		list = list[min(at+1, len(list)):]
	}
	return 0, true
}

func initCap(dst, s []byte) []byte {
	inWord := false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		letter := unicode.IsLetter(r) || unicode.IsDigit(r)
		switch {
		case !letter:
			dst = append(dst, s[i:i+size]...)
		case inWord:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		default:
			dst = utf8.AppendRune(dst, unicode.ToUpper(r))
		}
		inWord = letter
		i += size
	}
	return dst
}

func translate(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s, from, to := a[0].Bytes(i), a[1].Bytes(i), a[2].Bytes(i)
	for k := 0; k < len(s); {
		_, size := utf8.DecodeRune(s[k:])
		ch := s[k : k+size]
		k += size
		at := bytes.Index(from, ch)
		if at < 0 {
			dst = append(dst, ch...)
			continue
		}
		rest := to[charOffset(to, int64(utf8.RuneCount(from[:at]))):]
		dst = append(dst, rest[:charOffset(rest, 1)]...)
	}
	return dst, true
}
