package file

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/conformance"
	_ "github.com/millrace/millrace/connectors/format/csv"
	"github.com/millrace/millrace/connectors/format/parquet"
	_ "github.com/millrace/millrace/connectors/format/raw"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

var testColumns = []connectors.Column{
	{Name: "id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)},
	{Name: "line", Type: types.Of(types.Int64), MetadataKey: "line"},
}

func spec(t testing.TB) *connectors.Spec {
	t.Helper()
	s, err := connectors.Lookup("file")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checked(t testing.TB, set map[string]string) connectors.Values {
	t.Helper()
	set["connector"] = "file"
	v, err := spec(t).Check(set)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func openSource(t testing.TB, cols []connectors.Column, set map[string]string) connectors.Source {
	t.Helper()
	src, err := spec(t).Source(connectors.SourceConfig{Columns: cols, Options: checked(t, set)})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func put(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJSONSourceConforms(t *testing.T) {
	dir := t.TempDir()
	var a, b strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&a, "{\"id\":%d,\"name\":\"n%d\"}\n", i, i)
		if i%1000 == 7 {
			a.WriteString("{broken\n\n{\"id\":\"x\"}\r\n")
		}
	}
	b.WriteString("\xEF\xBB\xBF" + `{"id":1,"name":"` + strings.Repeat("y", 700_000) + "\"}\n" + `{"id":2}`)
	put(t, dir, "a.jsonl", a.String())
	put(t, dir, "b.jsonl", b.String())
	put(t, dir, ".hidden", "no")
	for _, path := range []string{dir, filepath.Join(dir, "*.jsonl")} {
		conformance.Source{Columns: testColumns, Rows: 6002, Rejected: 12, New: func(t testing.TB) connectors.Source {
			return openSource(t, testColumns, map[string]string{"path": path})
		}}.Run(t)
	}
}

func TestCSVSourceConforms(t *testing.T) {
	var s strings.Builder
	s.WriteString("name,other,id\n")
	for i := range 500 {
		fmt.Fprintf(&s, "\"a \"\"quoted\"\"\nname %d\",,%d\r\n", i, i)
	}
	s.WriteString("x,y\n")
	path := put(t, t.TempDir(), "a.csv", s.String())
	conformance.Source{Columns: testColumns, Rows: 500, Rejected: 1, New: func(t testing.TB) connectors.Source {
		return openSource(t, testColumns, map[string]string{"path": path, "format": "csv"})
	}}.Run(t)
}

func TestParquetSourceConforms(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := parquet.NewWriter(f, testColumns[:2])
	if err != nil {
		t.Fatal(err)
	}
	b := conformance.NewBatch(testColumns[:2])
	for i := range 4000 {
		b.Cols[0].AppendI64(int64(i))
		b.Cols[1].AppendString(fmt.Sprint("n", i%10))
		b.EndRow(vector.Insert)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	conformance.Source{Columns: testColumns, Rows: 4000, New: func(t testing.TB) connectors.Source {
		return openSource(t, testColumns, map[string]string{"path": path, "format": "parquet"})
	}}.Run(t)
}

func TestLongLines(t *testing.T) {
	path := put(t, t.TempDir(), "a.jsonl", `{"id":1}`+"\n"+`{"name":"`+strings.Repeat("y", 2_000_000)+"\"}\n"+`{"id":3}`+"\n")
	src := openSource(t, testColumns, map[string]string{"path": path, "max_line": "1KiB"})
	r, err := src.Open(t.Context(), connectors.Split{ID: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := conformance.NewBatch(testColumns)
	for {
		status, err := r.Read(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if status == connectors.End {
			break
		}
	}
	rejected := r.Rejected()
	if b.N != 2 || len(rejected) != 1 || rejected[0].Position != path+":2" || b.Cols[2].I64[1] != 3 {
		t.Errorf("%d rows, rejected %v", b.N, len(rejected))
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jsonl")
	src := openSource(t, testColumns, map[string]string{"path": path, "follow": "true", "poll_interval": "1ms"})
	if splits, err := src.Splits(t.Context()); err != nil || len(splits) != 1 || splits[0].ID != path {
		t.Fatalf("before the file is there: %v, %v", splits, err)
	}
	r, err := src.Open(t.Context(), connectors.Split{ID: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if status, err := r.Read(t.Context(), conformance.NewBatch(testColumns)); status != connectors.Idle || err != nil {
		t.Fatalf("before the file is there: status %v, %v", status, err)
	}
	put(t, dir, "a.jsonl", `{"id":1}`+"\n"+`{"id":`)
	b := conformance.NewBatch(testColumns)
	if status, err := r.Read(t.Context(), b); status != connectors.Idle || err != nil || b.N != 1 {
		t.Fatalf("status %v, rows %d, %v", status, b.N, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		b.Reset()
		_, err := r.Read(ctx, b)
		done <- err
	}()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("2}\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := <-done; err != nil || b.N != 1 || b.Cols[0].I64[0] != 2 {
		t.Fatalf("after more was written: %d rows, %v", b.N, err)
	}
	cancel()
	b.Reset()
	if _, err := r.Read(ctx, b); err == nil {
		t.Error("a cancelled Read at the end gives no error")
	}
	// The file begins anew, shorter.
	put(t, dir, "a.jsonl", `{"id":9}`+"\n")
	for b.N == 0 {
		if _, err := r.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if b.Cols[0].I64[0] != 9 {
		t.Errorf("after truncation: %d", b.Cols[0].I64[0])
	}
	// The file is rotated away and a longer one takes its name.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "a.jsonl", `{"id":10,"name":"after rotation"}`+"\n")
	for b.Reset(); b.N == 0; {
		if _, err := r.Read(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if b.Cols[0].I64[0] != 10 {
		t.Errorf("after rotation: %d", b.Cols[0].I64[0])
	}
}

func TestSourceErrors(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "none.jsonl"), filepath.Join(dir, "*.x")} {
		src := openSource(t, testColumns, map[string]string{"path": path})
		_, err := src.Splits(t.Context())
		if e, ok := diag.As(err); !ok || e.Code != diag.FileAccess {
			t.Errorf("%s: %v", path, err)
		}
	}
	path := put(t, dir, "a.csv", "id,nam\n1,2\n")
	src := openSource(t, testColumns, map[string]string{"path": path, "format": "csv"})
	r, err := src.Open(t.Context(), connectors.Split{ID: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Read(t.Context(), conformance.NewBatch(testColumns)); err == nil || !strings.Contains(err.Error(), "a.csv:1: column 'name' is not in the header") {
		t.Errorf("header without a column: %v", err)
	}
	if _, err := src.Open(t.Context(), connectors.Split{ID: path}, connectors.Position("\xff")); err == nil {
		t.Error("a malformed position is accepted")
	}
}
