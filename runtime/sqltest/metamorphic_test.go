package sqltest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/runtime/job"
)

// event is a row of the random source e; version one of the history r.
type event struct {
	id, k int
	v     *int
	ms    int64 // event time, milliseconds
}

// world is a random set of input files, and what is in them.
type world struct {
	dir    string
	events []event
}

const (
	worldEvents = 6000
	worldKeys   = 12
	lateMs      = 2000 // the delay of e's watermark; some rows are later
)

var worldStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// newWorld writes e (events with late rows), c (a changelog of keyed rows), r (versions) and z (a static table).
func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	w := &world{dir: t.TempDir()}
	var e, c, r, z bytes.Buffer
	for i := range worldEvents {
		x := event{id: i, k: rng.IntN(worldKeys), ms: worldStart + int64(i)*37 - rng.Int64N(3*lateMs)/2}
		text := "null"
		if rng.IntN(10) > 0 {
			v := rng.IntN(200) - 100
			x.v, text = &v, fmt.Sprint(v)
		}
		w.events = append(w.events, x)
		fmt.Fprintf(&e, `{"id":%d,"k":%d,"v":%s,"ts":%d}`+"\n", x.id, x.k, text, x.ms)
	}
	state := map[int]int{}
	for range worldEvents / 4 {
		id := rng.IntN(60)
		old, had := state[id]
		row := func(op string, v int) { fmt.Fprintf(&c, `{"op":"%s","id":%d,"k":%d,"v":%d}`+"\n", op, id, v%7, v) }
		switch v := rng.IntN(40); {
		case !had:
			row("+I", v)
			state[id] = v
		case rng.IntN(4) == 0:
			row("-D", old)
			delete(state, id)
		default:
			row("-U", old)
			row("+U", v)
			state[id] = v
		}
	}
	for i := range 300 {
		fmt.Fprintf(&r, `{"k":%d,"rate":%d,"ts":%d}`+"\n", rng.IntN(worldKeys), i, worldStart+int64(i)*700)
	}
	for k := range worldKeys - 2 {
		fmt.Fprintf(&z, "%d,zone%d\n", k, k%3)
	}
	for name, b := range map[string]*bytes.Buffer{"e.jsonl": &e, "c.jsonl": &c, "r.jsonl": &r, "z.csv": &z} {
		if err := os.WriteFile(filepath.Join(w.dir, name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// schema creates the relations over the files of a world; ew is e with a watermark so far behind that no row is late.
const schema = `
CREATE SOURCE e (id INT, k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 2 SECOND) WITH (connector='file', path='${dir}/e.jsonl', format='json');
CREATE SOURCE ew (id INT, k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 10 SECOND) WITH (connector='file', path='${dir}/e.jsonl', format='json');
CREATE SOURCE c (id INT, k INT, v INT) WITH (connector='file', path='${dir}/c.jsonl', format='json', op_field='op');
CREATE TABLE r (k INT, rate INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (k)) WITH (connector='file', path='${dir}/r.jsonl', format='json');
CREATE TABLE z (k INT, zone STRING, PRIMARY KEY (k)) WITH (connector='file', path='${dir}/z.csv', format='csv', header='false')`

// templates are queries whose result must not depend on tasks, checkpoints or crashes.
var templates = []struct{ name, sql string }{
	{"filter", `SELECT id, k, v FROM e WHERE v > 50 AND k <> 3`},
	{"group", `SELECT k, COUNT(*) AS n, COUNT(v) AS nv, SUM(v) AS s, MIN(v) AS mi, MAX(v) AS ma FROM e GROUP BY k`},
	{"tumble", `SELECT window_start, k, COUNT(*) AS n, SUM(v) AS s FROM TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k`},
	{"hop", `SELECT window_end, COUNT(*) AS n, COUNT(DISTINCT k) AS d FROM HOP(TABLE e, DESCRIPTOR(ts), INTERVAL 2 SECOND, INTERVAL 6 SECOND) GROUP BY window_start, window_end`},
	{"session", `SELECT k, window_start, window_end, COUNT(*) AS n FROM SESSION(TABLE ew PARTITION BY k, DESCRIPTOR(ts), INTERVAL 1 SECOND) GROUP BY k, window_start, window_end`},
	{"cumulate", `SELECT window_start, window_end, MAX(v) AS m FROM CUMULATE(TABLE e, DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 15 SECOND) GROUP BY window_start, window_end`},
	{"early window", `SELECT window_start, k, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k EMIT CHANGES`},
	{"group of changes", `SELECT k, COUNT(*) AS n, SUM(v) AS s, MIN(v) AS mi, MAX(v) AS ma, COUNT(DISTINCT v) AS d, AVG(v) AS a FROM c GROUP BY k`},
	{"having", `SELECT k, SUM(v) AS s FROM c GROUP BY k HAVING SUM(v) > 120`},
	{"group of groups", `SELECT n, COUNT(*) AS keys_ FROM (SELECT k, v, COUNT(*) AS n FROM e GROUP BY k, v) x GROUP BY n`},
	{"distinct", `SELECT DISTINCT k, v FROM c WHERE v > 5`},
	{"join of changes", `SELECT a.id, a.v, b.id AS id2 FROM c a JOIN c b ON a.v = b.k`},
	{"left join", `SELECT x.k, x.n, y.id, y.v FROM (SELECT k, COUNT(*) AS n FROM e WHERE v > 90 GROUP BY k) x LEFT JOIN c y ON y.v = x.n`},
	{"full join", `SELECT x.k, x.n, y.v, y.m FROM (SELECT k, COUNT(*) AS n FROM c GROUP BY k) x FULL JOIN (SELECT v, COUNT(*) AS m FROM c GROUP BY v) y ON x.n = y.m`},
	{"moving keys", `SELECT x.k, x.s, y.n FROM (SELECT k, SUM(v) AS s FROM c GROUP BY k) x JOIN (SELECT v, COUNT(*) AS n FROM c GROUP BY v) y ON x.s % 40 = y.v`},
	{"top", `SELECT k, id, v, rn FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM c) x WHERE rn <= 3`},
	{"last", `SELECT k, id FROM (SELECT k, id, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC, id) AS rn FROM e) x WHERE rn = 1`},
	{"union", `SELECT k, v FROM e WHERE v > 80 UNION ALL SELECT k, v FROM c`},
	{"union distinct", `SELECT v FROM e UNION SELECT v FROM c`},
	{"temporal join", `SELECT o.id, r.rate FROM ew o LEFT JOIN r FOR SYSTEM_TIME AS OF o.ts ON o.k = r.k`},
	{"group of temporal join", `SELECT r.rate, COUNT(*) AS n FROM ew o JOIN r FOR SYSTEM_TIME AS OF o.ts ON o.k = r.k GROUP BY r.rate`},
	{"lookup join", `SELECT z.zone, window_start, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) x LEFT JOIN z ON x.k = z.k GROUP BY z.zone, window_start, window_end`},
	{"top of windows", `SELECT window_start, k, n FROM (SELECT window_start, window_end, k, n, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY n DESC, k) AS rn FROM (SELECT window_start, window_end, k, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k) w) x WHERE rn <= 2`},
	{"window join", `SELECT a.window_start, a.n, b.n AS m FROM (SELECT window_start, window_end, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) WHERE k < 3 GROUP BY window_start, window_end) a LEFT JOIN (SELECT window_start, window_end, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) WHERE v > 95 GROUP BY window_start, window_end) b ON a.window_start = b.window_start AND a.window_end = b.window_end`},
	{"over late rows", `SELECT id, LAG(id) OVER w AS b, LEAD(id) OVER w AS n, SUM(v) OVER w AS s FROM e WINDOW w AS (PARTITION BY k ORDER BY ts, id)`},
	{"over changes", `SELECT id, k, v, RANK() OVER (PARTITION BY k ORDER BY v DESC) AS r, SUM(v) OVER (ORDER BY id) AS s, LAG(id) OVER (PARTITION BY k ORDER BY v, id) AS b FROM c`},
	{"over groups", `SELECT k, SUM(v) AS s, SUM(SUM(v)) OVER (ORDER BY k) AS run FROM c GROUP BY k QUALIFY NTILE(2) OVER (ORDER BY SUM(v)) = 1`},
	{"expanded groups", `SELECT x, n, COUNT(*) AS c FROM (SELECT k, ARRAY_AGG(DISTINCT v ORDER BY v) AS vs FROM c GROUP BY k) g, UNNEST(g.vs) WITH ORDINALITY AS u (x, n) GROUP BY x, n`},
	{"ordered aggregates", `SELECT k, ARRAY_AGG(id ORDER BY v DESC, id) AS ids, GROUP_CONCAT(DISTINCT v ORDER BY v) AS vs, FIRST(id ORDER BY v, id) AS f, LAST(id ORDER BY v, id) AS l FROM c GROUP BY k`},
	{"ordered windows", `SELECT window_start, k, LAST(v ORDER BY ts, id) IGNORE NULLS AS l, ARRAY_AGG(id ORDER BY ts, id) FILTER (WHERE v > 80) AS big FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k`},
	{"lambdas", `SELECT k, SUM(v) AS s, REDUCE(TRANSFORM(FILTER(ARRAY_AGG(v), x -> x IS NOT NULL), x -> x + k), 0, (s, x) -> s + x) - k * COUNT(v) AS t FROM c GROUP BY k`},
	{"outer expansion", `SELECT id, x, y FROM c LEFT JOIN UNNEST(SEQUENCE(1, v % 4, 1)) AS x ON TRUE LEFT JOIN UNNEST(ARRAY[k, v]) AS y ON y > x`},
	{"global", `SELECT COUNT(*) AS n, SUM(v) AS s, MAX(v) AS m FROM c`},
	{"limit", `SELECT id, v FROM c ORDER BY v DESC, id LIMIT 10`},
}

// worldSeed picks another random world.
var worldSeed = flag.Uint64("seed", 1, "seed of the random input of TestMetamorphic")

// setting is one way to run a query.
type setting struct {
	parallelism string
	interval    string
	crashes     int
}

// run computes a template's rows over a world, sorted.
func (w *world) run(t *testing.T, sql string, s setting, rng *rand.Rand) []string {
	t.Helper()
	opt := engine.Options{DataDir: t.TempDir(), Stdout: io.Discard, Variables: map[string]string{"parallelism": s.parallelism, "checkpoint_interval": s.interval, "restart": "false"}}
	e := openEngine(t, opt)
	defer func() { closeEngine(t, e) }()
	session := e.NewSession()
	for _, text := range append(strings.Split(strings.ReplaceAll(schema, "${dir}", w.dir), ";"), "CREATE MATERIALIZED VIEW m AS "+sql) {
		res, err := session.Exec(context.Background(), text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		res.Close()
	}
	for range s.crashes {
		time.Sleep(time.Duration(rng.IntN(25)) * time.Millisecond) // where it is hit does not matter
		for _, j := range e.Jobs() {
			j.Kill()
		}
		closeEngine(t, e)
		e = openEngine(t, opt)
	}
	j := e.Job("m")
	select {
	case <-j.Done():
	case <-time.After(settleTimeout):
		t.Fatalf("the job does not end: %+v", j.Status())
	}
	if st := j.Status(); st.State != job.Finished {
		t.Fatalf("the job is %s: %v", st.State, st.Err)
	}
	return viewRows(t, e)
}

func openEngine(t *testing.T, opt engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func closeEngine(t *testing.T, e *engine.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := e.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestMetamorphic runs every template in several settings over a random world: the answers must be the same, and those of the oracle.
func TestMetamorphic(t *testing.T) {
	seed := *worldSeed
	w := newWorld(t, seed)
	settings := []setting{{"1", "1s", 0}, {"2", "5ms", 0}, {"3", "3ms", 2}, {"2", "2ms", 4}}
	for _, q := range templates {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 9))
			var want []string
			if oracle := oracles[q.name]; oracle != nil {
				want = oracle(w.events)
			}
			for _, s := range settings {
				got := w.run(t, q.sql, s, rng)
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v: %s", s, difference(got, want))
				}
			}
			if len(want) == 0 {
				t.Error("the query finds nothing: it tests nothing")
			}
		})
	}
}

// difference shows the first rows that are only on one side.
func difference(got, want []string) string {
	count := map[string]int{}
	for _, r := range want {
		count[r]++
	}
	for _, r := range got {
		count[r]--
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d rows, want %d\n", len(got), len(want))
	shown := 0
	for _, r := range slices.Sorted(maps.Keys(count)) {
		if n := count[r]; n != 0 && shown < 10 {
			shown++
			fmt.Fprintf(&out, "  %+d  %s\n", -n, r)
		}
	}
	return out.String()
}

// oracles compute some templates row by row.
var oracles = map[string]func([]event) []string{"filter": filterOracle, "group": groupOracle, "tumble": tumbleOracle}

func filterOracle(events []event) []string {
	out := []string{}
	for _, e := range events {
		if e.v != nil && *e.v > 50 && e.k != 3 {
			out = append(out, fmt.Sprintf("%d\t%d\t%d", e.id, e.k, *e.v))
		}
	}
	slices.Sort(out)
	return out
}

func groupOracle(events []event) []string {
	type group struct{ n, nv, s, mi, ma int }
	groups := map[int]*group{}
	for _, e := range events {
		g := groups[e.k]
		if g == nil {
			g = &group{mi: 1 << 30, ma: -1 << 30}
			groups[e.k] = g
		}
		g.n++
		if e.v != nil {
			g.nv, g.s, g.mi, g.ma = g.nv+1, g.s+*e.v, min(g.mi, *e.v), max(g.ma, *e.v)
		}
	}
	out := []string{}
	for k, g := range groups {
		out = append(out, fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d", k, g.n, g.nv, g.s, g.mi, g.ma))
	}
	slices.Sort(out)
	return out
}

// tumbleOracle drops a row when the watermark before it, the largest event time so far less the delay, has reached the last millisecond of
// its window.
func tumbleOracle(events []event) []string {
	type key struct {
		start int64
		k     int
	}
	type sum struct {
		n, s int
		any  bool
	}
	groups := map[key]*sum{}
	mark := int64(-1 << 62)
	late := 0
	for _, e := range events {
		start := e.ms - e.ms%5000
		if start+5000-1 <= mark {
			late++
		} else {
			g := groups[key{start, e.k}]
			if g == nil {
				g = &sum{}
				groups[key{start, e.k}] = g
			}
			g.n++
			if e.v != nil {
				g.s, g.any = g.s+*e.v, true
			}
		}
		mark = max(mark, e.ms-lateMs)
	}
	if late == 0 {
		return []string{"no row is late"}
	}
	out := []string{}
	for k, g := range groups {
		s := "NULL"
		if g.any {
			s = fmt.Sprint(g.s)
		}
		out = append(out, fmt.Sprintf("%s\t%d\t%d\t%s", time.UnixMilli(k.start).UTC().Format("2006-01-02 15:04:05"), k.k, g.n, s))
	}
	slices.Sort(out)
	return out
}
