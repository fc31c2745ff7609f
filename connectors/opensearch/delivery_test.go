package opensearch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace/millrace/connectors"
	_ "github.com/millrace/millrace/connectors/format/json"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

func values(t testing.TB, set map[string]string) connectors.Values {
	t.Helper()
	all := map[string]string{"connector": "opensearch", "url": "http://127.0.0.1:1", "index": "i"}
	for k, v := range set {
		all[k] = v
	}
	spec, err := connectors.Lookup("opensearch")
	if err != nil {
		t.Fatal(err)
	}
	v, err := spec.Check(all)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

var keyColumns = []connectors.Column{{Name: "id", Type: types.Of(types.Int64)}, {Name: "name", Type: types.Of(types.String)}}

func fieldsOf(columns []connectors.Column) []types.Field {
	var fields []types.Field
	for _, c := range columns {
		fields = append(fields, types.Field{Name: c.Name, Type: c.Type})
	}
	return fields
}

func makeSink(t testing.TB, key []int, set map[string]string) *sink {
	t.Helper()
	c, err := newSink(connectors.SinkConfig{ID: "job/sink", Relation: "r", Columns: keyColumns, Key: key, Options: values(t, set)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*sink)
}

type row struct {
	op   vector.Change
	id   int64
	name string
}

func stageOf(t testing.TB, s *sink, rows ...row) []byte {
	t.Helper()
	b := vector.NewBatch(fieldsOf(keyColumns), len(rows))
	for _, r := range rows {
		b.Cols[0].AppendI64(r.id)
		b.Cols[1].AppendString(r.name)
		b.EndRow(r.op)
	}
	stage, err := s.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return stage
}

func inserts(n int) (rows []row) {
	for i := range n {
		rows = append(rows, row{vector.Insert, int64(i), fmt.Sprintf("name %d", i)})
	}
	return rows
}

// fake is a server of which each bulk request is answered by the next function of a script; behind the end of the script everything is
// stored as OpenSearch would.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	script   []func(w http.ResponseWriter, actions []action) // guarded by mu
	docs     map[string]string                               // guarded by mu
	versions map[string]uint64                               // guarded by mu
	sizes    []int                                           // guarded by mu; documents per request
	writes   int                                             // guarded by mu
}

type action struct {
	kind    string
	ID      string `json:"_id"`
	Index   string `json:"_index"`
	Version uint64 `json:"version"`
	Type    string `json:"version_type"`
	Routing string `json:"routing"`
	doc     string
}

func newFake(t testing.TB, script ...func(w http.ResponseWriter, actions []action)) *fake {
	f := &fake{script: script, docs: map[string]string{}, versions: map[string]uint64{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasPrefix(r.URL.Path, "/_bulk") {
		io.WriteString(w, `{"version":{"number":"3.0.0","distribution":"opensearch"}}`)
		return
	}
	actions := readActions(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sizes = append(f.sizes, len(actions))
	if len(f.script) > 0 {
		answer := f.script[0]
		f.script = f.script[1:]
		if answer != nil {
			answer(w, actions)
			return
		}
	}
	f.answer(w, actions, nil)
}

func readActions(body io.Reader) (actions []action) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line map[string]action
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			panic(err)
		}
		for kind, a := range line {
			a.kind = kind
			if kind == "index" {
				lines.Scan()
				a.doc = lines.Text()
			}
			actions = append(actions, a)
		}
	}
	return actions
}

// answer stores the actions but those for which refuse gives a status. The caller holds mu.
func (f *fake) answer(w io.Writer, actions []action, refuse func(a action) (int, string)) {
	out, errs := []string{}, false
	for _, a := range actions {
		status, reason := 200, ""
		key := a.Index + "/" + a.ID
		if refuse != nil {
			if s, why := refuse(a); s != 0 {
				status, reason = s, why
			}
		}
		switch {
		case status != 200:
		case a.Version <= f.versions[key] && f.versions[key] != 0:
			status, reason = 409, "version_conflict_engine_exception"
		case a.kind == "delete":
			if _, ok := f.docs[key]; !ok {
				status = 404
			}
			delete(f.docs, key)
			f.versions[key] = a.Version
		default:
			f.docs[key], f.versions[key] = a.doc, a.Version
			f.writes++
		}
		errs = errs || status >= 400
		item := fmt.Sprintf(`{%q:{"status":%d}}`, a.kind, status)
		if reason != "" {
			item = fmt.Sprintf(`{%q:{"status":%d,"error":{"type":%q,"reason":"because"}}}`, a.kind, status, reason)
		}
		out = append(out, item)
	}
	fmt.Fprintf(w, `{"errors":%v,"items":[%s]}`, errs, strings.Join(out, ","))
}

func (f *fake) sink(t testing.TB, key []int, set map[string]string) *sink {
	all := map[string]string{"url": f.URL, "create_index": "false"}
	for k, v := range set {
		all[k] = v
	}
	s := makeSink(t, key, all)
	if err := s.Open(testContext(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

func status(code int, body string) func(http.ResponseWriter, []action) {
	return func(w http.ResponseWriter, _ []action) { w.WriteHeader(code); io.WriteString(w, body) }
}

func reset(w http.ResponseWriter, _ []action) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		c.Close()
	}
}

// TestDeliverSurvives: whatever the server answers at first, in the end every document is there once.
func TestDeliverSurvives(t *testing.T) {
	f := newFake(t)
	partial := func(code int, reason string) func(http.ResponseWriter, []action) {
		return func(w http.ResponseWriter, actions []action) {
			f.answer(w, actions, func(a action) (int, string) {
				if len(a.ID)%2 == 0 {
					return code, reason
				}
				return 0, ""
			})
		}
	}
	for name, script := range map[string][]func(http.ResponseWriter, []action){
		"all well":              nil,
		"429 for all":           {status(429, `{"error":"busy"}`), status(429, "")},
		"503, 502, 500":         {status(503, "<html>no</html>"), status(502, ""), status(500, "")},
		"connection reset":      {reset, reset},
		"items 429":             {partial(429, "rejected_execution_exception"), partial(429, "rejected_execution_exception")},
		"items 503":             {partial(503, "unavailable_shards_exception")},
		"items without index":   {partial(404, "index_not_found_exception")},
		"413":                   {status(413, "")},
		"400 for the whole":     {status(400, `{"error":{"type":"parse","reason":"no"}}`)},
		"no JSON":               {status(200, "hello")},
		"too few items":         {status(200, `{"errors":false,"items":[{"index":{"status":200}}]}`)},
		"truncated":             {status(200, `{"errors":false,"items":[{"index":{"sta`)},
		"items without status":  {status(200, `{"errors":true,"items":[{},{}]}`)},
		"written, answer lost":  {func(w http.ResponseWriter, a []action) { f.answer(io.Discard, a, nil); reset(w, a) }},
		"everything, in a row":  {reset, status(429, ""), partial(429, "x"), status(413, ""), status(503, ""), partial(503, "x")},
		"one of many in flight": {nil, status(503, ""), nil, reset, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f.mu.Lock()
			f.script, f.docs, f.versions, f.writes = script, map[string]string{}, map[string]uint64{}, 0
			f.mu.Unlock()
			s := f.sink(t, []int{0}, map[string]string{"bulk_max_docs": "40"})
			rejected, err := s.Deliver(testContext(t), 7, stageOf(t, s, inserts(200)...))
			if err != nil || len(rejected) != 0 {
				t.Fatalf("%v, %v", rejected, err)
			}
			if len(f.docs) != 200 || f.writes != 200 || f.docs["i/3"] != `{"id":3,"name":"name 3"}` {
				t.Errorf("%d documents, %d writes, document 3: %s", len(f.docs), f.writes, f.docs["i/3"])
			}
			if s.Health() != nil {
				t.Errorf("not healthy afterwards: %v", s.Health())
			}
		})
	}
}

func TestRejectedDocuments(t *testing.T) {
	f := newFake(t)
	f.script = append(f.script, func(w http.ResponseWriter, actions []action) {
		f.answer(w, actions, func(a action) (int, string) {
			if a.ID == "1" {
				return 400, "mapper_parsing_exception"
			}
			return 0, ""
		})
	})
	s := f.sink(t, []int{0}, nil)
	rejected, err := s.Deliver(testContext(t), 7, stageOf(t, s, inserts(3)...))
	if err != nil || len(rejected) != 1 || len(f.docs) != 2 {
		t.Fatalf("%v, %v, %d documents", rejected, err, len(f.docs))
	}
	r := rejected[0]
	if string(r.Raw) != `{"id":1,"name":"name 1"}` || r.Err.Code != diag.SinkRejected ||
		!strings.Contains(r.Err.Message, "mapper_parsing_exception: because") || r.Position != "i/1 epoch 7 row 1" {
		t.Errorf("%+v", r)
	}
}

// TestUnfitDocument: of a request that is refused as a whole for one document, only that one is rejected.
func TestUnfitDocument(t *testing.T) {
	f := newFake(t)
	for range 20 {
		f.script = append(f.script, func(w http.ResponseWriter, actions []action) {
			for _, a := range actions {
				if a.ID == "5" {
					w.WriteHeader(400)
					io.WriteString(w, `{"error":{"type":"illegal_argument_exception","reason":"five"}}`)
					return
				}
			}
			f.answer(w, actions, nil)
		})
	}
	s := f.sink(t, []int{0}, nil)
	rejected, err := s.Deliver(testContext(t), 7, stageOf(t, s, inserts(9)...))
	if err != nil || len(rejected) != 1 || len(f.docs) != 8 || !strings.Contains(rejected[0].Err.Message, "five") {
		t.Fatalf("%v, %v, %d documents", rejected, err, len(f.docs))
	}
}

func TestChangesWithinEpoch(t *testing.T) {
	f := newFake(t)
	s := f.sink(t, []int{0}, nil)
	deliver := func(epoch uint64, rows ...row) {
		t.Helper()
		if rejected, err := s.Deliver(testContext(t), epoch, stageOf(t, s, rows...)); err != nil || len(rejected) > 0 {
			t.Fatal(rejected, err)
		}
	}
	first := []row{{vector.Insert, 1, "a"}, {vector.UpdateBefore, 1, "a"}, {vector.UpdateAfter, 1, "b"}, {vector.Insert, 2, "x"},
		{vector.Delete, 2, "x"}, {vector.Delete, 9, ""}}
	deliver(1, first...)
	if len(f.docs) != 1 || f.docs["i/1"] != `{"id":1,"name":"b"}` || f.sizes[0] != 3 {
		t.Errorf("%v, requests of %v", f.docs, f.sizes)
	}
	deliver(2, row{vector.Delete, 1, "b"}, row{vector.Insert, 2, "y"})
	deliver(1, first...) // again, as after a crash: nothing changes
	deliver(2, row{vector.Delete, 1, "b"}, row{vector.Insert, 2, "y"})
	if len(f.docs) != 1 || f.docs["i/2"] != `{"id":2,"name":"y"}` || f.writes != 2 {
		t.Errorf("%v after %d writes", f.docs, f.writes)
	}
}

func TestKeylessRowsHaveStableIDs(t *testing.T) {
	f := newFake(t)
	s := f.sink(t, nil, nil)
	stage := stageOf(t, s, inserts(10)...)
	for range 2 {
		if _, err := s.Deliver(testContext(t), 3, stage); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.docs) != 10 || f.writes != 10 {
		t.Errorf("%d documents, %d writes", len(f.docs), f.writes)
	}
	if _, err := s.Deliver(testContext(t), 4, stage); err != nil || len(f.docs) != 20 {
		t.Errorf("%d documents after another epoch, %v", len(f.docs), err)
	}
}

func TestCancelled(t *testing.T) {
	f := newFake(t)
	f.Close()
	s := makeSink(t, []int{0}, map[string]string{"url": f.URL})
	ctx, cancel := context.WithCancel(testContext(t))
	stage := stageOf(t, s, inserts(10)...)
	ended := make(chan error)
	go func() { _, err := s.Deliver(ctx, 1, stage); ended <- err }()
	for s.Health() == nil {
		time.Sleep(time.Millisecond) // until it has noticed that nobody is there
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("delivered to nobody")
	}
}

// TestServerComesBack: documents wait for a server that is away and are delivered when it is there.
func TestServerComesBack(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := makeSink(t, []int{0}, map[string]string{"url": "http://" + addr, "bulk_max_docs": "10"})
	stage := stageOf(t, s, inserts(100)...)
	ended := make(chan error)
	go func() { _, err := s.Deliver(testContext(t), 1, stage); ended <- err }()
	for s.Health() == nil {
		time.Sleep(time.Millisecond) // until it has noticed that nobody is there
	}
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Skipf("the port is taken meanwhile: %v", err)
	}
	f := &fake{docs: map[string]string{}, versions: map[string]uint64{}}
	f.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(f.serve)}}
	f.Start()
	defer f.Close()
	if err := <-ended; err != nil || len(f.docs) != 100 {
		t.Errorf("%d documents, %v", len(f.docs), err)
	}
}

func TestOpenUnreachable(t *testing.T) {
	s := makeSink(t, []int{0}, map[string]string{"connect_timeout": "100ms"})
	err := s.Open(testContext(t))
	if d, ok := diag.As(err); !ok || d.Code != diag.SinkUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestUnauthorizedEndsDelivery(t *testing.T) {
	f := newFake(t, status(401, "who"))
	s := f.sink(t, []int{0}, nil)
	_, err := s.Deliver(testContext(t), 1, stageOf(t, s, inserts(1)...))
	if d, ok := diag.As(err); !ok || d.Code != diag.SinkUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestPacer(t *testing.T) {
	p := newPacer(limits{docs: 1000, bytes: 1 << 20, inFlight: 4})
	for range 20 {
		p.overloaded()
	}
	if p.current != (limits{docs: minDocs, bytes: minBytes, inFlight: 1}) || p.pause != backoffMax {
		t.Errorf("after overload: %+v, pause %v", p.current, p.pause)
	}
	p.succeeded()
	if p.current.docs != minDocs+100 || p.pause != 0 {
		t.Errorf("after a success: %+v, pause %v", p.current, p.pause)
	}
	for range 100 {
		p.succeeded()
	}
	if p.current != p.most {
		t.Errorf("after many: %+v", p.current)
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"index": "Upper"}, "no name of an index"},
		{map[string]string{"index": "a{"}, "without '}'"},
		{map[string]string{"index": "a}"}, "without '{'"},
		{map[string]string{"index": "a-{nam}"}, "no column 'nam'"},
		{map[string]string{"index": "a-{name|yyyy}"}, "is no date"},
		{map[string]string{"index": "a-{ts|YYYY}"}, "no date pattern"},
		{map[string]string{"index": "{name}"}, "must begin with text"},
		{map[string]string{"id": "x"}, "no column 'x'"},
		{map[string]string{"geo_point": "loc"}, "no field:latitude,longitude"},
		{map[string]string{"geo_point": "loc:id,name"}, "'name' is no number"},
		{map[string]string{"geo_point": "name:id,id"}, "is a column already"},
		{map[string]string{"max_in_flight": "0"}, "from 1 to 64"},
		{map[string]string{"tls_ca": "/nowhere"}, "nowhere"},
	} {
		columns := append(keyColumns[:2:2], connectors.Column{Name: "ts", Type: types.Of(types.Timestamp)})
		_, err := newSink(connectors.SinkConfig{Relation: "r", Columns: columns, Options: values(t, c.set)})
		if _, ok := diag.As(err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want a diagnostic with %q", c.set, err, c.want)
		}
	}
}

func TestIDsAndIndexNames(t *testing.T) {
	columns := []connectors.Column{{Name: "a", Type: types.Of(types.String)}, {Name: "b", Type: types.Of(types.String)},
		{Name: "ts", Type: types.Of(types.Timestamp)}}
	cfg := connectors.SinkConfig{Relation: "r", Columns: columns, Key: []int{0, 1},
		Options: values(t, map[string]string{"index": "x-{a}-{ts|yyyy.MM.dd}", "routing": "b"})}
	c, err := newSink(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := vector.NewBatch(fieldsOf(columns), 4)
	for _, r := range [][2]string{{"a:", "b"}, {"a", ":b"}, {"Wörld/?", ""}, {strings.Repeat("l", 600), "x"}} {
		b.Cols[0].AppendString(r[0])
		b.Cols[1].AppendString(r[1])
		b.Cols[2].AppendI64(types.DaysFromCivil(2026, 3, 4) * types.Day)
		b.EndRow(vector.Insert)
	}
	stage, err := c.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	items, err := decodeStage(stage, "s", 1)
	if err != nil || len(items) != 4 {
		t.Fatal(len(items), err)
	}
	if string(items[0].id) != `a\::b` || string(items[1].id) != `a:\:b` || len(items[3].id) > maxID || string(items[0].routing) != "b" {
		t.Errorf("ids %s %s %s", items[0].id, items[1].id, items[3].id)
	}
	if string(items[0].index) != "x-a_-2026.03.04" || string(items[2].index) != "x-wörld__-2026.03.04" {
		t.Errorf("indices %s %s", items[0].index, items[2].index)
	}
	for cut := range stage {
		if got, err := decodeStage(stage[:cut], "s", 1); err == nil && len(got) >= 4 {
			t.Errorf("%d bytes of %d gave %d items", cut, len(stage), len(got))
		}
	}
}

func TestGeoPointDocument(t *testing.T) {
	columns := []connectors.Column{{Name: "lat", Type: types.Of(types.Float64)}, {Name: "lon", Type: types.Of(types.Float64)}}
	c, err := newSink(connectors.SinkConfig{Relation: "r", Columns: columns, Options: values(t, map[string]string{"geo_point": "at:lat,lon"})})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	b := vector.NewBatch(fieldsOf(columns), 2)
	b.Cols[0].AppendF64(40.5)
	b.Cols[1].AppendF64(-73.25)
	b.EndRow(vector.Insert)
	b.Cols[0].AppendNull()
	b.Cols[1].AppendF64(1)
	b.EndRow(vector.Insert)
	stage, _ := c.Encode(nil, b)
	items, err := decodeStage(stage, "s", 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"lat":40.5,"lon":-73.25,"at":{"lat":40.5,"lon":-73.25}}`; string(items[0].doc) != want {
		t.Errorf("got %s", items[0].doc)
	}
	if want := `{"lat":null,"lon":1}`; string(items[1].doc) != want {
		t.Errorf("got %s", items[1].doc)
	}
}

func TestEncodeAllocations(t *testing.T) {
	s := makeSink(t, []int{0}, nil)
	b := vector.NewBatch(fieldsOf(keyColumns), 100)
	for i := range 100 {
		b.Cols[0].AppendI64(int64(i))
		b.Cols[1].AppendString("name")
		b.EndRow(vector.Insert)
	}
	stage := bytes.Repeat([]byte{0}, 1<<16)
	var err error
	if n := testing.AllocsPerRun(20, func() { stage, err = s.Encode(stage[:0], b) }); n > 0 || err != nil {
		t.Errorf("%v allocations for 100 rows, %v", n, err)
	}
}
