package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cluster plays an OpenSearch server that answers bulk requests as a script says.
type cluster struct {
	mu     sync.Mutex
	script []string                   // guarded by mu; one word per bulk request, the last one goes on
	docs   map[string]json.RawMessage // guarded by mu; by id
	newest map[string]int64           // guarded by mu; version by id
	bulks  int                        // guarded by mu
	server *httptest.Server
}

// poison marks the document that the cluster refuses for good.
const poison = `"id":13,`

func newScripted(addr string, script ...string) (*cluster, error) {
	c := &cluster{script: script, docs: map[string]json.RawMessage{}, newest: map[string]int64{}}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	c.server = httptest.NewUnstartedServer(c)
	c.server.Listener.Close()
	c.server.Listener = l
	c.server.Start()
	return c, nil
}

// play replaces the script.
func (c *cluster) play(script ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script = script
}

func (c *cluster) count() int { c.mu.Lock(); defer c.mu.Unlock(); return len(c.docs) }

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		fmt.Fprintln(w, `{"acknowledged":true,"version":{"number":"2.11.0","distribution":"opensearch"}}`)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bulks++
	mode := c.script[0]
	if len(c.script) > 1 {
		c.script = c.script[1:]
	}
	switch mode {
	case "429", "503":
		w.WriteHeader(map[string]int{"429": http.StatusTooManyRequests, "503": http.StatusServiceUnavailable}[mode])
		fmt.Fprintf(w, `{"error":{"type":"scripted","reason":"no, %s"},"status":%s}`, mode, mode)
	case "reset":
		hang(w)
	case "lost": // the documents are written, the answer never comes
		c.bulk(r, false)
		hang(w)
	default:
		items := c.bulk(r, mode == "items429")
		fmt.Fprintf(w, `{"errors":true,"items":[%s]}`, strings.Join(items, ","))
	}
}

// hang cuts the connection.
func hang(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an end
	}
	conn.Close()
}

// bulk carries out a request; with some, every second document is told to come later.
func (c *cluster) bulk(r *http.Request, some bool) []string {
	var items []string
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 16<<20)
	for n := 0; lines.Scan(); n++ {
		var action struct {
			Index struct {
				ID      string `json:"_id"`
				Version int64  `json:"version"`
			}
		}
		if json.Unmarshal(lines.Bytes(), &action) != nil || action.Index.ID == "" {
			return []string{`{"index":{"status":500}}`}
		}
		lines.Scan()
		doc := append(json.RawMessage(nil), lines.Bytes()...)
		id, version := action.Index.ID, action.Index.Version
		status, reason := http.StatusCreated, ""
		switch {
		case some && n%2 == 1:
			status, reason = http.StatusTooManyRequests, "es_rejected_execution_exception"
		case strings.Contains(string(doc), poison):
			status, reason = http.StatusBadRequest, "mapper_parsing_exception"
		case c.newest[id] >= version:
			status, reason = http.StatusConflict, "version_conflict_engine_exception"
		default:
			c.docs[id], c.newest[id] = doc, version
		}
		item := fmt.Sprintf(`{"index":{"status":%d`, status)
		if reason != "" {
			item += fmt.Sprintf(`,"error":{"type":"%s","reason":"scripted"}`, reason)
		}
		items = append(items, item+"}}")
	}
	return items
}

const clusterRows = 4000

// feed is a job that writes clusterRows documents, one of which the cluster refuses.
func feed(url string, pace int) string {
	return fmt.Sprintf(`SET checkpoint_interval = '50ms';
CREATE SOURCE g (id BIGINT, k BIGINT) WITH (connector='datagen', number_of_rows='%d', rows_per_second='%d', seed='3',
  'fields.id.kind'='sequence', 'fields.id.start'='0', 'fields.k.min'='0', 'fields.k.max'='9');
CREATE SINK s (id BIGINT, k BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH (connector='opensearch', index='docs', url='%s', connect_timeout='5s');
INSERT INTO s SELECT id, k FROM g;`, clusterRows, pace, url)
}

// complete checks that the cluster has every document but the refused one, which is in the table errors.
func (c *cluster) complete(t *testing.T, errors answer) {
	t.Helper()
	if n := c.count(); n != clusterRows-1 {
		t.Errorf("%d documents, want %d", n, clusterRows-1)
	}
	wantErrors(t, errorRows(t, errors.want(t, exitOK)), [][2]string{{"MR-4103", poison}})
}

const selectErrors = "SELECT relation, position, code, message, raw FROM errors"

// TestOpenSearchFaults: whatever the cluster answers for a while, every document arrives, and the bad one is in the table errors.
func TestOpenSearchFaults(t *testing.T) {
	for _, script := range [][]string{
		{"429", "429", "ok"}, {"items429", "items429", "items429", "ok"}, {"503", "ok", "503", "ok"}, {"reset", "ok", "reset", "ok"},
		{"lost", "ok", "lost", "lost", "ok"},
	} {
		t.Run(script[0], func(t *testing.T) {
			dir := t.TempDir()
			c, err := newScripted("127.0.0.1:0", script...)
			if err != nil {
				t.Fatal(err)
			}
			defer c.server.Close()
			command(t, dir, feed(c.server.URL, 20_000), "run", "-", "--data-dir", "data", "--until", "eof").want(t, exitOK)
			c.complete(t, command(t, dir, "", "sql", "--data-dir", "data", "--format", "jsonl", "-e", selectErrors))
		})
	}
}

// TestOpenSearchAway: a cluster that does not take documents shows in the job's state, and what has waited arrives when it is back, even
// when the server was stopped meanwhile.
func TestOpenSearchAway(t *testing.T) {
	dir := t.TempDir()
	c, err := newScripted("127.0.0.1:0", "ok")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { c.server.Close() }()
	s := startServer(t, filepath.Join(dir, "data"))
	s.sql(feed(c.server.URL, 2000)).want(t, exitOK)
	eventually(t, "first documents", func() error {
		if c.count() == 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	c.play("503")
	s.awaitJob("insert_into_s", "DEGRADED", "503")
	s.sql("SHOW JOBS").want(t, exitOK, "DEGRADED", "503")
	s.sql("DESCRIBE JOB insert_into_s").want(t, exitOK, "DEGRADED", "503")
	if n := c.count(); n >= clusterRows-1 {
		t.Fatalf("all %d documents came before the cluster was away", n)
	}
	start := time.Now()
	if code := s.signal(syscall.SIGTERM, 10*time.Second); code != exitOK {
		t.Errorf("the server ends with code %d\n%s", code, s.stderr())
	}
	t.Logf("stopped in %s with the cluster away", time.Since(start))

	addr := c.server.Listener.Addr().String()
	c.server.CloseClientConnections()
	c.server.Close()
	s = startServer(t, filepath.Join(dir, "data"))
	s.awaitJob("insert_into_s", "STARTING", addr)
	back, err := newScripted(addr, "ok")
	if err != nil {
		t.Skipf("the port is taken: %v", err)
	}
	defer back.server.Close()
	back.docs, back.newest = c.docs, c.newest
	eventually(t, "the job's end", func() error {
		if state := s.job("insert_into_s")["state"]; state != "FINISHED" {
			return fmt.Errorf("%v", s.job("insert_into_s"))
		}
		return nil
	})
	back.complete(t, s.sql(selectErrors))
}
