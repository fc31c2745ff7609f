package parquet

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var testColumns = []connectors.Column{
	{Name: "id", Type: types.Of(types.Int64)}, {Name: "small", Type: types.Of(types.Int16)}, {Name: "u", Type: types.Of(types.Uint64)},
	{Name: "name", Type: types.Of(types.String)}, {Name: "ok", Type: types.Of(types.Bool)}, {Name: "f", Type: types.Of(types.Float64)},
	{Name: "g", Type: types.Of(types.Float32)}, {Name: "price", Type: types.DecimalOf(10, 2)}, {Name: "big", Type: types.DecimalOf(38, 3)},
	{Name: "day", Type: types.Of(types.Date)}, {Name: "at", Type: types.Of(types.Timestamp)}, {Name: "raw", Type: types.Of(types.Bytes)},
	{Name: "wide", Type: types.DecimalOf(65, 10)}, {Name: "year", Type: types.Of(types.Year)}, {Name: "e", Type: types.EnumOf("red", "green")},
	{Name: "set", Type: types.SetOf("a", "b", "c")}, {Name: "p", Type: types.Of(types.Point)},
}

func newBatch(cols []connectors.Column) *vector.Batch {
	var fields []types.Field
	for _, c := range cols {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	return vector.NewBatch(fields, 16)
}

// fillRow appends row i; every fifth value is NULL.
func fillRow(t *testing.T, b *vector.Batch, i int) {
	t.Helper()
	var times format.Times
	for c, v := range b.Cols {
		if (i+c)%5 == 0 {
			v.AppendNull()
			continue
		}
		text := fmt.Sprint(i)
		switch v.Type.Kind {
		case types.Bool:
			text = fmt.Sprint(i%2 == 0)
		case types.Int16:
			text = fmt.Sprint(-(i % 1000))
		case types.Uint64:
			text = fmt.Sprint(uint64(1)<<63 + uint64(i))
		case types.Decimal:
			text = fmt.Sprintf("-%d.25", i)
		case types.Date:
			text = "2026-02-03"
		case types.Timestamp:
			text = fmt.Sprintf("2026-02-03 04:05:06.%06d", i)
		case types.Bytes:
			text = "AAEC"
		case types.Year:
			text = fmt.Sprint(1970 + i%50)
		case types.Enum:
			text = fmt.Sprint(1 + i%2)
		case types.Set:
			text = "a,c"
		case types.Point:
			text = fmt.Sprintf("POINT(%d.5 -1.25)", i%180)
		}
		if !times.AppendText(v, []byte(text)) {
			t.Fatalf("%s is no %s", text, v.Type)
		}
	}
	b.EndRow(vector.Insert)
}

func render(b *vector.Batch, i int) string {
	var dst []byte
	for _, v := range b.Cols {
		if v.IsNull(i) {
			dst = append(dst, "NULL"...)
		} else {
			dst = format.AppendScalar(dst, v, i, format.TimeISO)
		}
		dst = append(dst, '|')
	}
	return string(dst)
}

func writeFile(t *testing.T, rows int) (string, []string) {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, testColumns)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := 0; i < rows; {
		b := newBatch(testColumns)
		for ; i < rows && b.N < 700; i++ {
			fillRow(t, b, i)
			want = append(want, render(b, b.N-1))
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, want
}

func TestRoundTripAndSkip(t *testing.T) {
	path, want := writeFile(t, 3000)
	for _, from := range []int64{0, 1, 699, 2999, 3000} {
		r, err := Open(path, testColumns)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SkipTo(from); err != nil {
			t.Fatal(err)
		}
		var got []string
		for r.Row() < r.Rows() {
			b := newBatch(testColumns)
			if err := r.Read(b, 1000); err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				got = append(got, render(b, i))
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want[from:]) {
			t.Errorf("from row %d: %d rows differ from the %d written", from, len(got), len(want)-int(from))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestErrors(t *testing.T) {
	path, _ := writeFile(t, 10)
	for _, c := range []struct {
		col  connectors.Column
		code diag.Code
	}{
		{connectors.Column{Name: "nam", Type: types.Of(types.String)}, diag.MissingField},
		{connectors.Column{Name: "name", Type: types.Of(types.Int64)}, diag.TypeMismatch},
		{connectors.Column{Name: "name", Type: types.ArrayOf(types.Of(types.String))}, diag.TypeMismatch},
	} {
		_, err := Open(path, []connectors.Column{c.col})
		if e, ok := diag.As(err); !ok || e.Code != c.code {
			t.Errorf("%v: %v", c.col, err)
		}
	}
	r, err := Open(path, []connectors.Column{{Name: "id", Type: types.Of(types.Int8)}, {Name: "l", Type: types.Of(types.Int64), MetadataKey: "line"}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := newBatch([]connectors.Column{{Type: types.Of(types.Int8)}, {Type: types.Of(types.Int64)}})
	if err := r.Read(b, 4096); err != nil || b.N != 10 || b.Cols[1].I64[9] != 10 {
		t.Errorf("reading with projection: %v", err)
	}
	// Damaged files give errors, not panics.
	data, _ := os.ReadFile(path)
	for cut := 0; cut < len(data); cut += 97 {
		bad := bytes.Clone(data)
		for i := cut; i < min(cut+40, len(bad)); i++ {
			bad[i] ^= 0x55
		}
		name := filepath.Join(t.TempDir(), "bad.parquet")
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := Open(name, testColumns); err == nil {
			_ = r.Read(newBatch(testColumns), 4096)
			r.Close()
		}
	}
}
