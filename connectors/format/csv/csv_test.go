package csv

import (
	"bytes"
	stdcsv "encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var testColumns = []connectors.Column{
	{Name: "id", Type: types.Of(types.Int64), NotNull: true},
	{Name: "name", Type: types.Of(types.String)},
	{Name: "price", Type: types.DecimalOf(10, 2)},
	{Name: "at", Type: types.Type{Kind: types.Timestamp, Precision: 0}},
}

func batch() *vector.Batch {
	var fields []types.Field
	for _, c := range testColumns {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	return vector.NewBatch(fields, 8)
}

func pair(t *testing.T, opts map[string]string) (format.HeaderDecoder, format.HeaderEncoder) {
	t.Helper()
	v, err := connectors.CheckOptions(opts, options)
	if err != nil {
		t.Fatal(err)
	}
	d, err := format.NewDecoder("csv", testColumns, v)
	if err != nil {
		t.Fatal(err)
	}
	e, err := format.NewEncoder("csv", testColumns, []int{0, 1}, v)
	if err != nil {
		t.Fatal(err)
	}
	return d.(format.HeaderDecoder), e.(format.HeaderEncoder)
}

func TestRoundTrip(t *testing.T) {
	d, e := pair(t, map[string]string{"op_field": "op"})
	if err := d.Header([]byte("\xEF\xBB\xBFname,extra,\"at\",ID,price,op\r")); err != nil {
		t.Fatal(err)
	}
	b := batch()
	for _, rec := range []string{
		`"a ""b"", c",zzz,2026-01-02 10:00:00,7,1.5,+I`, `,,,8,,-D`, `"",,,9,-0.01,U` + "\r", "\"x\ny\",,2026-01-02T10:00:00Z,10,3,+I",
	} {
		if err := d.Decode([]byte(rec), nil, b); err != nil {
			t.Fatalf("%s: %v", rec, err)
		}
	}
	var out []string
	header, _ := e.Header(nil)
	out = append(out, string(header))
	for i := range b.N {
		rec, err := e.Encode(nil, b, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(rec))
	}
	want := strings.Join([]string{"op,id,name,price,at", `+I,7,"a ""b"", c",1.50,2026-01-02T10:00:00Z`, `-D,8,,,`, `+U,9,"",-0.01,`,
		"+I,10,\"x\ny\",3.00,2026-01-02T10:00:00Z"}, "|")
	if got := strings.Join(out, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if key, ok := e.Key(nil, b, 0); !ok || string(key) != `7,"a ""b"", c"` {
		t.Errorf("key %s", key)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ rec, want string }{
		{"1,a", "the record has 2 fields, the table has 4"},
		{"1,\"a,2,", "a quoted field has no end"},
		{"1,\"a\"b,2,", "text behind a quoted field"},
		{"x,a,2,", `field 'id': "x" is no BIGINT`},
		{",a,2,", "NOT NULL"},
		{"1,\xff,2,", "not valid UTF-8"},
		{"1,a,2,2026-02-30", "is no TIMESTAMP(0)"},
	} {
		d, _ := pair(t, nil)
		b := batch()
		err := d.Decode([]byte(c.rec), nil, b)
		if err == nil || !strings.Contains(err.Message, c.want) || b.N != 0 || b.Cols[0].N != 0 {
			t.Errorf("%s: %v", c.rec, err)
		}
	}
	d, _ := pair(t, nil)
	if err := d.Header([]byte("id,nam,price,at")); err == nil || !strings.Contains(err.Error(), "did you mean 'nam'") {
		t.Errorf("header: %v", err)
	}
}

func TestFrame(t *testing.T) {
	d, _ := pair(t, nil)
	f := d.(format.Framer)
	for in, want := range map[string]int{"a,b\nc": 4, "a,b": 0, "\"a\nb\",c\nd": 8, "\"a\n": 0, "\"a\"\"\n\"\n": 7, "\"a\"": 0, "5\" x\n": 5} {
		if got := f.Frame([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

// FuzzSplit holds the splitting of records against encoding/csv: what that reads as one record has the same fields here.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{`a,"b ""c""",`, "\"x\ny\",z", `"",""`, `a"b`, "a,\r", `" a " ,b`} {
		f.Add([]byte(s))
	}
	v, _ := connectors.CheckOptions(nil, options)
	f.Fuzz(func(t *testing.T, rec []byte) {
		made, _ := format.NewDecoder("csv", testColumns, v)
		d := made.(*decoder)
		err := d.split(rec)
		if bytes.ContainsAny(rec, "\r") || len(rec) == 0 || rec[0] == '\n' || rec[len(rec)-1] == '\n' {
			return // encoding/csv turns \r\n in fields into \n and passes over empty lines
		}
		r := stdcsv.NewReader(bytes.NewReader(append(bytes.Clone(rec), '\n')))
		want, stdErr := r.Read()
		if _, more := r.Read(); stdErr != nil || !errors.Is(more, io.EOF) {
			return
		}
		if n := d.Frame(append(bytes.Clone(rec), '\n')); n != len(rec)+1 {
			t.Fatalf("%q: framed as %d bytes of %d", rec, n, len(rec)+1)
		}
		if err != nil || len(d.fields) != len(want) {
			t.Fatalf("%q: %v, %d fields, want %q", rec, err, len(d.fields), want)
		}
		for i := range want {
			if got := string(d.content(&d.fields[i])); got != want[i] {
				t.Fatalf("%q: field %d is %q, want %q", rec, i, got, want[i])
			}
		}
	})
}

// FuzzDecode checks that whatever the encoder writes of a decoded record decodes to the same again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`1,"a ""b""",2.5,2026-01-02`))
	f.Add([]byte("1,\"\n\",,\r"))
	v, _ := connectors.CheckOptions(nil, options)
	f.Fuzz(func(t *testing.T, rec []byte) {
		d, _ := format.NewDecoder("csv", testColumns, v)
		e, _ := format.NewEncoder("csv", testColumns, nil, v)
		b := batch()
		if d.Decode(rec, nil, b) != nil {
			return
		}
		once, _ := e.Encode(nil, b, 0)
		if err := d.Decode(once, nil, b); err != nil {
			t.Fatalf("%q -> %q: %v", rec, once, err)
		}
		if twice, _ := e.Encode(nil, b, 1); string(once) != string(twice) {
			t.Fatalf("%q -> %q -> %q", rec, once, twice)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	d, e := pair(t, nil)
	b, rec := batch(), []byte(`7,"a ""b""",12.50,2026-01-02T10:00:00Z`)
	var dst []byte
	run := func() {
		b.Reset()
		dst = dst[:0]
		for i := range 100 {
			if err := d.Decode(rec, nil, b); err != nil {
				t.Fatal(err)
			}
			dst, _ = e.Encode(dst, b, i)
		}
	}
	run()
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations per 100 rows", n)
	}
}
