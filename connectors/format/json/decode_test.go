package json

import (
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func values(t testing.TB, set map[string]string) connectors.Values {
	t.Helper()
	v, err := connectors.CheckOptions(set, options)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func makeDecoder(t testing.TB, cols []connectors.Column, opts map[string]string) (format.Decoder, *vector.Batch) {
	t.Helper()
	d, err := format.NewDecoder("json", cols, values(t, opts))
	if err != nil {
		t.Fatal(err)
	}
	fields := make([]types.Field, len(cols))
	for i, c := range cols {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	return d, vector.NewBatch(fields, 16)
}

func makeEncoder(t testing.TB, cols []connectors.Column, key []int, opts map[string]string) format.Encoder {
	t.Helper()
	e, err := format.NewEncoder("json", cols, key, values(t, opts))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestValues decodes one value per column type and writes it again: what comes out says what was understood.
func TestValues(t *testing.T) {
	ts3 := types.Type{Kind: types.Timestamp, Precision: 3}
	for _, c := range []struct {
		typ     types.Type
		in, out string // out: the value again, or ! and part of the error
	}{
		{types.Of(types.Int64), `9223372036854775807`, `9223372036854775807`},
		{types.Of(types.Int64), `-9223372036854775808`, `-9223372036854775808`},
		{types.Of(types.Int64), `9223372036854775808`, `!field 'x': 9223372036854775808 is no BIGINT`},
		{types.Of(types.Int64), `"12"`, `12`},
		{types.Of(types.Int64), `" 12"`, `!is no BIGINT`},
		{types.Of(types.Int64), `"0x1"`, `!is no BIGINT`},
		{types.Of(types.Int64), `1.0`, `1`},
		{types.Of(types.Int64), `1.50e1`, `15`},
		{types.Of(types.Int64), `0.000e-7`, `0`},
		{types.Of(types.Int64), `1.5`, `!is no BIGINT`},
		{types.Of(types.Int64), `1e400`, `!is no BIGINT`},
		{types.Of(types.Int64), `01`, `!malformed`},
		{types.Of(types.Int64), `-`, `!malformed`},
		{types.Of(types.Int64), `true`, `!field 'x': true is no BIGINT`},
		{types.Of(types.Int64), `{"a":1}`, `!field 'x': {"a":1} is no BIGINT`},
		{types.Of(types.Int64), `[1,`, `!malformed`},
		{types.Of(types.Int8), `128`, `!is no TINYINT`},
		{types.Of(types.Uint64), `18446744073709551615`, `18446744073709551615`},
		{types.Of(types.Uint8), `-1`, `!is no TINYINT UNSIGNED`},
		{types.Of(types.Float64), `0.1`, `0.1`},
		{types.Of(types.Float64), `-0`, `-0`},
		{types.Of(types.Float64), `1e308`, `1e+308`},
		{types.Of(types.Float64), `1e309`, `!is no DOUBLE`},
		{types.Of(types.Float64), `123456789012345678901234567890.5`, `1.2345678901234568e+29`},
		{types.Of(types.Float32), `0.1`, `0.1`},
		{types.Of(types.Float32), `1e39`, `!is no FLOAT`},
		{types.DecimalOf(10, 2), `12.345`, `12.35`},
		{types.DecimalOf(10, 2), `-0.01`, `-0.01`},
		{types.DecimalOf(10, 2), `"7"`, `7.00`},
		{types.DecimalOf(10, 2), `123456789`, `!is no DECIMAL(10,2)`},
		{types.DecimalOf(38, 0), `12345678901234567890123456789012345678`, `12345678901234567890123456789012345678`},
		{types.DecimalOf(20, 10), `1e5`, `100000.0000000000`},
		{types.Of(types.Bool), `true`, `true`},
		{types.Of(types.Bool), `"false"`, `false`},
		{types.Of(types.Bool), `2`, `!is no BOOLEAN`},
		{types.Of(types.String), `"a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00\ud800x"`, `"a\"\\/\u0008\u000c\n\r\té` + "é😀\uFFFDx\""},
		{types.Of(types.String), `12.50`, `"12.50"`},
		{types.Of(types.String), `false`, `"false"`},
		{types.Of(types.String), `{}`, `!is no VARCHAR`},
		{types.Of(types.String), "\"a\x01\"", `!control character`},
		{types.Of(types.String), "\"a\xff\"", `!invalid UTF-8`},
		{types.Of(types.String), `"\x"`, `!invalid escape`},
		{types.Of(types.String), `"\u12g4"`, `!invalid escape`},
		{types.Of(types.Bytes), `"AAH/"`, `"AAH/"`},
		{types.Of(types.Bytes), `"*"`, `!is no VARBINARY`},
		{types.Of(types.JSON), `{"a" : [1, "}" , null]}`, `{"a" : [1, "}" , null]}`},
		{types.Of(types.JSON), `[1}`, `!malformed`},
		{types.Of(types.Date), `"2026-02-28"`, `"2026-02-28"`},
		{types.Of(types.Date), `"2026-02-30"`, `!is no DATE`},
		{types.Type{Kind: types.Time, Precision: 0}, `"10:20:30"`, `"10:20:30"`},
		{ts3, `"2026-01-02T10:00:00.1239Z"`, `"2026-01-02T10:00:00.123Z"`},
		{ts3, `"2026-01-02 10:00:00"`, `"2026-01-02T10:00:00.000Z"`},
		{ts3, `"2026-01-02T10:00:00.5+02:00"`, `"2026-01-02T08:00:00.500Z"`},
		{ts3, `"2026-02-30T10:00:00Z"`, `!is no TIMESTAMP(3)`},
		{ts3, `1767348000123`, `"2026-01-02T10:00:00.123Z"`},
		{ts3, `1e300`, `!is no TIMESTAMP(3)`},
		{ts3, `99999999999999999`, `!is no TIMESTAMP(3)`},
		{types.Of(types.Datetime), `"2026-01-02 10:00:00.5"`, `"2026-01-02T10:00:00.500000"`},
		{types.ArrayOf(types.Of(types.Int32)), `[1, null ,3]`, `[1,null,3]`},
		{types.ArrayOf(types.Of(types.Int32)), `[]`, `[]`},
		{types.ArrayOf(types.Of(types.Int32)), `[1,]`, `!malformed`},
		{types.ArrayOf(types.Of(types.Int32)), `[1,"x"]`, `!field 'x[]': "x" is no INT`},
		{types.MapOf(types.Of(types.String), types.Of(types.Int64)), `{"a":1,"b":null,"a":3}`, `{"b":null,"a":3}`},
		{types.MapOf(types.Of(types.Int64), types.Of(types.Bool)), `{"7":true}`, `{"7":true}`},
		{types.StructOf(types.Field{Name: "a", Type: types.Of(types.Int64)}, types.Field{Name: "b", Type: types.Of(types.String)}),
			`{"b":"y","z":[{}],"a":5}`, `{"a":5,"b":"y"}`},
		{types.StructOf(types.Field{Name: "a", Type: types.Of(types.Int64)}), `{"a":{}}`, `!field 'x.a': {} is no BIGINT`},
		{types.StructOf(types.Field{Name: "a", Type: types.Of(types.Int64)}), `null`, `null`},
		{types.StructOf(types.Field{Name: "a", Type: types.ArrayOf(types.Of(types.String))}), `{"a":["p","q"],"a":["r"]}`, `{"a":["r"]}`},
	} {
		cols := []connectors.Column{{Name: "x", Type: c.typ}}
		d, b := makeDecoder(t, cols, nil)
		// The good row before shows that an error takes back exactly its own row.
		if err := d.Decode([]byte(`{"x":null}`), nil, b); err != nil {
			t.Fatal(err)
		}
		err := d.Decode([]byte(`{"pad":1,"x":`+c.in+`}`), nil, b)
		if want, bad := strings.CutPrefix(c.out, "!"); bad {
			if err == nil || !strings.Contains(err.Message, want) || b.N != 1 || b.Cols[0].N != 1 {
				t.Errorf("%s as %s: error %v, rows %d, want %s", c.in, c.typ, err, b.N, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s as %s: %v", c.in, c.typ, err)
			continue
		}
		if got := AppendValue(nil, b.Cols[0], 1, format.TimeISO); string(got) != c.out {
			t.Errorf("%s as %s: %s, want %s", c.in, c.typ, got, c.out)
		}
	}
}

func TestRecords(t *testing.T) {
	cols := []connectors.Column{{Name: "a", Type: types.Of(types.Int64), NotNull: true}, {Name: "b", Type: types.Of(types.String)}}
	for _, c := range []struct {
		in   string
		code diag.Code // 0: a row
	}{
		{`{"a":1,"b":"x"}`, 0}, {` {"b" : "x" , "a" : 1 } `, 0}, {`{"a":1}`, 0}, {`{"a":1,"a":2,"b":null,"b":null}`, 0},
		{`{"a":1,"\u0062":"y"}`, 0}, {`{"b":"x"}`, diag.MissingField}, {`{"a":null}`, diag.MissingField}, {`{"a":"q"}`, diag.FieldType},
		{``, diag.MalformedRecord}, {`[]`, diag.MalformedRecord}, {`{"a":1}}`, diag.MalformedRecord}, {`{"a":1,}`, diag.MalformedRecord},
		{`{"a":1 "b":2}`, diag.MalformedRecord}, {`{"a":1,"c":01}`, diag.MalformedRecord}, {`{"a":1,"c":[1}}`, diag.MalformedRecord},
		{`{"a":1,"c":"` + "\x01" + `"}`, diag.MalformedRecord}, {`{"a":1,"c":"` + "\xc3" + `"}`, diag.MalformedRecord},
		{`{"a":1,"c":-}`, diag.MalformedRecord}, {`{"a":1,"c":1.}`, diag.MalformedRecord}, {`{"a":1,"c":nul}`, diag.MalformedRecord},
		{`{"a":1,"c":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + `}`, diag.MalformedRecord},
		{`{"a":1,"c":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`, 0},
		{`{a:1}`, diag.MalformedRecord}, {`{"a":1`, diag.MalformedRecord}, {`{"a"`, diag.MalformedRecord}, {`{`, diag.MalformedRecord},
	} {
		d, b := makeDecoder(t, cols, nil)
		for range 2 { // the second time with learnt keys
			b.Reset()
			err := d.Decode([]byte(c.in), nil, b)
			var code diag.Code
			if err != nil {
				code = err.Code
			}
			if code != c.code || (err == nil) != (b.N == 1) || b.Cols[0].N != b.N || b.Cols[1].N != b.N {
				t.Errorf("%s: %v, rows %d", c.in, err, b.N)
			}
		}
	}
}

func TestOpFieldAndMetadata(t *testing.T) {
	cols := []connectors.Column{{Name: "k", Type: types.Of(types.Int64)}, {Name: "off", Type: types.Of(types.Int64), MetadataKey: "offset"},
		{Name: "hdr", Type: types.Of(types.JSON), MetadataKey: "headers"}}
	d, b := makeDecoder(t, cols, map[string]string{"op_field": "op"})
	meta := &format.Meta{Offset: 41, Headers: []format.Header{{Key: "h", Value: []byte("v")}}}
	for _, rec := range []string{`{"k":1,"op":"+I"}`, `{"op":"-U","k":1}`, `{"k":2,"op":"+U"}`, `{"k":2,"op":"-D"}`} {
		if err := d.Decode([]byte(rec), meta, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Decode([]byte(`{"k":1}`), meta, b); err == nil || err.Code != diag.MissingField {
		t.Errorf("record without change kind: %v", err)
	}
	if err := d.Decode([]byte(`{"k":1,"op":"x"}`), meta, b); err == nil || err.Code != diag.FieldType {
		t.Errorf("record with a wrong change kind: %v", err)
	}
	e := makeEncoder(t, cols, []int{0}, map[string]string{"op_field": "op"})
	var got []string
	for i := range b.N {
		rec, _ := e.Encode(nil, b, i)
		got = append(got, string(rec))
	}
	want := `{"k":1,"op":"+I"} {"k":1,"op":"-U"} {"k":2,"op":"+U"} {"k":2,"op":"-D"}`
	if strings.Join(got, " ") != want {
		t.Errorf("got %s", got)
	}
	if key, ok := e.Key(nil, b, 3); !ok || string(key) != "2" {
		t.Errorf("key %s", key)
	}
	if b.Cols[1].I64[3] != 41 || string(b.Cols[2].Bytes(0)) != `{"h":"v"}` {
		t.Error("metadata columns are wrong")
	}
}
