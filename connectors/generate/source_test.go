package generate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func numbers() Row {
	return func(n, start int64, dst *vector.Batch) {
		dst.Cols[0].AppendI64(n)
		dst.EndRow(vector.Insert)
	}
}

func newBatch() *vector.Batch {
	return vector.NewBatch([]types.Field{{Name: "n", Type: types.Of(types.Int64)}}, 16)
}

// TestPace reads a second at 1,000 rows a second, and after a pause of nobody reading what became due meanwhile.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, err := NewSource(Options{PerSecond: 1000, Splits: 2, NewRow: numbers})
		if err != nil {
			t.Fatal(err)
		}
		r, err := src.Open(t.Context(), connectors.Split{ID: "1"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		begin, rows, reads := time.Now(), 0, 0
		for time.Since(begin) < time.Second {
			b := newBatch()
			if _, err := r.Read(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if b.Cols[0].I64[0] != int64(2*rows+1) {
				t.Fatalf("row %d is %d", rows, b.Cols[0].I64[0])
			}
			rows, reads = rows+b.N, reads+1
		}
		if rows < 499 || rows > 501 || reads > 501 {
			t.Errorf("%d rows in %d reads, want 500", rows, reads)
		}
		position := r.Position()
		time.Sleep(time.Second)
		r, err = src.Open(t.Context(), connectors.Split{ID: "1"}, position)
		if err != nil {
			t.Fatal(err)
		}
		b := newBatch()
		if _, err := r.Read(t.Context(), b); err != nil || b.N < 499 || b.N > 502 {
			t.Errorf("after a second of nobody reading: %d rows, %v", b.N, err)
		}
	})
}

func TestEnds(t *testing.T) {
	src, err := NewSource(Options{Rows: 7, Splits: 3, NewRow: numbers})
	if err != nil {
		t.Fatal(err)
	}
	for split, want := range map[string]int{"0": 3, "1": 2, "2": 2} {
		r, err := src.Open(t.Context(), connectors.Split{ID: split}, nil)
		if err != nil {
			t.Fatal(err)
		}
		b := newBatch()
		status, err := r.Read(t.Context(), b)
		if status != connectors.End || err != nil || b.N != want || r.Lag() != 0 {
			t.Errorf("split %s: %d rows, status %v, %v", split, b.N, status, err)
		}
	}
	for _, bad := range []connectors.Position{{}, {1}, {0xff}} {
		if _, err := src.Open(t.Context(), connectors.Split{ID: "0"}, bad); err == nil {
			t.Errorf("position %x is accepted", bad)
		}
	}
	if _, err := src.Open(t.Context(), connectors.Split{ID: "3"}, nil); err == nil {
		t.Error("split 3 of 3 is opened")
	}
}

// TestRandom: the same row gives the same numbers, neighbours give others, and ranges hold.
func TestRandom(t *testing.T) {
	seen := map[uint64]bool{}
	for row := range int64(1000) {
		a, b := At(1, row, 2), At(1, row, 2)
		x := a.Next()
		if x != b.Next() || seen[x] {
			t.Fatalf("row %d", row)
		}
		seen[x] = true
		if v := a.Between(-3, 3); v < -3 || v > 3 {
			t.Errorf("%d is not in -3..3", v)
		}
		if f := a.Float(); f < 0 || f >= 1 {
			t.Errorf("%v is not in [0, 1)", f)
		}
		if n := len(a.Letters(nil, int(row%40))); n != int(row%40) {
			t.Errorf("%d letters", n)
		}
	}
}
