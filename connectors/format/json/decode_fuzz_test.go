package json

import (
	"bytes"
	stdjson "encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
)

var fuzzColumns = []connectors.Column{
	{Name: "i", Type: types.Of(types.Int64)}, {Name: "s", Type: types.Of(types.String)}, {Name: "f", Type: types.Of(types.Float64)},
	{Name: "j", Type: types.Of(types.JSON)}, {Name: "t", Type: types.Type{Kind: types.Timestamp, Precision: 3}},
	{Name: "o", Type: types.StructOf(types.Field{Name: "i", Type: types.Of(types.Int64)},
		types.Field{Name: "a", Type: types.ArrayOf(types.Of(types.String))})},
}

var fuzzSeeds = []string{
	`{"i":1,"s":"x","f":1.5,"j":{"a":[1,2,{"b":null}]},"t":"2026-01-02T10:00:00.000Z","o":{"i":7,"a":["x","y"]}}`,
	`{"o":{"a":[null,"\ud83d\ude00"],"i":-1},"f":1e-7,"s":"\u0041\n","i":-9223372036854775808,"skip":[{"x":[[]]},"\\",0.5e+9]}`,
	`{"i":1,"i":2,"s":null,"s":"\ud800","x":{"i":5},"j":[],"j":"é"}`, `{ "i" : 12 , "t" : 1767348000123 }`, `{}`, `[`, `{"i":01}`,
	`{"o":{},"o":null}`, `{"s":"a\u0000b","\u0069":3}`, `{"f":-0,"f":123456789012345678}`, `{"a":"` + "\x7f" + `"}`,
}

// FuzzDecode holds the decoder against encoding/json: the same records are well-formed, and strings, numbers and kept text agree.
func FuzzDecode(f *testing.F) {
	for _, s := range fuzzSeeds {
		f.Add([]byte(s))
	}
	d, b := makeDecoder(f, fuzzColumns, nil)
	f.Fuzz(func(t *testing.T, rec []byte) {
		b.Reset()
		err := d.Decode(rec, nil, b)
		for _, c := range b.Cols {
			if c.N != b.N {
				t.Fatalf("%q: a column has %d rows, the batch %d", rec, c.N, b.N)
			}
		}
		if !utf8.Valid(rec) {
			return // encoding/json replaces what is not UTF-8
		}
		var want map[string]stdjson.RawMessage
		stdErr := stdjson.Unmarshal(rec, &want)
		if err == nil {
			if stdErr != nil || want == nil {
				t.Fatalf("%q: accepted, encoding/json says %v", rec, stdErr)
			}
			compare(t, rec, want)
			return
		}
		if stdErr == nil && want != nil && err.Code == 4001 && !bytes.Contains(rec, bytes.Repeat([]byte("["), 50)) {
			t.Fatalf("%q: %v, but encoding/json accepts it", rec, err)
		}
	})
}

// compare decodes rec once more and holds each column against encoding/json.
func compare(t *testing.T, rec []byte, want map[string]stdjson.RawMessage) {
	d, b := makeDecoder(t, fuzzColumns, nil)
	if err := d.Decode(rec, nil, b); err != nil {
		t.Fatalf("%q: a fresh decoder says %v", rec, err)
	}
	for i, name := range []string{"i", "s", "f", "j"} {
		raw, present := want[name]
		v := b.Cols[i]
		if null := !present || string(raw) == "null"; null && name != "j" || !present {
			if !v.IsNull(0) {
				t.Fatalf("%q: %s is not NULL", rec, name)
			}
			continue
		}
		switch name {
		case "i":
			var x int64
			if stdjson.Unmarshal(raw, &x) == nil && x != v.I64[0] {
				t.Fatalf("%q: i is %d, want %d", rec, v.I64[0], x)
			}
		case "s":
			var x string
			if stdjson.Unmarshal(raw, &x) == nil && x != string(v.Bytes(0)) {
				t.Fatalf("%q: s is %q, want %q", rec, v.Bytes(0), x)
			}
		case "f":
			var x float64
			if stdjson.Unmarshal(raw, &x) == nil && math.Float64bits(x) != math.Float64bits(v.F64[0]) {
				t.Fatalf("%q: f is %v, want %v", rec, v.F64[0], x)
			}
		case "j":
			if string(raw) == "null" && v.IsNull(0) {
				continue
			}
			if !bytes.Equal(bytes.TrimSpace(raw), v.Bytes(0)) {
				t.Fatalf("%q: j is %q, want %q", rec, v.Bytes(0), raw)
			}
		}
	}
}
