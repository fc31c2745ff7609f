package function

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// jsonPath is a compiled path. Wild: some step names all members.
type jsonPath struct {
	steps []jsonStep
	wild  bool
}

type jsonStep struct {
	key   []byte // member name; nil: an element
	index int    // element
	all   bool   // .* or [*]
}

// parsePath reads $, .name, ."quoted name", .*, [3], [*].
func parsePath(text string) (jsonPath, error) {
	var p jsonPath
	bad := fmt.Errorf("%q is no JSON path such as '$.a.b[0]'", text)
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "$")
	if !ok {
		return p, bad
	}
	for rest != "" {
		var s jsonStep
		switch rest[0] {
		case '.':
			name := rest[1:]
			end := strings.IndexAny(name, ".[")
			if strings.HasPrefix(name, `"`) {
				end = strings.IndexByte(name[1:], '"') + 2
				if end < 2 {
					return p, bad
				}
				s.key, rest = []byte(name[1:end-1]), name[end:]
				break
			}
			if end < 0 {
				end = len(name)
			}
			if end == 0 {
				return p, bad
			}
			s.key, rest = []byte(name[:end]), name[end:]
			if string(s.key) == "*" {
				s = jsonStep{key: s.key, all: true}
			}
		case '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return p, bad
			}
			n, err := strconv.Atoi(strings.TrimSpace(rest[1:end]))
			s.all = strings.TrimSpace(rest[1:end]) == "*"
			if !s.all && (err != nil || n < 0) {
				return p, bad
			}
			s.index, rest = n, rest[end+1:]
		default:
			return p, bad
		}
		p.steps = append(p.steps, s)
		p.wild = p.wild || s.all
	}
	return p, nil
}

// find returns the text of the value at a path without wildcards; empty when there is none or the text is broken on the way.
func (p jsonPath) find(doc []byte) []byte {
	doc = trimSpace(doc)
	for _, s := range p.steps {
		doc = s.child(doc)
		if len(doc) == 0 {
			return nil
		}
	}
	end := skipJSON(doc, 0)
	if end < 0 {
		return nil
	}
	return doc[:end]
}

// child returns the text that begins with the step's value; empty when there is none.
func (s jsonStep) child(doc []byte) []byte {
	if len(doc) == 0 {
		return nil
	}
	if s.key == nil && doc[0] != '[' {
		if s.index == 0 { // MySQL: [0] of what is no array is the value itself
			return doc
		}
		return nil
	}
	if s.key != nil && doc[0] != '{' {
		return nil
	}
	i := skipBlank(doc, 1)
	for at := 0; i < len(doc) && doc[i] != '}' && doc[i] != ']'; at++ {
		hit := s.key == nil && at == s.index
		if s.key != nil {
			end := skipString(doc, i)
			if end < 0 {
				return nil
			}
			hit = sameKey(doc[i+1:end-1], s.key)
			if i = skipBlank(doc, end); i >= len(doc) || doc[i] != ':' {
				return nil
			}
			i = skipBlank(doc, i+1)
		}
		if hit {
			return doc[i:]
		}
		if i = skipJSON(doc, i); i < 0 {
			return nil
		}
		if i = skipBlank(doc, i); i < len(doc) && doc[i] == ',' {
			i = skipBlank(doc, i+1)
		}
	}
	return nil
}

// sameKey compares the inside of a JSON string with a name.
func sameKey(raw, name []byte) bool {
	if bytes.IndexByte(raw, '\\') < 0 {
		return bytes.Equal(raw, name)
	}
	var room [128]byte
	return bytes.Equal(unescapeJSON(room[:0], raw), name)
}

// collect appends all values a path names, separated by commas; from is where the list began.
func (p jsonPath) collect(dst, doc []byte, from int) []byte {
	doc = trimSpace(doc)
	for k, s := range p.steps {
		if s.all {
			rest := jsonPath{steps: p.steps[k+1:]}
			if len(doc) == 0 || (s.key != nil) != (doc[0] == '{') {
				return dst
			}
			eachMember(doc, func(_, value []byte) bool {
				dst = rest.collect(dst, value, from)
				return true
			})
			return dst
		}
		if doc = s.child(doc); len(doc) == 0 {
			return dst
		}
	}
	end := skipJSON(doc, 0)
	if end < 0 {
		return dst
	}
	if len(dst) > from {
		dst = append(dst, ", "...)
	}
	return append(dst, doc[:end]...)
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
