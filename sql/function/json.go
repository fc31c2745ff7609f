package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// jsonFuncs is the table of JSON functions. They work on the text, without building a tree. Text that is no JSON gives NULL where a
// path leads into it.
func jsonFuncs() []*Func {
	all := []*Func{
		def("json_extract(doc, path, ..)", "The value at a path as JSON; with wildcards or several paths an array. NULL when there is none. Paths are constants: $ and then .name, .\"a name\", .*, [0], [last], [last-1], [1 to 3], [*], and ** for all values inside.", bindExtractJSON(false),
			`json_extract('{"a": [1, 2]}', '$.a[1]')`, "2", `json_extract('{"a": "x"}', '$.a')`, `"x"`, `json_extract('{"a": 1}', '$.b')`, "NULL", `json_extract('[1, 2, 3, 4]', '$[1 to last-1]')`, "[2, 3]", `json_extract('{"a": {"b": 1}, "c": {"b": 2}}', '$**.b')`, "[1, 2]").alias("->"),
		def("json_value(doc, path)", "The scalar at a path as text; NULL for JSON null, objects and arrays.", bindExtractJSON(true), `json_value('{"a": "x"}', '$.a')`, "x", `json_value('{"a": null}', '$.a')`, "NULL"),
		named("->>", "doc ->> path", "The value at a path as text, strings without their quotes.", bindUnquoteExtract, `'{"a": "x"}' ->> '$.a'`, "x"),
		def("json_unquote(s)", "A JSON string without quotes and escapes; other JSON as it stands.", fixed(tText, mapText(func(dst, s []byte) []byte { return unquoteJSON(dst, trimSpace(s)) }), tText), `json_unquote('"a\nb"')`, "a\nb"),
		def("json_quote(s)", "A text as JSON string.", fixed(tText, mapText(AppendQuoted), tText), `json_quote('a"b')`, `"a\"b"`, `json_array(json_quote('a'))`, `["\"a\""]`),
		def("json_valid(s)", "Whether a text is JSON.", fixed(tBool, rowInt(func(a []*vector.Vector, i int) (int64, bool) { return boolInt(validJSON(a[0].Bytes(i))), true }), tText), `json_valid('{"a": 1}')`, "1", "json_valid('{a}')", "0"),
		def("json_length(doc) | json_length(doc, path)", "How many members or elements; 1 for scalars.", bindJSONPath(tInt, jsonLength), `json_length('[1, 2, 3]')`, "3", `json_length('{"a": [1]}', '$.a')`, "1"),
		def("json_type(doc) | json_type(doc, path)", "OBJECT, ARRAY, STRING, INTEGER, DOUBLE, BOOLEAN or NULL.", bindJSONPath(tText, jsonType), `json_type('[1]')`, "ARRAY", `json_type('1.5')`, "DOUBLE"),
		def("json_keys(doc) | json_keys(doc, path)", "The names of an object's members as JSON array.", bindJSONPath(tJSON, jsonKeys), `json_keys('{"a": 1, "b": 2}')`, `["a", "b"]`),
		def("json_exists(doc, path)", "Whether there is a value at a path.", bindJSONExists, `json_exists('{"a": null}', '$.a')`, "1", `json_exists('{"a": 1}', '$.b')`, "0"),
		def("json_elements(doc)", "The elements of a JSON array as ARRAY<JSON>; NULL when it is none. In FROM as rows: UNNEST(doc).", bindJSONElements, `json_elements('[1, {"a": 2}]')`, `[1, {"a": 2}]`, `json_elements('{}')`, "NULL"),
		def("json_object(key, value, ..)", "A JSON object.", bindJSONObject, "json_object('a', 1, 'b', 'x')", `{"a": 1, "b": "x"}`, "json_object('a', NULL)", `{"a": null}`),
		def("json_array(a, b, ..)", "A JSON array.", bindJSONArray, "json_array(1, 'x', NULL)", `[1, "x", null]`),
		def("to_json(x)", "Any value as JSON.", bindToJSON, "to_json('a')", `"a"`),
	}
	return family("json", append(append(all, jsonEditFuncs()...), jsonSearchFuncs()...)...)
}

// bindPaths compiles the constant paths from argument 1 on.
func bindPaths(args []Arg) ([]jsonPath, []types.Type, error) {
	if len(args) < 2 {
		return nil, nil, countError("a document and a path", len(args))
	}
	if args[0].Type.Class() != types.ClassBytes && args[0].Type.Kind != types.Null {
		return nil, nil, fmt.Errorf("argument 1 must be JSON or text, not %s", args[0].Type)
	}
	want := []types.Type{tText}
	var paths []jsonPath
	for k, a := range args[1:] {
		text, ok := constText(a)
		if !ok {
			return nil, nil, fmt.Errorf("argument %d must be a constant path such as '$.a'", k+2)
		}
		p, err := parsePath(text)
		if err != nil {
			return nil, nil, err
		}
		paths, want = append(paths, p), append(want, tText)
	}
	return paths, want, nil
}

func bindExtractJSON(scalar bool) binder {
	return func(args []Arg) (Bound, error) {
		paths, want, err := bindPaths(args)
		if err != nil {
			return Bound{}, err
		}
		if scalar {
			if len(paths) != 1 {
				return Bound{}, arityError(2, 2, len(args))
			}
			return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
				raw := paths[0].find(a[0].Bytes(i))
				if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || raw[0] == 'n' {
					return dst, false
				}
				return unquoteJSON(dst, raw), true
			})}, nil
		}
		return Bound{Ret: tJSON, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			return extractPaths(dst, a[0].Bytes(i), paths)
		})}, nil
	}
}

// extractPaths appends the one value, or an array of all values that paths with wildcards or several paths name.
func extractPaths(dst, doc []byte, paths []jsonPath) ([]byte, bool) {
	if len(paths) == 1 && !paths[0].wild {
		raw := paths[0].find(doc)
		return append(dst, raw...), len(raw) > 0
	}
	start := len(dst)
	dst = append(dst, '[')
	for _, p := range paths {
		dst = p.collect(dst, doc, start+1)
	}
	if len(dst) == start+1 {
		return dst[:start], false
	}
	return append(dst, ']'), true
}

func bindUnquoteExtract(args []Arg) (Bound, error) {
	if err := arity(args, 2); err != nil {
		return Bound{}, err
	}
	paths, want, err := bindPaths(args)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tText, ArgTypes: want, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
		if paths[0].wild {
			return extractPaths(dst, a[0].Bytes(i), paths)
		}
		raw := paths[0].find(a[0].Bytes(i))
		return unquoteJSON(dst, raw), len(raw) > 0
	})}, nil
}

// bindJSONPath binds a function of the value at an optional path; its result is NULL when ok is false.
func bindJSONPath(ret types.Type, f func(dst, raw []byte) (text []byte, n int64, ok bool)) binder {
	return func(args []Arg) (Bound, error) {
		path := jsonPath{}
		want := []types.Type{tText}
		if len(args) != 1 {
			paths, argTypes, err := bindPaths(args)
			if err != nil {
				return Bound{}, err
			}
			path, want = paths[0], argTypes
		} else if _, err := match(args, 1, []types.Type{tText}); err != nil {
			return Bound{}, err
		}
		kernel := rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			text, _, ok := f(dst, path.find(a[0].Bytes(i)))
			return text, ok
		})
		if ret.Kind == types.Int64 {
			kernel = rowInt(func(a []*vector.Vector, i int) (int64, bool) {
				_, n, ok := f(nil, path.find(a[0].Bytes(i)))
				return n, ok
			})
		}
		return Bound{Ret: ret, ArgTypes: want, Strict: true, Kernel: kernel}, nil
	}
}

func jsonLength(dst, raw []byte) ([]byte, int64, bool) {
	if len(raw) == 0 {
		return dst, 0, false
	}
	if raw[0] != '{' && raw[0] != '[' {
		return dst, 1, true
	}
	n := int64(0)
	ok := eachMember(raw, func(_, _ []byte) bool { n++; return true })
	return dst, n, ok
}

func jsonType(dst, raw []byte) ([]byte, int64, bool) {
	if len(raw) == 0 {
		return dst, 0, false
	}
	name := "INTEGER"
	switch raw[0] {
	case '{':
		name = "OBJECT"
	case '[':
		name = "ARRAY"
	case '"':
		name = "STRING"
	case 't', 'f':
		name = "BOOLEAN"
	case 'n':
		name = "NULL"
	default:
		for _, c := range raw {
			if c == '.' || c == 'e' || c == 'E' {
				name = "DOUBLE"
			}
		}
	}
	return append(dst, name...), 0, true
}

func jsonKeys(dst, raw []byte) ([]byte, int64, bool) {
	if len(raw) == 0 || raw[0] != '{' {
		return dst, 0, false
	}
	start := len(dst)
	dst = append(dst, '[')
	ok := eachMember(raw, func(key, _ []byte) bool {
		if len(dst) > start+1 {
			dst = append(dst, ", "...)
		}
		dst = append(dst, key...)
		return true
	})
	return append(dst, ']'), 0, ok
}

func bindJSONExists(args []Arg) (Bound, error) {
	paths, want, err := bindPaths(args)
	if err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tBool, ArgTypes: want, Strict: true, Kernel: rowInt(func(a []*vector.Vector, i int) (int64, bool) {
		for _, p := range paths {
			if !p.each(a[0].Bytes(i), func([]byte) bool { return false }) {
				return 1, true
			}
		}
		return 0, true
	})}, nil
}

func anyTypes(args []Arg) []types.Type {
	want := make([]types.Type, len(args))
	for i, a := range args {
		want[i] = a.Type
	}
	return want
}

func bindJSONObject(args []Arg) (Bound, error) {
	if len(args)%2 != 0 {
		return Bound{}, countError("pairs of keys and values", len(args))
	}
	want := anyTypes(args)
	for i := 0; i < len(want); i += 2 {
		want[i] = tText
	}
	kernel := func(ctx *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.Data = append(out.Data, '{')
			for k := 0; k < len(a); k += 2 {
				if k > 0 {
					out.Data = append(out.Data, ", "...)
				}
				if a[k].IsNull(i) {
					ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "the key of a JSON object is NULL"))
				}
				out.Data = AppendQuoted(out.Data, a[k].Bytes(i))
				out.Data = append(out.Data, ": "...)
				out.Data = AppendJSON(out.Data, a[k+1], i)
			}
			out.Data = append(out.Data, '}')
			out.EndBytes()
		}
	}
	return Bound{Ret: tJSON, ArgTypes: want, Kernel: showing(kernel)}, nil
}

func bindJSONArray(args []Arg) (Bound, error) {
	kernel := func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.Data = append(out.Data, '[')
			for k, v := range a {
				if k > 0 {
					out.Data = append(out.Data, ", "...)
				}
				out.Data = AppendJSON(out.Data, v, i)
			}
			out.Data = append(out.Data, ']')
			out.EndBytes()
		}
	}
	return Bound{Ret: tJSON, ArgTypes: anyTypes(args), Kernel: showing(kernel)}, nil
}

func bindJSONElements(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	if !accepts(tJSON, args[0].Type) {
		return Bound{}, fmt.Errorf("argument 1 must be JSON, not %s", args[0].Type)
	}
	return strict(types.ArrayOf(tJSON), func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		elems := out.Child[0]
		add := func(_, value []byte) bool { elems.AppendBytes(value); return true }
		for i := range n {
			doc, start := trimSpace(a[0].Bytes(i)), elems.N
			if len(doc) == 0 || doc[0] != '[' || !eachMember(doc, add) {
				elems.Truncate(start)
				out.AppendNull()
				continue
			}
			out.EndList()
		}
	}, tText), nil
}

func bindToJSON(args []Arg) (Bound, error) {
	if err := arity(args, 1); err != nil {
		return Bound{}, err
	}
	return Bound{Ret: tJSON, ArgTypes: anyTypes(args), Strict: true, Kernel: showing(func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
		for i := range n {
			out.Data = AppendJSON(out.Data, a[0], i)
			out.EndBytes()
		}
	})}, nil
}
