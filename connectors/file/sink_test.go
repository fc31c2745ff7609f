package file

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var sinkColumns = testColumns[:2]

func newTestSink(t testing.TB, id string, set map[string]string) connectors.Sink {
	t.Helper()
	s, err := spec(t).Sink(connectors.SinkConfig{ID: id, Columns: sinkColumns, Options: checked(t, set)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func epochBatch(t testing.TB, n int) *vector.Batch {
	b := conformance.NewBatch(sinkColumns)
	for i := range n {
		conformance.Fill(t, b, sinkColumns, connectors.Values{}, fmt.Sprintf(`{"id":%d,"name":"row %d"}`, n, i))
	}
	b.Cols[0].SetNull(0)
	return b
}

func lines(path string) func(t testing.TB) []string {
	return func(t testing.TB) []string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(data), "\n")
	}
}

func TestSinkConforms(t *testing.T) {
	for _, format := range []string{"json", "csv"} {
		t.Run(format, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			conformance.Sink{Batch: epochBatch, Content: lines(path), New: func(t testing.TB) connectors.Sink {
				return newTestSink(t, "job/out", map[string]string{"path": path, "format": format})
			}}.Run(t)
			if format == "csv" && lines(path)(t)[0] != "id,name" {
				t.Error("the file has no header")
			}
		})
	}
}

func TestParquetSinkConforms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	conformance.Sink{Batch: epochBatch, New: func(t testing.TB) connectors.Sink {
		return newTestSink(t, "job/out", map[string]string{"path": dir, "format": "parquet"})
	}, Content: func(t testing.TB) []string {
		src := openSource(t, sinkColumns, map[string]string{"path": filepath.Join(dir, "*.parquet"), "format": "parquet"})
		splits, err := src.Splits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, sp := range splits {
			r, err := src.Open(t.Context(), sp, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := conformance.NewBatch(sinkColumns)
			if _, err := r.Read(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for i := range b.N {
				out = append(out, conformance.Render(b, i))
			}
			r.Close()
		}
		slices.Sort(out)
		return out
	}}.Run(t)
}

// TestTornDelivery leaves behind what a crash in the middle of a delivery leaves.
func TestTornDelivery(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	set := map[string]string{"path": path}
	s := newTestSink(t, "a", set)
	deliver := func(s connectors.Sink, n int) {
		t.Helper()
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		stage, err := s.Encode(nil, epochBatch(t, n))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Deliver(t.Context(), uint64(n), stage); err != nil {
			t.Fatal(err)
		}
	}
	deliver(s, 1)
	s.Close()
	whole := lines(path)(t)
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(strings.Repeat("torn", 100))
	f.Close()
	s = newTestSink(t, "a", set)
	deliver(s, 2)
	s.Close()
	if got := lines(path)(t); len(got) != 4 || got[0] != whole[0] || strings.Contains(got[1], "torn") {
		t.Errorf("after a torn delivery: %q", got)
	}

	// Another job appends, refuses, or replaces.
	s = newTestSink(t, "b", map[string]string{"path": path, "if_exists": "append"})
	deliver(s, 1)
	s.Close()
	if got := lines(path)(t); len(got) != 5 {
		t.Errorf("appended: %q", got)
	}
	s = newTestSink(t, "c", map[string]string{"path": path, "if_exists": "fail"})
	if e, ok := diag.As(s.Open(t.Context())); !ok || e.Code != diag.FileAccess {
		t.Error("if_exists='fail' does not fail")
	}
	s = newTestSink(t, "d", set)
	deliver(s, 1)
	s.Close()
	if got := lines(path)(t); !slices.Equal(got, whole) {
		t.Errorf("replaced: %q", got)
	}
	if err := s.(*sink).Forget(); err != nil {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("after Forget: %v", entries)
	}
	// A file that has lost delivered rows is not quietly continued.
	s = newTestSink(t, "d", set)
	deliver(s, 1)
	s.Close()
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	if err := newTestSink(t, "d", set).Open(t.Context()); err == nil {
		t.Error("a file that became shorter is continued")
	}
}

// TestParallelWriters delivers from several sinks of a job at once, and again after a restart with one more.
func TestParallelWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	const writers, epochs = 3, 5
	run := func(from uint64, n int) {
		var wg sync.WaitGroup
		for w := range n {
			s := newTestSink(t, fmt.Sprintf("job.out.%d", w), map[string]string{"path": path})
			if err := s.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				defer s.Close()
				for e := from; e <= epochs; e++ {
					stage, err := s.Encode(nil, epochBatch(t, int(e)))
					if err != nil {
						t.Error(err)
					}
					if _, err := s.Deliver(t.Context(), e, stage); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	run(1, writers)
	if got := lines(path)(t); len(got) != writers*15+1 {
		t.Errorf("%d lines", len(got)-1)
	}
	run(4, writers)
	if got := lines(path)(t); len(got) != writers*15+1 {
		t.Errorf("after a restart that delivers epochs 4 and 5 again: %d lines", len(got)-1)
	}
	run(5, writers+1) // the new one delivers epoch 5
	if got := lines(path)(t); len(got) != writers*15+5+1 {
		t.Errorf("with one more writer: %d lines", len(got)-1)
	}
}

func TestSinkErrors(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "no", "out.jsonl"), dir} {
		err := newTestSink(t, "a", map[string]string{"path": path}).Open(t.Context())
		if e, ok := diag.As(err); !ok || e.Code != diag.FileAccess {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestChangelogSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.jsonl")
	v := checked(t, map[string]string{"path": path, "op_field": "op"})
	if m := spec(t).SinkMode(v, true); m != connectors.Retract {
		t.Errorf("mode %v", m)
	}
	s := newTestSink(t, "a", map[string]string{"path": path, "op_field": "op"})
	b := conformance.NewBatch(sinkColumns)
	conformance.Fill(t, b, sinkColumns, v, `{"id":1,"op":"+I"}`, `{"id":1,"op":"-U"}`, `{"id":2,"op":"+U"}`)
	b.Sel = []int32{1, 2}
	stage, err := s.Encode(nil, b)
	if want := `{"id":1,"name":null,"op":"-U"}` + "\n" + `{"id":2,"name":null,"op":"+U"}` + "\n"; err != nil || string(stage) != want {
		t.Errorf("%s, %v", stage, err)
	}
}

// TestNoAllocations: encoding rows into a stage that is large enough allocates nothing.
func TestNoAllocations(t *testing.T) {
	cols := []connectors.Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "price", Type: types.DecimalOf(12, 2)},
		{Name: "at", Type: types.Of(types.Timestamp)}, {Name: "name", Type: types.Of(types.String)}, {Name: "f", Type: types.Of(types.Float64)}}
	for _, format := range []string{"json", "csv"} {
		s, err := spec(t).Sink(connectors.SinkConfig{ID: "x", Columns: cols, Options: checked(t, map[string]string{"path": "x", "format": format})})
		if err != nil {
			t.Fatal(err)
		}
		b := conformance.NewBatch(cols)
		for range 200 {
			conformance.Fill(t, b, cols, connectors.Values{}, `{"id":123,"price":99.05,"at":"2026-01-02T03:04:05.000006Z","name":"a \"b\"","f":1.25}`)
		}
		stage := make([]byte, 0, 1<<20)
		if n := testing.AllocsPerRun(10, func() { stage, _ = s.Encode(stage[:0], b) }); n != 0 {
			t.Errorf("%s: %v allocations for %d rows", format, n, b.N)
		}
	}
}
