package nexmark

import (
	"fmt"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/vector"
)

func open(t testing.TB, set map[string]string) (connectors.Source, []connectors.Column) {
	t.Helper()
	spec, err := connectors.Lookup("nexmark")
	if err != nil {
		t.Fatal(err)
	}
	set["connector"] = "nexmark"
	v, err := spec.Check(set)
	if err != nil {
		t.Fatal(err)
	}
	cols := spec.Columns(v)
	src, err := spec.Source(connectors.SourceConfig{Columns: cols, Options: v})
	if err != nil {
		t.Fatal(err)
	}
	return src, cols
}

func TestConforms(t *testing.T) {
	for _, stream := range []string{"all", "bid", "auction", "person"} {
		set := map[string]string{"stream": stream, "events": "701", "partitions": "2"}
		_, cols := open(t, set)
		conformance.Source{Columns: cols, Rows: 701, New: func(t testing.TB) connectors.Source {
			src, _ := open(t, set)
			return src
		}}.Run(t)
	}
}

// TestRawAgrees decodes the JSON column and holds it against the typed columns, and a stream against its part of the whole.
func TestRawAgrees(t *testing.T) {
	read := func(stream string, events int) (*vector.Batch, []connectors.Column) {
		src, cols := open(t, map[string]string{"stream": stream, "events": fmt.Sprint(events), "rate": "1000"})
		r, err := src.Open(t.Context(), connectors.Split{ID: "0"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := conformance.NewBatch(cols)
		if _, err := r.Read(t.Context(), b); err != nil || b.N != events {
			t.Fatalf("%d rows, %v", b.N, err)
		}
		return b, cols
	}
	for _, stream := range []string{"all", "bid", "auction", "person"} {
		b, cols := read(stream, 500)
		typed := cols[:len(cols)-1]
		if stream == "all" {
			typed = typed[:len(typed)-1] // dateTime is not in the envelope
		}
		d, err := format.NewDecoder("json", typed, connectors.Values{})
		if err != nil {
			t.Fatal(err)
		}
		raw, size := b.Cols[len(cols)-1], 0
		again := conformance.NewBatch(typed)
		for i := range b.N {
			size += len(raw.Bytes(i))
			if err := d.Decode(raw.Bytes(i), nil, again); err != nil {
				t.Fatalf("%s: %v", raw.Bytes(i), err)
			}
			want := *b
			want.Cols = b.Cols[:len(typed)]
			if got, want := conformance.Render(again, i), conformance.Render(&want, i); got != want {
				t.Fatalf("row %d of %s: raw has\n%s, columns have\n%s", i, stream, got, want)
			}
		}
		t.Logf("%s: %d bytes a row", stream, size/b.N)
	}
}

func BenchmarkBids(b *testing.B) {
	src, cols := open(b, map[string]string{"stream": "bid"})
	r, err := src.Open(b.Context(), connectors.Split{ID: "0"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	batch := conformance.NewBatch(cols)
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if _, err := r.Read(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*vector.MaxRows), "ns/row")
}
