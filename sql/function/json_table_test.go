package function

import (
	"testing"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// tableForTests has columns of every sort, two nested levels side by side and one within.
func tableForTests(tb testing.TB) Bound {
	tb.Helper()
	bound, err := BindJSONTable("$.a[*]", []JSONColumn{
		{Name: "n", Ordinality: true},
		{Name: "i", Type: types.Of(types.Int32), Path: "$.i", OnEmpty: JSONFallback{Error: true}},
		{Name: "s", Type: tText, Path: "$.s"},
		{Name: "j", Type: tJSON, Path: "$.*"},
		{Name: "x", Type: tBool, Path: "$**.x", Exists: true},
		{Path: "$.l[*]", Nested: []JSONColumn{{Name: "l", Type: types.DecimalOf(6, 2), Path: "$", OnError: JSONFallback{Error: true}},
			{Path: "$[*]", Nested: []JSONColumn{{Name: "m", Type: tDate, Path: "$"}}}}},
		{Path: "$.k[last]", Nested: []JSONColumn{{Name: "k", Type: types.ArrayOf(tInt), Path: "$"}}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return bound
}

// FuzzJSONTable: whatever the document, the table is well-formed, and what is no JSON is an error.
func FuzzJSONTable(f *testing.F) {
	for _, s := range []string{`{"a": [{"i": 1, "s": "x", "l": [1, [2, "2026-01-02"], "y"], "k": [[1], [2, 3]]}, 5, null, {"x": {"x": 1}}]}`, `{"a": {}}`, `[`, ``, `{"a": [{"l": [[[]]]}]}`} {
		f.Add([]byte(s))
	}
	bound := tableForTests(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		in, out := vector.New(tText, 3), vector.New(bound.Ret, 0)
		in.AppendNull()
		in.AppendBytes(doc)
		in.AppendString("{}")
		var ctx Ctx
		bound.Kernel(&ctx, []*vector.Vector{in, nil}, 3, out)
		if out.N != 3 || !out.IsNull(0) || listLen(out, 0) != 0 || listLen(out, 2) != 0 {
			t.Fatalf("%d rows", out.N)
		}
		for _, c := range out.Child[0].Child {
			if c.N != listLen(out, 1) || c.N != out.Child[0].N {
				t.Fatalf("%s: %d values of %d", c.Type, c.N, listLen(out, 1))
			}
		}
		if !validJSON(doc) && len(ctx.Errs) == 0 {
			t.Fatal("no error")
		}
		for _, e := range ctx.Errs {
			if e.Row != 1 {
				t.Fatalf("an error of row %d", e.Row)
			}
		}
		AppendText(nil, out, 1)
	})
}

func BenchmarkJSONTable(b *testing.B) {
	bound, err := BindJSONTable("$.lines[*]", []JSONColumn{{Name: "n", Ordinality: true}, {Name: "sku", Type: tText, Path: "$.sku"}, {Name: "qty", Type: tInt, Path: "$.qty"}})
	if err != nil {
		b.Fatal(err)
	}
	in, out := vector.New(tText, 1024), vector.New(bound.Ret, 0)
	for range 1024 {
		in.AppendString(`{"id": 7, "lines": [{"sku": "abc", "qty": 2}, {"sku": "def", "qty": 1}, {"sku": "ghi", "qty": 12}, {"sku": "jkl"}]}`)
	}
	var ctx Ctx
	for b.Loop() {
		out.Reset()
		bound.Kernel(&ctx, []*vector.Vector{in, nil}, in.N, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(out.Child[0].N), "ns/made-row")
}
