package function

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// sameKey compares the inside of a JSON string with a name.
func sameKey(raw, name []byte) bool {
	if bytes.IndexByte(raw, '\\') < 0 {
		return bytes.Equal(raw, name)
	}
	var room [128]byte
	return bytes.Equal(unescapeJSON(room[:0], raw), name)
}

// eachMember calls fn for the members of an object (key with its quotes) or the elements of an array; false when the text is broken.
func eachMember(doc []byte, fn func(key, value []byte) bool) bool {
	if len(doc) == 0 || doc[0] != '{' && doc[0] != '[' {
		return false
	}
	object := doc[0] == '{'
	i := skipBlank(doc, 1)
	for i < len(doc) && doc[i] != '}' && doc[i] != ']' {
		var key []byte
		if object {
			end := skipString(doc, i)
			if end < 0 {
				return false
			}
			key = doc[i:end]
			if i = skipBlank(doc, end); i >= len(doc) || doc[i] != ':' {
				return false
			}
			i = skipBlank(doc, i+1)
		}
		end := skipJSON(doc, i)
		if end < 0 || !fn(key, doc[i:end]) {
			return end >= 0
		}
		if i = skipBlank(doc, end); i < len(doc) && doc[i] == ',' {
			i = skipBlank(doc, i+1)
		}
	}
	return i < len(doc)
}

func skipBlank(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the offset behind a string that begins at i; -1 when there is none.
func skipString(s []byte, i int) int {
	if i >= len(s) || s[i] != '"' {
		return -1
	}
	for i++; i < len(s); i++ {
		at := bytes.IndexByte(s[i:], '"')
		if at < 0 {
			return -1
		}
		i += at
		slashes := 0
		for k := i - 1; s[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i + 1
		}
	}
	return -1
}

// skipJSON returns the offset behind the value that begins at i, matching brackets but not checking what is inside; -1 when it ends
// too early.
func skipJSON(s []byte, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			if i = skipString(s, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
			if depth < 0 {
				return -1
			}
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return -1
			}
			i++
			continue
		default:
			start := i
			for i < len(s) && bytes.IndexByte([]byte(",:]}[{\" \n\t\r"), s[i]) < 0 {
				i++
			}
			if i == start {
				return -1
			}
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// unquoteJSON appends a JSON string's text; anything else as it stands.
func unquoteJSON(dst, raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return append(dst, raw...)
	}
	return unescapeJSON(dst, raw[1:len(raw)-1])
}

// unescapeJSON resolves the escapes of a string's inside; broken ones stay as they are.
func unescapeJSON(dst, s []byte) []byte {
	for {
		at := bytes.IndexByte(s, '\\')
		if at < 0 || at+1 >= len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:at]...)
		c := s[at+1]
		s = s[at+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			dst, s = unescapeUnicode(dst, s)
		default:
			dst = append(dst, c)
		}
	}
}

func unescapeUnicode(dst, s []byte) (out, rest []byte) {
	r, ok := hex4(s)
	if !ok {
		return append(dst, '\\', 'u'), s
	}
	s = s[4:]
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
			low, ok = hex4(s[2:])
		}
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), s[6:]
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(dst, r), s
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	r := rune(0)
	for _, c := range s[:4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

func validJSON(s []byte) bool { return json.Valid(s) }

// decodeJSON builds a tree for CAST to nested types: the slow way, which nested types can bear.
func decodeJSON(s []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(s))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// appendNested appends a tree to a vector; false when it does not fit the type.
func appendNested(out *vector.Vector, v any) bool {
	if v == nil {
		out.AppendNull()
		return true
	}
	switch out.Type.Kind {
	case types.Array:
		list, ok := v.([]any)
		if !ok {
			return false
		}
		for _, x := range list {
			if !appendNested(out.Child[0], x) {
				return false
			}
		}
		out.EndList()
		return true
	case types.Map:
		return appendNestedMap(out, v)
	case types.Struct:
		return appendNestedStruct(out, v)
	}
	return appendScalar(out, v)
}

func appendNestedMap(out *vector.Vector, v any) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for _, key := range sortedKeys(object) {
		if !appendScalar(out.Child[0], key) || !appendNested(out.Child[1], object[key]) {
			return false
		}
	}
	out.EndList()
	return true
}

func appendNestedStruct(out *vector.Vector, v any) bool {
	object, ok := v.(map[string]any)
	if !ok {
		return false
	}
	for c, f := range out.Type.Fields {
		if !appendNested(out.Child[c], object[f.Name]) {
			return false
		}
	}
	out.EndStruct()
	return true
}

// appendScalar casts a JSON scalar's text to the type.
func appendScalar(out *vector.Vector, v any) bool {
	var text string
	switch x := v.(type) {
	case string:
		text = x
	case json.Number:
		text = x.String()
	case bool:
		text = strconv.FormatBool(x)
	default:
		raw, err := json.Marshal(v)
		if err != nil || out.Type.Kind != types.JSON && out.Type.Kind != types.String {
			return false
		}
		text = string(raw)
	}
	if out.Type.Kind == types.JSON {
		raw, _ := json.Marshal(v)
		out.AppendBytes(raw)
		return true
	}
	kernel, err := Cast(tText, out.Type, true)
	if err != nil {
		return false
	}
	in, one := vector.New(tText, 1), vector.New(out.Type, 1)
	in.AppendString(text)
	kernel(&Ctx{}, []*vector.Vector{in}, 1, one)
	out.AppendFrom(one, 0)
	return !one.IsNull(0)
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
