package sqltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/function"
)

// overQueries are windows over a stream whose order is event time: a job gives each row once, a query over the same rows at their end.
var overQueries = map[string]string{
	"running":   `SELECT id, k, SUM(v) OVER w AS s, COUNT(*) OVER w AS n, MAX(v) OVER w AS m, RANK() OVER w AS r FROM ew WINDOW w AS (PARTITION BY k ORDER BY ts)`,
	"global":    `SELECT id, ROW_NUMBER() OVER (ORDER BY ts, id) AS rn, SUM(v) OVER (ORDER BY ts, id ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS s FROM ew`,
	"time":      `SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 3 SECOND PRECEDING AND CURRENT ROW) AS s, MIN(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 5 SECOND PRECEDING AND INTERVAL 1 SECOND PRECEDING) AS m FROM ew`,
	"neighbour": `SELECT id, v - LAG(v) OVER w AS d, LEAD(v, 2, -1) OVER w AS l, LAST_VALUE(v) IGNORE NULLS OVER w AS known FROM ew WINDOW w AS (PARTITION BY k ORDER BY ts, id)`,
	"ahead":     `SELECT id, AVG(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL 1 SECOND PRECEDING AND INTERVAL 2 SECOND FOLLOWING) AS a, COUNT(v) OVER (PARTITION BY k ORDER BY ts, id ROWS BETWEEN 1 PRECEDING AND 3 FOLLOWING) AS n FROM ew`,
	"changes":   `SELECT id, PERCENT_RANK() OVER (PARTITION BY k ORDER BY v) AS p, SUM(v) OVER (PARTITION BY k) AS total FROM ew WHERE id < 900`,
	"windows":   `SELECT window_start, k, n, RANK() OVER (PARTITION BY window_start ORDER BY n DESC, k) AS place, n - LAG(n) OVER (PARTITION BY k ORDER BY window_start) AS d FROM (SELECT window_start, window_end, k, COUNT(*) AS n FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k) AS w`,
	"inside":    `SELECT id, v, SUM(v) OVER (PARTITION BY window_start, window_end, k ORDER BY v, id) AS s FROM TUMBLE(TABLE ew, DESCRIPTOR(ts), INTERVAL 5 SECOND)`,
	"chain":     `SELECT window_start, COUNT(*) AS n, MAX(d) AS jump FROM TUMBLE(TABLE (SELECT ts, v - LAG(v) OVER (PARTITION BY k ORDER BY ts, id) AS d FROM ew), DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end`,
}

// TestOverStreamEqualsBatch compares jobs in several settings, over the rows in two orders of arrival, with the query over all rows.
func TestOverStreamEqualsBatch(t *testing.T) {
	seed := *worldSeed
	w := newWorld(t, seed)
	shuffled := &world{dir: t.TempDir()}
	shuffleWithin(t, w.dir, shuffled.dir, rand.New(rand.NewPCG(seed, 21)))
	for name, sql := range overQueries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 22))
			want := w.query(t, sql)
			if len(want) == 0 {
				t.Fatal("the query finds nothing: it tests nothing")
			}
			for i, s := range []setting{{"1", "1s", 0}, {"2", "5ms", 0}, {"3", "3ms", 3}, {"2", "4ms", 2}} {
				rows := w
				if i%2 == 1 {
					rows = shuffled
				}
				if got := rows.run(t, sql, s, rng); !slices.Equal(got, want) {
					t.Errorf("%+v: %s", s, difference(got, want))
				}
			}
		})
	}
}

// shuffleWithin copies a world with the events of e in another order, no further from their place than the delay of ew lets them be.
func shuffleWithin(t *testing.T, from, to string, rng *rand.Rand) {
	t.Helper()
	for _, name := range []string{"e.jsonl", "c.jsonl", "r.jsonl", "z.csv"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "e.jsonl" {
			lines := bytes.SplitAfter(text, []byte("\n"))
			lines = lines[:len(lines)-1]
			for at := 0; at < len(lines); at += 50 {
				block := lines[at:min(at+50, len(lines))]
				rng.Shuffle(len(block), func(i, j int) { block[i], block[j] = block[j], block[i] })
			}
			text = bytes.Join(lines, nil)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// query gives the rows of an ad hoc query over a world, sorted.
func (w *world) query(t *testing.T, sql string) []string {
	t.Helper()
	e := openEngine(t, engine.Options{DataDir: t.TempDir(), Stdout: io.Discard})
	defer closeEngine(t, e)
	session := e.NewSession()
	for text := range strings.SplitSeq(strings.ReplaceAll(schema, "${dir}", w.dir), ";") {
		res, err := session.Exec(context.Background(), text)
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		res.Close()
	}
	rows := answer(t, session, sql)
	slices.Sort(rows)
	return rows
}

// answer gives the rows of a query in their order.
func answer(t *testing.T, session *engine.Session, sql string) []string {
	t.Helper()
	res, err := session.Exec(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	defer res.Close()
	rows := []string{}
	for {
		b, err := res.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatalf("%s\n%v", sql, err)
		}
		rows = appendRows(rows, b, false)
	}
}

// TestWindowExamples runs the examples in the records of the window functions.
func TestWindowExamples(t *testing.T) {
	e := openEngine(t, engine.Options{DataDir: t.TempDir(), Stdout: io.Discard})
	defer closeEngine(t, e)
	for _, f := range function.AllWindows() {
		for _, ex := range f.Examples {
			call, values, ok := strings.Cut(ex.SQL, " of ")
			if !ok {
				t.Errorf("%s: the example %s names no values", f.Name, ex.SQL)
				continue
			}
			var rows []string
			for i, v := range strings.Split(values, ", ") {
				rows = append(rows, "ROW("+string(rune('0'+i))+", "+v+")")
			}
			sql := "SELECT y FROM (SELECT place, " + call + " AS y FROM (VALUES " + strings.Join(rows, ", ") + ") AS t(place, x)) AS z ORDER BY place"
			if got := strings.Join(answer(t, e.NewSession(), sql), ", "); got != ex.Result {
				t.Errorf("%s gives %s, want %s", ex.SQL, got, ex.Result)
			}
		}
	}
}
