package function

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// jsonSearchFuncs is the part of the JSON table that compares, searches and lays out documents.
func jsonSearchFuncs() []*Func {
	return []*Func{
		def("json_contains(doc, candidate) | json_contains(doc, candidate, path)", "Whether a document (or its value at a constant path) contains a candidate: an array each of its elements, an object each of its members, else an equal value. NULL for what is no JSON and for no value at the path.", bindJSONContains, `json_contains('{"a": 1, "b": {"d": 4}}', '{"d": 4}', '$.b')`, "1", `json_contains('[1, 2, [3]]', '[3, 1]')`, "1", `json_contains('[1]', '2')`, "0", `json_contains('{}', '1', '$.a')`, "NULL"),
		def("json_contains_path(doc, 'one' | 'all', path, ..)", "Whether there is a value at one, or at all, of some constant paths.", bindContainsPath, `json_contains_path('{"a": 1, "c": {"d": 4}}', 'one', '$.a', '$.e')`, "1", `json_contains_path('{"a": 1, "c": {"d": 4}}', 'all', '$.a', '$.e')`, "0", `json_contains_path(NULL, 'all', '$.a')`, "NULL"),
		def("json_overlaps(a, b)", "Whether two arrays have an element, or two objects a member, in common; other values whether they are equal or an element of the other.", bindTwoJSON(jsonOverlaps), `json_overlaps('[1, 3, 5]', '[2, 5, 7]')`, "1", `json_overlaps('{"a": 1}', '{"a": 2}')`, "0", `json_overlaps('4', '[4, 5]')`, "1"),
		def("json_memberof(x, doc) | x MEMBER OF (doc)", "Whether a value is an element of a JSON array, or equal to a document that is none.", bindMemberOf, `json_memberof(17, '[23, "abc", 17]')`, "1", `json_memberof('ab', '[23, "abc"]')`, "0", `json_memberof(1, NULL)`, "NULL"),
		def("json_equal(a, b)", "Whether two documents are the same value, whatever the order of their members and the spelling of their numbers.", bindTwoJSON(func(a, b []byte) bool { return equalJSON(a, b, 0) }), `json_equal('{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}')`, "1", `json_equal('[1, 2]', '[2, 1]')`, "0"),
		def("json_search(doc, 'one' | 'all', pattern) | json_search(doc, 'one' | 'all', pattern, escape, path, ..)", "The path of the first string, or an array of the paths of all strings, that a LIKE pattern matches, below constant paths; NULL for none.", bindJSONSearch, `json_search('["abc", {"x": "abc"}, {"y": "bcd"}]', 'one', 'abc')`, `"$[0]"`, `json_search('["abc", {"x": "abc"}, {"y": "bcd"}]', 'all', '%b%', NULL, '$[1]', '$[2]')`, `["$[1].x", "$[2].y"]`, `json_search('["abc"]', 'all', 'z')`, "NULL"),
		def("json_query(doc, path)", "The object or array at a constant path, as JSON; NULL for a scalar and for none.", bindJSONPathOf(tJSON, func(dst, raw []byte) ([]byte, bool) {
			return append(dst, raw...), len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
		}), `json_query('{"a": [1, 2]}', '$.a')`, "[1, 2]", `json_query('{"a": 1}', '$.a')`, "NULL"),
		def("json_values(doc) | json_values(doc, path)", "The values of an object's members as JSON array.", bindJSONPath(tJSON, jsonValues), `json_values('{"a": 1, "b": "x"}')`, `[1, "x"]`, `json_values('1')`, "NULL"),
		def("json_array_length(doc) | json_array_length(doc, path)", "How many elements an array has; NULL for what is none.", bindJSONPath(tInt, func(dst, raw []byte) ([]byte, int64, bool) {
			_, n, ok := jsonLength(dst, raw)
			return dst, n, ok && raw[0] == '['
		}), "json_array_length('[1, 2]')", "2", "json_array_length('{}')", "NULL"),
		def("json_depth(doc)", "How deep a document is nested: 1 for scalars, empty arrays and objects.", fixed(tInt, rowInt(jsonDepth), tText), "json_depth('[10, {\"a\": 20}]')", "3", "json_depth('[]')", "1", "json_depth('x')", "NULL"),
		def("json_pretty(doc)", "The document in lines with two blanks for each level.", bindJSONDoc(tText, func(dst, doc []byte) ([]byte, bool) { return layOut(dst, doc, true), true }), `replace(json_pretty('{"a": [1, 2], "b": {}}'), char(10), '~')`, `{~  "a": [~    1,~    2~  ],~  "b": {}~}`),
		def("json_compact(doc)", "The document without blanks between its parts.", bindJSONDoc(tJSON, func(dst, doc []byte) ([]byte, bool) { return layOut(dst, doc, false), true }), `json_compact('{"a": [1, 2]}')`, `{"a":[1,2]}`),
		def("json_storage_size(doc)", "How many bytes the document takes, as text.", bindJSONPathless(func(doc []byte) (int64, bool) { return int64(len(doc)), true }), "json_storage_size('[1, 2]')", "6"),
		def("parse_json(s)", "A text as JSON; text that is none is a row error.", fixed(tJSON, kernelParseJSON, tText), `parse_json('{"a": 1}')`, `{"a": 1}`),
		def("try_parse_json(s)", "A text as JSON; NULL for text that is none.", bindJSONDoc(tJSON, func(dst, doc []byte) ([]byte, bool) { return append(dst, doc...), true }), "try_parse_json('[1]')", "[1]", "try_parse_json('{')", "NULL"),
	}
}

// isScalarJSON tells whether a document is no array and no object.
func isScalarJSON(doc []byte) bool { return doc[0] != '[' && doc[0] != '{' }

// equalJSON compares values: numbers by what they are, strings by their text, objects whatever their order.
func equalJSON(a, b []byte, depth int) bool {
	if len(a) == 0 || len(b) == 0 || depth > maxJSONDepth {
		return false
	}
	switch {
	case a[0] == '"' && b[0] == '"':
		return equalStrings(a, b)
	case a[0] == '[' && b[0] == '[':
		if countMembers(a) != countMembers(b) {
			return false
		}
		at, same := 0, true
		eachMember(a, func(_, x []byte) bool {
			step := jsonStep{kind: stepIndex, index: jsonIndex{n: at}}
			same = equalJSON(x, whole(step.child(b)), depth+1)
			at++
			return same
		})
		return same
	case a[0] == '{' && b[0] == '{':
		return countMembers(a) == countMembers(b) && containsMembers(a, b, depth)
	case isNumberJSON(a) && isNumberJSON(b):
		if bytes.Equal(a, b) {
			return true
		}
		x, ok1 := numberJSON(a)
		y, ok2 := numberJSON(b)
		return ok1 && ok2 && x == y
	}
	return isScalarJSON(a) && bytes.Equal(a, b)
}

// whole cuts a text that begins with a value to that value.
func whole(doc []byte) []byte {
	end := skipJSON(doc, 0)
	if end < 0 {
		return nil
	}
	return doc[:end]
}

func equalStrings(a, b []byte) bool {
	if bytes.IndexByte(a, '\\') < 0 && bytes.IndexByte(b, '\\') < 0 {
		return bytes.Equal(a, b)
	}
	var room1, room2 [128]byte
	return bytes.Equal(unquoteJSON(room1[:0], a), unquoteJSON(room2[:0], b))
}

func isNumberJSON(s []byte) bool { return s[0] == '-' || s[0]-'0' <= 9 }

func numberJSON(s []byte) (float64, bool) {
	if len(s) > numericRoom {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(s), 64)
	return f, err == nil
}

// containsMembers tells whether each member of b has an equal one in a.
func containsMembers(a, b []byte, depth int) bool {
	all := true
	eachMember(b, func(key, value []byte) bool {
		all = equalJSON(memberOf(a, key), value, depth+1)
		return all
	})
	return all
}

// containsJSON is JSON_CONTAINS of two values.
func containsJSON(doc, candidate []byte, depth int) bool {
	switch {
	case depth > maxJSONDepth || len(doc) == 0:
		return false
	case doc[0] == '[' && candidate[0] == '[':
		all := true
		eachMember(candidate, func(_, c []byte) bool {
			all = containsElement(doc, c, depth)
			return all
		})
		return all
	case doc[0] == '[':
		return containsElement(doc, candidate, depth)
	case doc[0] == '{' && candidate[0] == '{':
		all := true
		eachMember(candidate, func(key, c []byte) bool {
			all = containsJSON(memberOf(doc, key), c, depth+1)
			return all
		})
		return all
	}
	return equalJSON(doc, candidate, depth)
}

// containsElement tells whether some element of an array contains the candidate.
func containsElement(doc, candidate []byte, depth int) bool {
	some := false
	eachMember(doc, func(_, x []byte) bool {
		if isScalarJSON(x) != isScalarJSON(candidate) || x[0] == '{' != (candidate[0] == '{') {
			some = x[0] == '[' && containsJSON(x, candidate, depth+1)
		} else {
			some = containsJSON(x, candidate, depth+1)
		}
		return !some
	})
	return some
}

func bindJSONContains(args []Arg) (Bound, error) {
	if len(args) < 2 || len(args) > 3 {
		return Bound{}, arityError(2, 3, len(args))
	}
	want, err := docTypes(args[:2])
	if err != nil {
		return Bound{}, err
	}
	var path jsonPath
	if len(args) == 3 {
		want = append(want, tText)
		paths, _, err := bindPaths([]Arg{args[0], args[2]})
		if err != nil {
			return Bound{}, err
		}
		if path = paths[0]; path.wild {
			return Bound{}, fmt.Errorf("argument 3 names several values; one is wanted")
		}
	}
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		doc, ok1 := jsonText(a[0], i)
		candidate, ok2 := jsonText(a[1], i)
		if !ok1 || !ok2 {
			return 0, false
		}
		if doc = path.find(doc); len(doc) == 0 {
			return 0, false
		}
		return boolInt(containsJSON(doc, candidate, 0)), true
	})}, nil
}

// oneOrAll reads the constant 'one' or 'all'.
func oneOrAll(a Arg, n int) (all bool, err error) {
	s, ok := constText(a)
	if !ok || !strings.EqualFold(s, "one") && !strings.EqualFold(s, "all") {
		return false, fmt.Errorf("argument %d must be 'one' or 'all'", n)
	}
	return strings.EqualFold(s, "all"), nil
}

// docAndTexts takes the first argument as a document, the others as text.
func docAndTexts(args []Arg) (want []types.Type, err error) {
	want = slices.Repeat([]types.Type{tText}, len(args))
	want[0], err = docType(args[0], 1)
	return want, err
}

func bindContainsPath(args []Arg) (Bound, error) {
	if len(args) < 3 {
		return Bound{}, countError("a document, 'one' or 'all', and paths", len(args))
	}
	all, err := oneOrAll(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	paths, _, err := bindPaths(append([]Arg{args[0]}, args[2:]...))
	if err != nil {
		return Bound{}, err
	}
	want, err := docAndTexts(args)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		doc, ok := jsonText(a[0], i)
		if !ok {
			return 0, false
		}
		for _, p := range paths {
			some := !p.each(doc, func([]byte) bool { return false })
			if some != all {
				return boolInt(some), true
			}
		}
		return boolInt(all), true
	})}, nil
}

// bindTwoJSON binds a test of two documents.
func bindTwoJSON(f func(a, b []byte) bool) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		want, err := docTypes(args)
		if err != nil {
			return Bound{}, err
		}
		return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			x, ok1 := jsonText(a[0], i)
			y, ok2 := jsonText(a[1], i)
			if !ok1 || !ok2 {
				return 0, false
			}
			return boolInt(f(x, y)), true
		})}, nil
	}
}

func jsonOverlaps(a, b []byte) bool {
	if a[0] != '[' && b[0] == '[' {
		a, b = b, a
	}
	some := false
	switch {
	case a[0] == '[' && b[0] == '[':
		eachMember(b, func(_, x []byte) bool {
			some = hasElement(a, x)
			return !some
		})
		return some
	case a[0] == '[':
		return hasElement(a, b)
	case a[0] == '{' && b[0] == '{':
		eachMember(b, func(key, x []byte) bool {
			some = equalJSON(memberOf(a, key), x, 0)
			return !some
		})
		return some
	}
	return equalJSON(a, b, 0)
}

// hasElement tells whether an array has an element equal to x.
func hasElement(doc, x []byte) bool {
	some := false
	eachMember(doc, func(_, e []byte) bool {
		some = equalJSON(e, x, 0)
		return !some
	})
	return some
}

func bindMemberOf(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	t, err := docType(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tBool, ArgTypes: []types.Type{args[0].Type, t}, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		out.Resize(n)
		var x []byte
		for i := range n {
			doc, ok := jsonText(a[1], i)
			if !ok {
				out.I64[i] = 0
				out.SetNull(i)
				continue
			}
			x = AppendJSON(x[:0], a[0], i)
			if x = trimSpace(x); doc[0] == '[' {
				out.I64[i] = boolInt(hasElement(doc, x))
			} else {
				out.I64[i] = boolInt(equalJSON(doc, x, 0))
			}
		}
	}}, nil
}

// jsonSearch looks for strings; path is the path of the value at hand, dst the paths found.
type jsonSearch struct {
	pattern []byte
	escape  byte
	all     bool
	path    []byte
	dst     []byte

	found int
}

func bindJSONSearch(args []Arg) (Bound, error) {
	if len(args) < 3 {
		return Bound{}, countError("a document, 'one' or 'all', and a pattern", len(args))
	}
	all, err := oneOrAll(args[1], 2)
	if err != nil {
		return Bound{}, err
	}
	want, err := docAndTexts(args)
	if err != nil {
		return Bound{}, err
	}
	escape := byte('\\')
	if len(args) > 3 {
		if s, ok := constText(args[3]); ok && len(s) == 1 {
			escape = s[0]
		} else if args[3].Type.Kind != types.Null && s != "" {
			return Bound{}, fmt.Errorf("argument 4 must be one constant character, or NULL for the backslash")
		}
	}
	roots := []string{"$"}
	paths := make([]jsonPath, 1)
	if len(args) > 4 {
		if paths, _, err = bindPaths(append([]Arg{args[0]}, args[4:]...)); err != nil {
			return Bound{}, err
		}
		roots = nil
		for _, a := range args[4:] {
			text, _ := constText(a)
			roots = append(roots, strings.TrimSpace(text))
		}
		for _, p := range paths {
			if p.wild {
				return Bound{}, fmt.Errorf("a path here must name one value")
			}
		}
	}
	return Bound{Ret: tJSON, ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		s := jsonSearch{escape: escape, all: all}
		for i := range n {
			doc, ok := jsonText(a[0], i)
			if !ok || a[0].IsNull(i) || a[2].IsNull(i) {
				out.AppendNull()
				continue
			}
			s.begin(a[2].Bytes(i))
			for k, p := range paths {
				if value := p.find(doc); len(value) > 0 && (all || s.found == 0) {
					s.path = append(s.path[:0], roots[k]...)
					s.walk(value, 0)
				}
			}
			s.end(out)
		}
	}}, nil
}

func (s *jsonSearch) begin(pattern []byte) {
	s.pattern, s.dst, s.found = pattern, append(s.dst[:0], '['), 0
}

// end appends the paths: one alone, several as an array.
func (s *jsonSearch) end(out *vector.Vector) {
	switch s.found {
	case 0:
		out.AppendNull()
	case 1:
		out.AppendBytes(s.dst[1:])
	default:
		s.dst = append(s.dst, ']')
		out.AppendBytes(s.dst)
	}
}

func (s *jsonSearch) walk(doc []byte, depth int) {
	if depth > maxJSONDepth || s.found > 0 && !s.all {
		return
	}
	if doc[0] == '"' {
		var room [256]byte
		if likeMatch(unquoteJSON(room[:0], doc), s.pattern, s.escape, false) {
			if s.found > 0 {
				s.dst = append(s.dst, ", "...)
			}
			s.found++
			s.dst = AppendQuoted(s.dst, s.path)
		}
		return
	}
	at, size := 0, len(s.path)
	eachMember(doc, func(key, value []byte) bool {
		s.path = s.path[:size]
		if key != nil {
			s.path = append(s.path, '.')
			if plainKey(key[1 : len(key)-1]) {
				key = key[1 : len(key)-1]
			}
			s.path = append(s.path, key...)
		} else {
			s.path = append(strconv.AppendInt(append(s.path, '['), int64(at), 10), ']')
			at++
		}
		s.walk(value, depth+1)
		return s.all || s.found == 0
	})
	s.path = s.path[:size]
}

// plainKey tells whether a key stands in a path without quotes.
func plainKey(key []byte) bool {
	for i, c := range key {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' || i > 0 && c-'0' <= 9) {
			return false
		}
	}
	return len(key) > 0
}

// bindJSONPathOf binds doc and a path that names one value.
func bindJSONPathOf(ret types.Type, f func(dst, raw []byte) ([]byte, bool)) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 2); err != nil {
			return Bound{}, err
		}
		paths, want, err := bindPaths(args)
		if err != nil {
			return Bound{}, err
		}
		if paths[0].wild {
			return Bound{}, fmt.Errorf("argument 2 names several values; one is wanted")
		}
		return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return f(dst, paths[0].find(a[0].Bytes(i)))
		})}, nil
	}
}

// bindJSONPathless binds a number computed from one document.
func bindJSONPathless(f func(doc []byte) (int64, bool)) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		t, err := docType(args[0], 1)
		return strict(tInt, rowInt(func(a []*vector.Vector, i int) (int64, bool) {
			doc, ok := jsonText(a[0], i)
			if !ok {
				return 0, false
			}
			return f(doc)
		}), t), err
	}
}

func jsonValues(dst, raw []byte) ([]byte, int64, bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return dst, 0, false
	}
	dst = append(dst, '[')
	start := len(dst)
	ok := eachMember(raw, func(_, value []byte) bool {
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, value...)
		return true
	})
	return append(dst, ']'), 0, ok
}

func jsonDepth(a []*vector.Vector, i int) (int64, bool) {
	doc, ok := jsonText(a[0], i)
	if !ok {
		return 0, false
	}
	deepest, depth := int64(1), int64(1)
	for at := 0; at < len(doc); {
		switch doc[at] {
		case '"':
			if at = skipString(doc, at); at < 0 {
				return 0, false
			}
			deepest = max(deepest, depth)
			continue
		case '[', '{':
			deepest = max(deepest, depth)
			depth++
		case ']', '}':
			depth--
		case ' ', '\n', '\r', '\t', ',', ':':
		default:
			deepest = max(deepest, depth)
		}
		at++
	}
	return deepest, true
}

// layOut copies valid JSON with blanks as json_pretty has them, or without any.
func layOut(dst, doc []byte, pretty bool) []byte {
	depth := 0
	line := func() {
		dst = append(dst, '\n')
		for range min(depth, maxJSONDepth) {
			dst = append(dst, ' ', ' ')
		}
	}
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; c {
		case ' ', '\n', '\r', '\t':
		case '"':
			end := skipString(doc, i)
			if end < 0 {
				return dst
			}
			dst = append(dst, doc[i:end]...)
			i = end - 1
		case '[', '{':
			dst = append(dst, c)
			depth++
			if next := skipBlank(doc, i+1); pretty && next < len(doc) && doc[next] != c+2 {
				line()
			}
		case ']', '}':
			depth--
			if last := dst[len(dst)-1]; pretty && last != c-2 {
				line()
			}
			dst = append(dst, c)
		case ',':
			if dst = append(dst, c); pretty {
				line()
			}
		case ':':
			if dst = append(dst, c); pretty {
				dst = append(dst, ' ')
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func kernelParseJSON(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
	for i := range n {
		doc := trimSpace(a[0].Bytes(i))
		if !a[0].IsNull(i) && !validJSON(doc) {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "'%s' is no JSON", clip(doc)))
		}
		out.AppendBytes(doc)
	}
}
