package function

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// encodingFuncs is the part of the text table that encodes and hashes.
func encodingFuncs() []*Func {
	return []*Func{
		def("ascii(s)", "The value of the first byte; 0 for an empty text.", fixed(tInt, rowInt(firstByte), tBytes), "ascii('a')", "97"),
		def("ord(s)", "The bytes of the first character as one number; 0 for an empty text.", fixed(tInt, rowInt(firstCharacter), tText), "ord('a')", "97", "ord('é')", "50089"),
		def("char(n, ..)", "The characters of code points, joined; NULL ones are left out, numbers that are no code point make it NULL. MySQL takes the numbers as bytes.", nullable(variadic(tText, rowText(charsOf), 1, tInt)), "char(77, 121, 83)", "MyS", "char(65, NULL)", "A").alias("chr"),
		def("hex(x)", "The bytes of a text, or a number rounded to an integer, in hexadecimal.", bindHex, "hex('ab')", "6162", "hex(255)", "FF", "hex(254.5)", "FF"),
		def("unhex(s)", "The bytes that hexadecimal digits name; NULL when they are none.", fixed(tBytes, rowText(unhex), tText), "unhex('6162')", "ab", "unhex('x')", "NULL"),
		def("md5(s)", "The MD5 hash in hexadecimal.", fixed(tText, mapText(func(dst, s []byte) []byte { h := md5.Sum(s); return hex.AppendEncode(dst, h[:]) }), tBytes), "md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
		def("sha1(s)", "The SHA-1 hash in hexadecimal.", fixed(tText, mapText(func(dst, s []byte) []byte { h := sha1.Sum(s); return hex.AppendEncode(dst, h[:]) }), tBytes), "sha1('a')", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8").alias("sha"),
		def("sha2(s, bits)", "The SHA-2 hash of 224, 256 (also 0), 384 or 512 bits in hexadecimal; NULL for other sizes.", fixed(tText, rowText(sha2), tBytes, tInt),
			"sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
		def("format(x, d)", "The number with d decimals and commas between thousands.", narrowBinder(bindFormat), "format(12345.678, 2)", "12,345.68", "format(2.5, 0)", "3").reading(types.Float64),
		def("to_base64url(s)", "The bytes in base 64 for URLs, without padding (RFC 4648, section 5).", fixed(tText, mapText(func(dst, s []byte) []byte { return base64.RawURLEncoding.AppendEncode(dst, s) }), tBytes), "to_base64url(unhex('FBFF'))", "-_8"),
		def("from_base64url(s)", "The bytes that base 64 for URLs names, with or without padding; NULL when it is none.", fixed(tBytes, rowText(fromBase64URL), tText), "hex(from_base64url('-_8'))", "FBFF", "from_base64url('+')", "NULL"),
		def("to_base64(s)", "The bytes in base 64.", fixed(tText, mapText(func(dst, s []byte) []byte { return base64.StdEncoding.AppendEncode(dst, s) }), tBytes), "to_base64('abc')", "YWJj"),
		def("from_base64(s)", "The bytes that base 64 names; NULL when it is none.", fixed(tBytes, rowText(fromBase64), tText), "from_base64('YWJj')", "abc"),
		def("quote(s)", "The text as a SQL literal, quotes and backslashes escaped by a backslash; the word NULL for NULL.", nullable(fixed(tText, rowText(quoteText), tText)), "quote('it''s')", `'it\'s'`, "quote(NULL)", "NULL"),
	}
}

func firstByte(a []*vector.Vector, i int) (int64, bool) {
	if s := a[0].Bytes(i); len(s) > 0 {
		return int64(s[0]), true
	}
	return 0, true
}

func firstCharacter(a []*vector.Vector, i int) (int64, bool) {
	s := a[0].Bytes(i)
	if len(s) == 0 {
		return 0, true
	}
	_, size := utf8.DecodeRune(s)
	code := int64(0)
	for _, c := range s[:size] {
		code = code<<8 | int64(c)
	}
	return code, true
}

func charsOf(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	start := len(dst)
	for _, v := range a {
		if v.IsNull(i) {
			continue
		}
		n := v.I64[i]
		if n < 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return dst[:start], false
		}
		dst = utf8.AppendRune(dst, rune(n))
	}
	return dst, true
}

const upperHex = "0123456789ABCDEF"

func bindHex(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	t := args[0].Type
	if t.Kind == types.Decimal || t.Kind.IsFloat() {
		t = tInt // rounded
	}
	if t.Kind.IsInteger() || t.Kind == types.Bool {
		return strict(tText, rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			at := len(dst)
			dst = strconv.AppendUint(dst, uint64(a[0].I64[i]), 16)
			for k := at; k < len(dst); k++ {
				if dst[k] >= 'a' {
					dst[k] -= 'a' - 'A'
				}
			}
			return dst, true
		}), t), nil
	}
	return strict(tText, mapText(func(dst, s []byte) []byte {
		for _, c := range s {
			dst = append(dst, upperHex[c>>4], upperHex[c&15])
		}
		return dst
	}), tBytes), nil
}

func unhex(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s := a[0].Bytes(i)
	at := len(dst)
	if len(s)%2 == 1 { // as if a zero stood in front
		var pair = [2]byte{'0', s[0]}
		out, err := hex.AppendDecode(dst, pair[:])
		if err != nil {
			return dst[:at], false
		}
		dst, s = out, s[1:]
	}
	out, err := hex.AppendDecode(dst, s)
	if err != nil {
		return dst[:at], false
	}
	return out, true
}

func fromBase64(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	at := len(dst)
	out, err := base64.StdEncoding.AppendDecode(dst, a[0].Bytes(i))
	if err != nil {
		return dst[:at], false
	}
	return out, true
}

func fromBase64URL(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	at := len(dst)
	out, err := base64.RawURLEncoding.AppendDecode(dst, bytes.TrimRight(a[0].Bytes(i), "="))
	if err != nil {
		return dst[:at], false
	}
	return out, true
}

func sha2(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	s := a[0].Bytes(i)
	switch a[1].I64[i] {
	case 224:
		h := sha256.Sum224(s)
		return hex.AppendEncode(dst, h[:]), true
	case 0, 256:
		h := sha256.Sum256(s)
		return hex.AppendEncode(dst, h[:]), true
	case 384:
		h := sha512.Sum384(s)
		return hex.AppendEncode(dst, h[:]), true
	case 512:
		h := sha512.Sum512(s)
		return hex.AppendEncode(dst, h[:]), true
	}
	return dst, false
}

// bindFormat binds FORMAT: exact for integers and DECIMALs.
func bindFormat(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t := tFloat
	if k := args[0].Type.Kind; k == types.Decimal || k.IsInteger() {
		t = types.AsDecimal(args[0].Type)
	}
	kernel := rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		digits := min(max(a[1].I64[i], 0), types.MaxDecimalScale)
		var room [400]byte
		s := room[:0]
		if t.Kind == types.Decimal {
			s = appendRounded(s, a[0].I128[i], t.Scale, int(digits))
		} else {
			s = strconv.AppendFloat(s, roundFloat(a[0].F64[i], digits, false), 'f', int(digits), 64)
		}
		return groupThousands(dst, s, int(digits)), true
	})
	return strict(tText, kernel, t, tInt), nil
}

// appendRounded writes a DECIMAL with so many decimals.
func appendRounded(dst []byte, x types.Int128, scale, digits int) []byte {
	if digits >= scale {
		dst = types.AppendDecimal(dst, x, scale)
		if scale == 0 && digits > 0 {
			dst = append(dst, '.')
		}
		for ; scale < digits; scale++ {
			dst = append(dst, '0')
		}
		return dst
	}
	return types.AppendDecimal(dst, roundTo(x, scale-digits, false), digits)
}

// groupThousands copies a number with a comma between thousands.
func groupThousands(dst, s []byte, digits int) []byte {
	if s[0] == '-' {
		if bytes.ContainsAny(s, "123456789") { // no -0.00
			dst = append(dst, '-')
		}
		s = s[1:]
	}
	whole := len(s)
	if digits > 0 {
		whole -= digits + 1
	}
	for k, c := range s[:whole] {
		if k > 0 && (whole-k)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, c)
	}
	return append(dst, s[whole:]...)
}

func quoteText(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
	if a[0].IsNull(i) {
		return append(dst, "NULL"...), true
	}
	dst = append(dst, '\'')
	for _, c := range a[0].Bytes(i) {
		switch c {
		case '\'', '\\':
			dst = append(dst, '\\', c)
		case 0:
			dst = append(dst, `\0`...)
		case 26:
			dst = append(dst, `\Z`...)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\''), true
}
