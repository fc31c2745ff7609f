package taxi

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var rewrite = flag.Bool("rewrite", false, "write the history files of examples/taxi/data anew")

func open(t testing.TB, set map[string]string) (connectors.Source, []connectors.Column, error) {
	t.Helper()
	spec, err := connectors.Lookup("taxi")
	if err != nil {
		t.Fatal(err)
	}
	set["connector"] = "taxi"
	v, err := spec.Check(set)
	if err != nil {
		return nil, nil, err
	}
	cols := spec.Columns(v)
	src, err := spec.Source(connectors.SourceConfig{Columns: cols, Options: v})
	return src, cols, err
}

// read reads rows of partition 0.
func read(t testing.TB, rows int, set map[string]string) (*vector.Batch, []connectors.Column) {
	t.Helper()
	set["events"], set["pace"] = fmt.Sprint(rows), "fast"
	src, cols, err := open(t, set)
	if err != nil {
		t.Fatal(err)
	}
	r, err := src.Open(t.Context(), connectors.Split{ID: "0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := conformance.NewBatch(cols)
	if _, err := r.Read(t.Context(), b); err != nil || b.N != rows {
		t.Fatalf("%d rows, %v", b.N, err)
	}
	return b, cols
}

func TestConforms(t *testing.T) {
	for stream := range streams {
		set := map[string]string{"stream": stream, "events": "900", "partitions": "3", "pace": "fast", "out_of_order": "5s", "late_percent": "2",
			"duplicate_percent": "5", "malformed_percent": "3"}
		_, cols, err := open(t, set)
		if err != nil {
			t.Fatal(err)
		}
		conformance.Source{Columns: cols, Rows: 900, New: func(t testing.TB) connectors.Source {
			src, _, _ := open(t, set)
			return src
		}}.Run(t)
	}
}

// TestRawAgrees decodes the message of each row and holds it against the typed columns.
func TestRawAgrees(t *testing.T) {
	for stream := range streams {
		b, cols := read(t, 600, map[string]string{"stream": stream, "out_of_order": "5s"})
		typed := cols[:len(cols)-1]
		d, err := format.NewDecoder("json", typed, connectors.Values{})
		if err != nil {
			t.Fatal(err)
		}
		again := conformance.NewBatch(typed)
		plain := *b
		plain.Cols = b.Cols[:len(typed)]
		for i := range b.N {
			raw := b.Cols[len(typed)].Bytes(i)
			if err := d.Decode(raw, nil, again); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if got, want := conformance.Render(again, i), conformance.Render(&plain, i); got != want {
				t.Fatalf("row %d of %s: raw has\n%s, columns have\n%s", i, stream, got, want)
			}
		}
	}
}

// TestStreamsAgree looks every fare up among the trips: same vehicle, zone, distance; and the tariff's version explains the fare.
func TestStreamsAgree(t *testing.T) {
	fares, _ := read(t, 2000, map[string]string{"stream": "fares"})
	trips, _ := read(t, 4000, map[string]string{"stream": "trips"})
	ended := map[int64]int{}
	for i := range trips.N {
		if string(trips.Cols[4].Bytes(i)) == "ended" {
			ended[trips.Cols[0].I64[i]] = i
		}
	}
	versions := map[string]bool{}
	for i := range fares.N {
		j, ok := ended[fares.Cols[0].I64[i]]
		if !ok || fares.Cols[3].I64[i] != trips.Cols[3].I64[j] || fares.Cols[4].I64[i] != trips.Cols[5].I64[j] || fares.Cols[6].F64[i] != trips.Cols[8].F64[j] {
			t.Fatalf("fare %d has no trip that fits it", fares.Cols[0].I64[i])
		}
		v := tariffAt(fares.Cols[5].I64[i], fares.Cols[3].I64[i])
		versions[fmt.Sprint(v.id, v.validFrom)] = true
		if want := v.base + int64(float64(v.perKm)*fares.Cols[6].F64[i]) + v.perMinute*4; fares.Cols[7].I128[i] != types.I128(want) {
			t.Errorf("fare %v, want %d", fares.Cols[7].I128[i], want)
		}
	}
	if len(versions) < 4 {
		t.Errorf("only the tariff versions %v are used", versions)
	}
}

func TestTroubles(t *testing.T) {
	const rows = 4000
	b, cols := read(t, rows, map[string]string{"rate": "1000", "out_of_order": "5s", "late_percent": "5", "duplicate_percent": "10", "malformed_percent": "4"})
	d, err := format.NewDecoder("json", cols[:len(cols)-1], connectors.Values{})
	if err != nil {
		t.Fatal(err)
	}
	broken, duplicates, disordered, late, hot := 0, 0, 0, 0, 0
	seen, newest := map[string]bool{}, int64(0)
	scratch := conformance.NewBatch(cols[:len(cols)-1])
	for i := range b.N {
		raw := b.Cols[len(cols)-1].Bytes(i)
		if d.Decode(raw, nil, scratch) != nil {
			broken++
		}
		row := conformance.Render(b, i)
		if seen[row] {
			duplicates++
		}
		seen[row] = true
		at := b.Cols[3].I64[i]
		if at < newest {
			disordered++
		}
		if at < newest-5*types.Second {
			late++
		}
		newest = max(newest, at)
		if b.Cols[9].F64[i] > 105 {
			hot++
		}
		if lat, speed := b.Cols[5].F64[i], b.Cols[7].F64[i]; lat < 52.2 || lat > 52.7 || speed < 0 || speed > 130 {
			t.Fatalf("an impossible row: %s", row)
		}
	}
	for _, c := range []struct {
		what         string
		n, low, high int
	}{{"broken", broken, 100, 240}, {"duplicate", duplicates, 280, 520}, {"out of order", disordered, 800, 3000}, {"late", late, 100, 320}, {"overheated", hot, 1, 400}} {
		if c.n < c.low || c.n > c.high {
			t.Errorf("%d rows of %d are %s, want %d to %d", c.n, rows, c.what, c.low, c.high)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, set := range []map[string]string{{"drivers": "0"}, {"rate": "0"}, {"late_percent": "101"}, {"late_percent": "x"}, {"malformed_percent": "NaN"},
		{"start": "soon"}, {"trip_seconds": "0"}, {"partitions": "-1"}, {"stream": "planes"}} {
		if _, _, err := open(t, set); err == nil {
			t.Errorf("%v is accepted", set)
		}
	}
}

// TestHistory holds the files of the example against what WriteHistory makes.
func TestHistory(t *testing.T) {
	const drivers = 200
	dir := filepath.Join("..", "..", "examples", "taxi", "data")
	if *rewrite {
		if err := WriteHistory(dir, drivers); err != nil {
			t.Fatal(err)
		}
	}
	files, err := HistoryFiles(drivers)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v); go test ./connectors/taxi -rewrite writes it anew", name, err)
		}
	}
}

func BenchmarkPositions(b *testing.B) {
	src, cols, err := open(b, map[string]string{"pace": "fast", "out_of_order": "5s"})
	if err != nil {
		b.Fatal(err)
	}
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
