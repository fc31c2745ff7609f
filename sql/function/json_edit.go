package function

import (
	"fmt"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// editMode is what is done to the value at a path.
type editMode uint8

const (
	editSet          editMode = iota // replace, or add when there is none
	editInsert                       // add when there is none
	editReplace                      // replace
	editRemove                       // take away
	editAppend                       // add behind the elements of the array that stands there
	editInsertBefore                 // add before the element that stands there
)

// jsonEditFuncs is the part of the JSON table that changes documents. They copy the text around the place that changes.
func jsonEditFuncs() []*Func {
	return []*Func{
		def("json_set(doc, path, value, ..)", "The document with values set at constant paths without wildcards, one after the other: replaced where there is one, else added. A NULL value is JSON null; NULL for a document that is NULL or no JSON.", bindJSONEdit(editSet), `json_set('{"a": 1, "b": [2, 3]}', '$.a', 10, '$.c', 'x')`, `{"a": 10, "b": [2, 3], "c": "x"}`, `json_set('[1]', '$[5]', NULL)`, `[1, null]`, `json_set(NULL, '$.a', 1)`, "NULL"),
		def("json_insert(doc, path, value, ..)", "json_set that only adds.", bindJSONEdit(editInsert), `json_insert('{"a": 1}', '$.a', 10, '$.c', 2)`, `{"a": 1, "c": 2}`, `json_insert(NULL, '$.a', 1)`, "NULL"),
		def("json_replace(doc, path, value, ..)", "json_set that only replaces.", bindJSONEdit(editReplace), `json_replace('{"a": 1}', '$.a', 10, '$.c', 2)`, `{"a": 10}`, `json_replace(NULL, '$.a', 1)`, "NULL"),
		def("json_remove(doc, path, ..)", "The document without the values at constant paths.", bindJSONEdit(editRemove), `json_remove('["a", ["b", "c"], "d"]', '$[1]')`, `["a", "d"]`, `json_remove(NULL, '$.a')`, "NULL"),
		def("json_array_append(doc, path, value, ..)", "The document with values added behind the arrays at constant paths; what is no array becomes one.", bindJSONEdit(editAppend), `json_array_append('["a", ["b", "c"], "d"]', '$[1]', 1)`, `["a", ["b", "c", 1], "d"]`, `json_array_append('{"a": 1}', '$.a', 2)`, `{"a": [1, 2]}`, `json_array_append(NULL, '$', 1)`, "NULL"),
		def("json_array_insert(doc, path, value, ..)", "The document with values put before the elements at constant paths that end in an index.", bindJSONEdit(editInsertBefore), `json_array_insert('["a", {"b": [1, 2]}]', '$[1]', 'x')`, `["a", "x", {"b": [1, 2]}]`, `json_array_insert('["a"]', '$[100]', 'x')`, `["a", "x"]`, `json_array_insert(NULL, '$[0]', 1)`, "NULL"),
		def("json_merge_patch(a, b, ..)", "The documents merged as RFC 7396 says: members of b replace those of a, null ones take them away.", bindJSONMerge(mergePatch), `json_merge_patch('{"a": 1, "b": 2}', '{"a": 3, "b": null, "c": {"d": 4, "e": null}}')`, `{"a": 3, "c": {"d": 4}}`, `json_merge_patch('[1, 2]', 'true')`, "true"),
		def("json_merge_preserve(a, b, ..)", "The documents merged so that nothing is lost: arrays are joined, equal members become arrays.", bindJSONMerge(mergePreserve), `json_merge_preserve('{"a": 1}', '{"a": 3, "b": 2}')`, `{"a": [1, 3], "b": 2}`, `json_merge_preserve('[1, 2]', 'true')`, "[1, 2, true]").alias("json_merge"),
		def("json_strip_nulls(doc)", "The document without members that are null.", bindJSONDoc(tJSON, func(dst, doc []byte) ([]byte, bool) { return mergePatch(dst, nil, doc, 0), true }), `json_strip_nulls('{"a": null, "b": {"c": null}}')`, `{"b": {}}`),
	}
}

// jsonText takes the document of an argument: what is no JSON is not ok.
func jsonText(v *vector.Vector, i int) ([]byte, bool) {
	doc := trimSpace(v.Bytes(i))
	return doc, len(doc) > 0 && (v.Type.Kind == types.JSON || validJSON(doc))
}

// docType checks an argument that is to be a document.
func docType(a Arg, n int) (types.Type, error) {
	switch a.Type.Kind {
	case types.JSON:
		return tJSON, nil
	case types.String, types.Bytes, types.Null:
		return tText, nil
	}
	return tText, fmt.Errorf("argument %d must be JSON or text, not %s", n, a.Type)
}

// docTypes checks arguments that are all to be documents.
func docTypes(args []Arg) ([]types.Type, error) {
	want := make([]types.Type, len(args))
	for k, a := range args {
		var err error
		if want[k], err = docType(a, k+1); err != nil {
			return nil, err
		}
	}
	return want, nil
}

// bindJSONEdit binds doc, path, value, ..; without values for editRemove.
func bindJSONEdit(mode editMode) binder {
	step := 2
	if mode == editRemove {
		step = 1
	}
	return func(args []Arg) (Bound, error) {
		if len(args) < 1+step || (len(args)-1)%step != 0 {
			return Bound{}, countError("a document and then paths and values", len(args))
		}
		want := anyTypes(args)
		var err error
		if want[0], err = docType(args[0], 1); err != nil {
			return Bound{}, err
		}
		var paths []jsonPath
		nothing := false
		for k := 1; k < len(args); k += step {
			want[k] = tText
			if args[k].Type.Kind == types.Null {
				nothing = true
				continue
			}
			p, err := editPath(args[k], k+1, mode)
			if err != nil {
				return Bound{}, err
			}
			paths = append(paths, p)
		}
		return Bound{Ret: tJSON, ArgTypes: want, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			var buf [2][]byte
			var e jsonEdit
			e.mode = mode
			for i := range n {
				doc, ok := []byte(nil), false
				if !nothing && !a[0].IsNull(i) {
					doc, ok = jsonText(a[0], i)
				}
				if !ok {
					out.AppendNull()
					continue
				}
				for k, p := range paths {
					if mode != editRemove {
						e.value = AppendJSON(e.value[:0], a[k*2+2], i)
					}
					buf[k&1] = e.apply(buf[k&1][:0], doc, p.steps, 0)
					doc = buf[k&1]
				}
				out.AppendBytes(doc)
			}
		}}, nil
	}
}

func editPath(a Arg, n int, mode editMode) (jsonPath, error) {
	text, ok := constText(a)
	if !ok {
		return jsonPath{}, fmt.Errorf("argument %d must be a constant path such as '$.a'", n)
	}
	p, err := parsePath(text)
	switch {
	case err != nil:
		return p, err
	case p.wild:
		return p, fmt.Errorf("argument %d: the path %q names several values; one is wanted", n, text)
	case mode == editRemove && len(p.steps) == 0:
		return p, fmt.Errorf("argument %d: $ is the document, which cannot be taken out of itself", n)
	case mode == editInsertBefore && (len(p.steps) == 0 || p.steps[len(p.steps)-1].kind != stepIndex):
		return p, fmt.Errorf("argument %d: the path %q does not end in an index such as [0]", n, text)
	}
	return p, nil
}

// jsonEdit is one change: what is done, and the value in JSON.
type jsonEdit struct {
	mode  editMode
	value []byte
}

// adds tells whether a value is added where the path names none.
func (e *jsonEdit) adds() bool {
	return e.mode == editSet || e.mode == editInsert || e.mode == editInsertBefore
}

// apply copies doc with the change made at the end of the path.
func (e *jsonEdit) apply(dst, doc []byte, steps []jsonStep, depth int) []byte {
	if len(steps) == 0 {
		return e.change(dst, doc)
	}
	s := &steps[0]
	switch {
	case depth > maxJSONDepth, s.kind == stepKey && doc[0] != '{':
		return append(dst, doc...)
	case s.kind == stepIndex && doc[0] != '[':
		if s.index.n == 0 && e.mode != editRemove && e.mode != editInsertBefore {
			return e.apply(dst, doc, steps[1:], depth+1)
		}
		if len(steps) == 1 && s.index.n > 0 && !s.index.last && (e.mode == editSet || e.mode == editInsert) { // it becomes an array
			dst = append(append(append(dst, '['), doc...), ", "...)
			return append(append(dst, e.value...), ']')
		}
		return append(dst, doc...)
	}
	index := -1
	if s.kind == stepIndex {
		index = s.index.of(countMembers(doc))
	}
	return e.applyMembers(dst, doc, steps, index, depth)
}

// applyMembers copies an object or array and follows the path into the member it names.
func (e *jsonEdit) applyMembers(dst, doc []byte, steps []jsonStep, index, depth int) []byte {
	s, open := &steps[0], doc[0]
	dst = append(dst, open)
	start := len(dst)
	comma := func() {
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
	}
	at, found := 0, false
	eachMember(doc, func(key, value []byte) bool {
		hit := s.kind == stepIndex && at == index || s.kind == stepKey && sameKey(key[1:len(key)-1], s.key)
		at++
		found = found || hit
		if hit && len(steps) == 1 && e.mode == editRemove {
			return true
		}
		comma()
		if hit && len(steps) == 1 && e.mode == editInsertBefore {
			dst = append(append(dst, e.value...), ", "...)
			hit = false
		}
		if key != nil {
			dst = append(append(dst, key...), ": "...)
		}
		if hit {
			dst = e.apply(dst, value, steps[1:], depth+1)
		} else {
			dst = append(dst, value...)
		}
		return true
	})
	if !found && len(steps) == 1 && e.adds() && (s.kind == stepKey || index >= 0) {
		comma()
		if s.kind == stepKey {
			dst = append(AppendQuoted(dst, s.key), ": "...)
		}
		dst = append(dst, e.value...)
	}
	return append(dst, open+2) // ] is [ + 2, } is { + 2
}

// change makes the change at the place itself.
func (e *jsonEdit) change(dst, doc []byte) []byte {
	switch e.mode {
	case editSet, editReplace:
		return append(dst, e.value...)
	case editAppend:
		dst = append(dst, '[')
		if doc[0] != '[' {
			dst = append(dst, doc...)
		} else {
			dst = append(dst, trimSpace(doc[1:len(doc)-1])...)
		}
		if dst[len(dst)-1] != '[' || doc[0] != '[' {
			dst = append(dst, ", "...)
		}
		return append(append(dst, e.value...), ']')
	}
	return append(dst, doc...)
}

// bindJSONDoc binds a function of one document; NULL when it is no JSON.
func bindJSONDoc(ret types.Type, f func(dst, doc []byte) ([]byte, bool)) binder {
	return func(args []Arg) (Bound, error) {
		if err := arity(args, 1); err != nil {
			return Bound{}, err
		}
		t, err := docType(args[0], 1)
		return Bound{Ret: ret, ArgTypes: []types.Type{t}, Strict: true, Kernel: rowText(func(dst []byte, a []*vector.Vector, i int) ([]byte, bool) {
			doc, ok := jsonText(a[0], i)
			if !ok {
				return dst, false
			}
			return f(dst, doc)
		})}, err
	}
}

// bindJSONMerge binds documents that are merged from the left.
func bindJSONMerge(merge func(dst, a, b []byte, depth int) []byte) binder {
	return func(args []Arg) (Bound, error) {
		if len(args) < 2 {
			return Bound{}, countError("2 documents or more", len(args))
		}
		want, err := docTypes(args)
		if err != nil {
			return Bound{}, err
		}
		return Bound{Ret: tJSON, ArgTypes: want, Strict: true, Kernel: func(_ *Ctx, a []*vector.Vector, n int, out *vector.Vector) {
			var buf [2][]byte
		rows:
			for i := range n {
				var doc []byte
				for k, v := range a {
					next, ok := jsonText(v, i)
					if !ok {
						out.AppendNull()
						continue rows
					}
					if k == 0 {
						doc = next
						continue
					}
					buf[k&1] = merge(buf[k&1][:0], doc, next, 0)
					doc = buf[k&1]
				}
				out.AppendBytes(doc)
			}
		}}, nil
	}
}

// mergePatch appends a patched by b (RFC 7396). A nil a is an empty object.
func mergePatch(dst, a, b []byte, depth int) []byte {
	if b[0] != '{' || depth > maxJSONDepth {
		return append(dst, b...)
	}
	dst = append(dst, '{')
	start := len(dst)
	if len(a) > 0 && a[0] == '{' {
		eachMember(a, func(key, value []byte) bool {
			patch := memberOf(b, key)
			switch {
			case patch == nil:
				dst = appendKey(dst, start, key)
				dst = append(dst, value...)
			case patch[0] != 'n':
				dst = appendKey(dst, start, key)
				dst = mergePatch(dst, value, patch, depth+1)
			}
			return true
		})
	} else {
		a = nil
	}
	eachMember(b, func(key, value []byte) bool {
		if value[0] != 'n' && (a == nil || memberOf(a, key) == nil) {
			dst = appendKey(dst, start, key)
			dst = mergePatch(dst, nil, value, depth+1)
		}
		return true
	})
	return append(dst, '}')
}

// appendKey appends the key of an object's next member; start is where its first one begins.
func appendKey(dst []byte, start int, key []byte) []byte {
	if len(dst) > start {
		dst = append(dst, ", "...)
	}
	return append(append(dst, key...), ": "...)
}

// memberOf finds the value of an object's member whose key, with its quotes, is given; nil when there is none.
func memberOf(doc, key []byte) []byte {
	var room [128]byte
	name := key[1 : len(key)-1]
	name = unescapeJSON(room[:0], name)
	s := jsonStep{key: name}
	return whole(s.child(doc))
}

// mergePreserve appends a and b with nothing lost.
func mergePreserve(dst, a, b []byte, depth int) []byte {
	if a[0] != '{' || b[0] != '{' || depth > maxJSONDepth {
		dst = append(dst, '[')
		start := len(dst)
		for _, doc := range [...][]byte{a, b} {
			if doc[0] == '[' {
				doc = trimSpace(doc[1 : len(doc)-1])
			}
			if len(doc) > 0 && len(dst) > start {
				dst = append(dst, ", "...)
			}
			dst = append(dst, doc...)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	start := len(dst)
	eachMember(a, func(key, value []byte) bool {
		dst = appendKey(dst, start, key)
		if other := memberOf(b, key); other != nil {
			dst = mergePreserve(dst, value, other, depth+1)
		} else {
			dst = append(dst, value...)
		}
		return true
	})
	eachMember(b, func(key, value []byte) bool {
		if memberOf(a, key) == nil {
			dst = appendKey(dst, start, key)
			dst = append(dst, value...)
		}
		return true
	})
	return append(dst, '}')
}
