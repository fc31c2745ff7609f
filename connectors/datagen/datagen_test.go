package datagen

import (
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var columns = []connectors.Column{
	{Name: "id", Type: types.Of(types.Int64)}, {Name: "price", Type: types.DecimalOf(8, 2)}, {Name: "item", Type: types.Of(types.String)},
	{Name: "small", Type: types.Of(types.Int8)}, {Name: "f", Type: types.Of(types.Float64)}, {Name: "ok", Type: types.Of(types.Bool)},
	{Name: "color", Type: types.Of(types.String)}, {Name: "day", Type: types.Of(types.Date)}, {Name: "j", Type: types.Of(types.JSON)},
}

func open(t testing.TB, set map[string]string) (connectors.Source, error) {
	spec, err := connectors.Lookup("datagen")
	if err != nil {
		t.Fatal(err)
	}
	set["connector"] = "datagen"
	v, err := spec.Check(set)
	if err != nil {
		return nil, err
	}
	return spec.Source(connectors.SourceConfig{Columns: columns, Options: v})
}

func TestConforms(t *testing.T) {
	conformance.Source{Columns: columns, Rows: 5001, New: func(t testing.TB) connectors.Source {
		s, err := open(t, map[string]string{"rows_per_second": "0", "number_of_rows": "5001", "partitions": "3", "seed": "7",
			"fields.id.kind": "sequence", "fields.item.length": "5", "fields.color.values": "red,green", "fields.f.null_percent": "30"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}.Run(t)
}

func TestPacedConforms(t *testing.T) {
	conformance.Source{Columns: columns, Limit: 20, New: func(t testing.TB) connectors.Source {
		s, err := open(t, map[string]string{"rows_per_second": "20000"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}.Run(t)
}

func TestRanges(t *testing.T) {
	s, err := open(t, map[string]string{"rows_per_second": "0", "number_of_rows": "1000", "fields.id.min": "-5", "fields.id.max": "5",
		"fields.price.min": "10", "fields.price.max": "11", "fields.item.length": "3"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), connectors.Split{ID: "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := conformance.NewBatch(columns)
	if status, err := r.Read(t.Context(), b); err != nil || status != connectors.End || b.N != 1000 {
		t.Fatalf("%d rows, %v", b.N, err)
	}
	seen := map[int64]bool{}
	for i := range b.N {
		seen[b.Cols[0].I64[i]] = true
		if p, _ := b.Cols[1].I128[i].Int64(); p < 1000 || p > 1100 {
			t.Errorf("price %d", p)
		}
		if len(b.Cols[2].Bytes(i)) != 3 {
			t.Errorf("item %s", b.Cols[2].Bytes(i))
		}
	}
	if len(seen) != 11 {
		t.Errorf("%d different ids of 11", len(seen))
	}
}

func TestBadOptions(t *testing.T) {
	for _, set := range []map[string]string{
		{"fields.id.kind": "sequenc"}, {"fields.id.min": "7", "fields.id.max": "6"}, {"fields.id": "1"}, {"fields.id.size": "1"},
		{"fields.small.max": "1000"}, {"fields.item.kind": "sequence"}, {"fields.item.length": "-1"}, {"partitions": "-1"},
		{"number_of_rows": "-1"}, {"fields.id.values": "x"},
	} {
		if _, err := open(t, set); err == nil {
			t.Errorf("%v is accepted", set)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	s, err := open(t, map[string]string{"rows_per_second": "0"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), connectors.Split{ID: "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := conformance.NewBatch(columns)
	run := func() {
		b.Reset()
		if _, err := r.Read(t.Context(), b); err != nil || b.N != vector.MaxRows {
			t.Fatal(err)
		}
	}
	run()
	run()
	if n := testing.AllocsPerRun(5, run); n > 1 {
		t.Errorf("%v allocations per batch", n)
	}
}
