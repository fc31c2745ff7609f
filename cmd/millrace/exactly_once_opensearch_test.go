package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"
)

// searchPage is how many documents one search gives at most.
const searchPage = 5000

// documentIndices are what searchPipeline writes, each with the field that orders its documents.
var documentIndices = map[string]string{"totals": "k", "windows": "first_id", "rows": "id"}

// searchPipeline feeds OpenSearch in the three ways there are: a running result by key, final windows by key, an append stream without key.
func searchPipeline(prefix, url string) string {
	sink := func(index string) string {
		return fmt.Sprintf("connector='opensearch', url='%s', index='%s%s'", url, prefix, index)
	}
	return fmt.Sprintf(`
SET checkpoint_interval = '40ms';
CREATE SOURCE gen (id BIGINT, k BIGINT, v BIGINT) WITH (connector='datagen', number_of_rows='%d', rows_per_second='%d', seed='7',
  'fields.id.kind'='sequence', 'fields.id.start'='0', 'fields.k.min'='0', 'fields.k.max'='19', 'fields.v.min'='1', 'fields.v.max'='1000');
CREATE VIEW timed AS SELECT id, k, v, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL id * 10000 MICROSECOND AS ts FROM gen;
CREATE SINK totals (k BIGINT, n BIGINT, total BIGINT, last_id BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (%s);
INSERT INTO totals SELECT k, COUNT(*), SUM(v), MAX(id) FROM gen GROUP BY k;
CREATE SINK windows (bucket BIGINT, k BIGINT, n BIGINT, first_id BIGINT, PRIMARY KEY (bucket, k) NOT ENFORCED) WITH (%s);
INSERT INTO windows SELECT id DIV 1000, k, COUNT(*), MIN(id) FROM gen GROUP BY id DIV 1000, k;
CREATE SINK row_docs (id BIGINT, w BIGINT) WITH (%s);
INSERT INTO row_docs SELECT id, v * 2 FROM gen WHERE v > 900;
`, killRows, rowsPerSecond/2, sink("totals"), sink("windows"), sink("rows"))
}

// elastic asks an OpenSearch server for JSON.
func elastic(t *testing.T, method, url string, body, into any) int {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, answer)
		}
	}
	return resp.StatusCode
}

// documents reads every document of an index, without ids: those of an append stream are the run's own.
func documents(t *testing.T, url, index, order string) []string {
	t.Helper()
	elastic(t, http.MethodPost, url+"/"+index+"/_refresh", nil, nil)
	var docs []string
	var after []any
	for {
		query := map[string]any{"size": searchPage, "sort": []any{map[string]any{order: "asc"}, map[string]any{"_doc": "asc"}},
			"query": map[string]any{"match_all": map[string]any{}}}
		if after != nil {
			query["search_after"] = after
		}
		var found struct {
			Hits struct {
				Hits []struct {
					Source json.RawMessage `json:"_source"`
					Sort   []any           `json:"sort"`
				} `json:"hits"`
			} `json:"hits"`
		}
		if status := elastic(t, http.MethodPost, url+"/"+index+"/_search", query, &found); status != http.StatusOK {
			t.Fatalf("searching %s: status %d", index, status)
		}
		for _, h := range found.Hits.Hits {
			docs = append(docs, index[strings.IndexByte(index, '-')+1:]+" "+string(h.Source))
			after = h.Sort
		}
		if len(found.Hits.Hits) < searchPage {
			break
		}
	}
	sort.Strings(docs)
	return docs
}

// allDocuments reads the indices of one run and removes them.
func allDocuments(t *testing.T, url, prefix string) []string {
	t.Helper()
	var all []string
	for index, order := range documentIndices {
		var count struct{ Count int }
		elastic(t, http.MethodPost, url+"/"+prefix+index+"/_refresh", nil, nil)
		elastic(t, http.MethodGet, url+"/"+prefix+index+"/_count", map[string]any{}, &count)
		docs := documents(t, url, prefix+index, order)
		if len(docs) != count.Count || count.Count == 0 {
			t.Errorf("%s: read %d documents of %d", index, len(docs), count.Count)
		}
		for i := range docs {
			docs[i] = index + docs[i][strings.IndexByte(docs[i], ' '):]
		}
		all = append(all, docs...)
		elastic(t, http.MethodDelete, url+"/"+prefix+index, nil, nil)
	}
	return all
}

// TestExactlyOnceOpenSearch kills the engine, or stops it, again and again while it feeds a real OpenSearch, and compares the documents
// with those of an undisturbed run.
func TestExactlyOnceOpenSearch(t *testing.T) {
	url := os.Getenv("OPENSEARCH_URL")
	if url == "" {
		t.Skip("OPENSEARCH_URL is not set")
	}
	run := fmt.Sprintf("x%d", time.Now().UnixNano())
	calm := &session{t: t, bin: millrace(t), dir: filepath.Join(t.TempDir(), "calm")}
	calm.finish(searchPipeline(run+"calm-", url))
	want := allDocuments(t, url, run+"calm-")

	t.Run("killed", func(t *testing.T) {
		rng, seed := seeded(t)
		s := &session{t: t, bin: millrace(t), dir: filepath.Join(t.TempDir(), "killed")}
		sql := searchPipeline(run+"killed-", url)
		for range kills {
			s.killed(sql, time.Duration(80+rng.IntN(250))*time.Millisecond)
		}
		s.finish(sql)
		compareRows(t, want, allDocuments(t, url, run+"killed-"))
		t.Logf("%d documents, seed %d", len(want), seed)
	})
	t.Run("stopped", func(t *testing.T) {
		s := &session{t: t, bin: millrace(t), dir: filepath.Join(t.TempDir(), "stopped")}
		s.stopped(searchPipeline(run+"stopped-", url))
		compareRows(t, want, allDocuments(t, url, run+"stopped-"))
	})
}

func seeded(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1)), seed
}

// stops is how many times a run is ended with SIGTERM.
const stops = 6

// stopped runs the pipeline with stops and at last to its end.
func (s *session) stopped(sql string) {
	s.t.Helper()
	rng, _ := seeded(s.t)
	for range stops {
		p := begin(s.t, "", sql, "run", "-", "--data-dir", s.dir)
		time.Sleep(time.Duration(150+rng.IntN(400)) * time.Millisecond)
		if code := p.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
			s.t.Fatalf("a stopped run ends with code %d\n%s", code, p.stderr())
		}
	}
	s.finish(sql)
}

// TestExactlyOnceUnderStops ends the engine with SIGTERM several times, with its embedded broker and, if there is one, with a real Kafka.
func TestExactlyOnceUnderStops(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for some seconds")
	}
	for _, brokers := range slices.Compact([]string{"", os.Getenv("KAFKA_BROKERS")}) {
		prefix := fmt.Sprintf("y%d-", time.Now().UnixNano())
		calm := &session{t: t, bin: millrace(t), dir: filepath.Join(t.TempDir(), "calm"+brokers)}
		calm.finish(pipeline(prefix+"calm-", brokers))
		want := calm.read(collect(prefix+"calm-", brokers))
		s := &session{t: t, bin: millrace(t), dir: filepath.Join(t.TempDir(), "stopped"+brokers)}
		s.stopped(pipeline(prefix+"stopped-", brokers))
		compareRows(t, want, s.read(collect(prefix+"stopped-", brokers)))
	}
}
