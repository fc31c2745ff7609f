package opensearch

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// These tests need a real server: OPENSEARCH_URL=$(.ci/services/opensearch.sh start).

func server(t testing.TB) string {
	t.Helper()
	url := os.Getenv("OPENSEARCH_URL")
	if url == "" {
		t.Skip("needs OPENSEARCH_URL")
	}
	return url
}

func ask(t testing.TB, s *sink, method, path string) map[string]any {
	t.Helper()
	status, answer, err := s.request(testContext(t), method, path, nil)
	if err != nil || status/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, path, status, answer, err)
	}
	var out map[string]any
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func count(t testing.TB, s *sink, index string) int {
	t.Helper()
	ask(t, s, http.MethodPost, "/"+index+"/_refresh")
	return int(ask(t, s, http.MethodGet, "/"+index+"/_count")["count"].(float64))
}

func realSink(t testing.TB, columns []connectors.Column, key []int, set map[string]string) (*sink, string) {
	t.Helper()
	index := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + fmt.Sprint("-", time.Now().UnixNano())
	all := map[string]string{"url": server(t), "index": index + set["suffix"]}
	for k, v := range set {
		if k != "suffix" {
			all[k] = v
		}
	}
	c, err := newSink(connectors.SinkConfig{ID: "job", Relation: "r", Columns: columns, Key: key, Options: values(t, all)})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	s := c.(*sink)
	t.Cleanup(func() {
		s.request(testContext(t), http.MethodDelete, "/"+index+"*?expand_wildcards=all", nil)
		s.request(testContext(t), http.MethodDelete, "/_index_template/millrace-"+index, nil)
		s.Close()
	})
	return s, index
}

// TestServerKeepsLastChange: upserts and deletes by key, delivered twice, in a real index.
func TestServerKeepsLastChange(t *testing.T) {
	s, index := realSink(t, keyColumns, []int{0}, nil)
	stages := [][]byte{
		stageOf(t, s, inserts(5000)...),
		stageOf(t, s, row{vector.UpdateAfter, 1, "changed"}, row{vector.Delete, 2, ""}, row{vector.Delete, 99_999, ""}),
	}
	for range 2 {
		for i, stage := range stages {
			if rejected, err := s.Deliver(testContext(t), uint64(i+1), stage); err != nil || len(rejected) > 0 {
				t.Fatal(rejected, err)
			}
		}
	}
	if n := count(t, s, index); n != 4999 {
		t.Errorf("%d documents, want 4999", n)
	}
	source := ask(t, s, http.MethodGet, "/"+index+"/_doc/1")["_source"].(map[string]any)
	if source["name"] != "changed" {
		t.Errorf("document 1: %v", source)
	}
}

func TestServerMapping(t *testing.T) {
	columns := []connectors.Column{
		{Name: "id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)},
		{Name: "fare", Type: types.DecimalOf(10, 2)}, {Name: "day", Type: types.Of(types.Date)},
		{Name: "ts", Type: types.Of(types.Timestamp)}, {Name: "lat", Type: types.Of(types.Float64)}, {Name: "lon", Type: types.Of(types.Float64)},
		{Name: "tags", Type: types.ArrayOf(types.Of(types.String))},
		{Name: "who", Type: types.StructOf(types.Field{Name: "age", Type: types.Of(types.Int32)})},
		{Name: "u", Type: types.Of(types.Uint64)}, {Name: "ok", Type: types.Of(types.Bool)},
	}
	s, index := realSink(t, columns, []int{0}, map[string]string{"geo_point": "location:lat,lon"})
	b := vector.NewBatch(fieldsOf(columns), 1)
	b.Cols[0].AppendI64(1)
	b.Cols[1].AppendString("a \"quoted\"\nname")
	b.Cols[2].AppendI128(types.I128(1250))
	b.Cols[3].AppendI64(20000)
	b.Cols[4].AppendI64(1_767_348_000_123_456)
	b.Cols[5].AppendF64(40.75)
	b.Cols[6].AppendF64(-73.99)
	b.Cols[7].Child[0].AppendString("x")
	b.Cols[7].EndList()
	b.Cols[8].Child[0].AppendI64(42)
	b.Cols[8].EndStruct()
	b.Cols[9].AppendI64(-1)
	b.Cols[10].AppendBool(true)
	b.EndRow(vector.Insert)
	stage, err := s.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if rejected, err := s.Deliver(testContext(t), 1, stage); err != nil || len(rejected) > 0 {
		t.Fatal(rejected, err)
	}
	m := ask(t, s, http.MethodGet, "/"+index+"/_mapping")[index].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
	for field, want := range map[string]string{"id": "long", "name": "keyword", "fare": "scaled_float", "day": "date", "ts": "date",
		"location": "geo_point", "tags": "keyword", "u": "unsigned_long", "ok": "boolean"} {
		if got := m[field].(map[string]any)["type"]; got != want {
			t.Errorf("%s is mapped to %v, want %s", field, got, want)
		}
	}
	if n := count(t, s, index); n != 1 {
		t.Errorf("%d documents", n)
	}
}

// TestServerRejects: a document that the mapping refuses is rejected with the reason, the others are written.
func TestServerRejects(t *testing.T) {
	s, index := realSink(t, keyColumns, []int{0}, map[string]string{"create_index": "false"})
	status, answer, err := s.request(testContext(t), http.MethodPut, "/"+index, []byte(`{"mappings":{"properties":{"name":{"type":"integer"}}}}`))
	if err != nil || status != 200 {
		t.Fatal(status, string(answer), err)
	}
	rejected, err := s.Deliver(testContext(t), 1, stageOf(t, s, row{vector.Insert, 1, "7"}, row{vector.Insert, 2, "seven"}))
	if err != nil || len(rejected) != 1 || !strings.Contains(rejected[0].Err.Message, "mapper_parsing_exception") {
		t.Fatalf("%+v, %v", rejected, err)
	}
	if n := count(t, s, index); n != 1 {
		t.Errorf("%d documents", n)
	}
}

// TestServerDatedIndices: rows go to the index of their day, which gets its mapping from a template.
func TestServerDatedIndices(t *testing.T) {
	columns := []connectors.Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "ts", Type: types.Of(types.Timestamp)}}
	s, index := realSink(t, columns, nil, map[string]string{"suffix": "-{ts|yyyy.MM.dd}"})
	b := vector.NewBatch(fieldsOf(columns), 3)
	for i := range int64(3) {
		b.Cols[0].AppendI64(i)
		b.Cols[1].AppendI64((20000 + i/2) * types.Day)
		b.EndRow(vector.Insert)
	}
	stage, err := s.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if rejected, err := s.Deliver(testContext(t), 5, stage); err != nil || len(rejected) > 0 {
			t.Fatal(rejected, err)
		}
	}
	if a, b := count(t, s, index+"-2024.10.04"), count(t, s, index+"-2024.10.05"); a != 2 || b != 1 {
		t.Errorf("%d and %d documents, want 2 and 1", a, b)
	}
	name := index + "-2024.10.05"
	m := ask(t, s, http.MethodGet, "/"+name+"/_mapping")[name].(map[string]any)["mappings"].(map[string]any)["properties"].(map[string]any)
	if m["ts"].(map[string]any)["type"] != "date" {
		t.Errorf("mapping %v", m)
	}
}

func BenchmarkDeliver(b *testing.B) {
	s, _ := realSink(b, keyColumns, []int{0}, nil)
	stage := stageOf(b, s, inserts(20_000)...)
	epoch := uint64(0)
	for b.Loop() {
		epoch++
		if _, err := s.Deliver(testContext(b), epoch, stage); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/doc")
}
