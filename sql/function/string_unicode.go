package function

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// unicodeFuncs is the part of the text table that knows Unicode's normal forms.
func unicodeFuncs() []*Func {
	return []*Func{
		def("normalize(s) | normalize(s, form)", "s in a Unicode normal form: NFC (unless given), NFD, NFKC or NFKD.", bindNormalize, "normalize('ﬁ', 'NFKC')", "fi", "char_length(normalize('é', 'NFD'))", "2"),
		def("strip_accents(s)", "s with the marks of letters left out; ß, ø, æ and their like become plain letters.", fixed(tText, kernelStripAccents, tText), "strip_accents('Crème Brûlée')", "Creme Brulee", "strip_accents('Straße Øresund')", "Strasse Oresund").alias("unaccent"),
	}
}

var normalForms = map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}

func bindNormalize(args []Arg) (Bound, error) {
	want, err := match(args, 1, []types.Type{tText, tText})
	if err != nil {
		return Bound{}, err
	}
	form := norm.NFC
	if len(args) == 2 {
		name, _ := constText(args[1])
		var ok bool
		if form, ok = normalForms[strings.ToUpper(name)]; !ok {
			return Bound{}, fmt.Errorf("argument 2 must be 'NFC', 'NFD', 'NFKC' or 'NFKD'")
		}
	}
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		return form.Append(dst, a[0].Bytes(i)...), true
	})}, nil
}

// plainLetters are letters with a stroke or ligatures, which no normal form takes apart.
var plainLetters = map[rune]string{'ß': "ss", 'ẞ': "SS", 'ø': "o", 'Ø': "O", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'đ': "d", 'Đ': "D",
	'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th", 'ł': "l", 'Ł': "L", 'ħ': "h", 'Ħ': "H", 'ı': "i"}

func kernelStripAccents(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	var it norm.Iter // it escapes: one for the batch
	for i := range n {
		out.Data = stripAccents(out.Data, a[0].Bytes(i), &it)
		out.EndBytes()
	}
}

func stripAccents(dst, s []byte, it *norm.Iter) []byte {
	plain := true
	for _, c := range s {
		plain = plain && c < 0x80
	}
	if plain {
		return append(dst, s...)
	}
	it.Init(norm.NFD, s)
	for !it.Done() {
		for segment := it.Next(); len(segment) > 0; {
			r, size := utf8.DecodeRune(segment)
			segment = segment[size:]
			if unicode.Is(unicode.Mn, r) {
				continue
			}
			if text, ok := plainLetters[r]; ok {
				dst = append(dst, text...)
			} else {
				dst = utf8.AppendRune(dst, r)
			}
		}
	}
	return dst
}
