package sqltest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/millrace/millrace/runtime/engine"
)

const (
	rescaleFiles  = 5
	rescaleSteps  = 5
	rescaleEvents = 4000
	// rescaleHeld is how many polls in a row must find the job idle: files are looked at every 5 ms.
	rescaleHeld = 60
)

// rescaleSchema reads a folder of files, each of which is a split, that grow while the job runs.
const rescaleSchema = `CREATE SOURCE e (id INT, k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 1 HOUR)
	WITH (connector='file', path='%s', format='json', follow='true', poll_interval='5ms', max_future='1000000h')`

// rescaled are queries whose state lies in key groups of several tasks. Rows that end windows come last.
var rescaled = []struct{ name, sql string }{
	{"group", `SELECT k, COUNT(*) AS n, SUM(v) AS s, MIN(v) AS mi, MAX(v) AS ma, COUNT(DISTINCT v) AS d FROM e GROUP BY k`},
	{"tumble", `SELECT window_start, k, COUNT(*) AS n, SUM(v) AS s FROM TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k`},
	{"hop", `SELECT window_end, COUNT(*) AS n, COUNT(DISTINCT k) AS d FROM HOP(TABLE e, DESCRIPTOR(ts), INTERVAL 2 SECOND, INTERVAL 6 SECOND) GROUP BY window_start, window_end`},
	{"session", `SELECT k, window_start, window_end, COUNT(*) AS n FROM SESSION(TABLE e PARTITION BY k, DESCRIPTOR(ts), INTERVAL 1 SECOND) GROUP BY k, window_start, window_end`},
	{"early window", `SELECT window_start, k, COUNT(*) AS n FROM TUMBLE(TABLE e, DESCRIPTOR(ts), INTERVAL 5 SECOND) GROUP BY window_start, window_end, k EMIT CHANGES`},
	{"group of groups", `SELECT n, COUNT(*) AS keys_ FROM (SELECT k, v, COUNT(*) AS n FROM e GROUP BY k, v) x GROUP BY n`},
	{"distinct", `SELECT DISTINCT k, v FROM e WHERE v > 5`},
	{"top", `SELECT k, id, v, rn FROM (SELECT k, id, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS rn FROM e) x WHERE rn <= 3`},
	{"join", `SELECT x.k, x.s, y.n FROM (SELECT k, SUM(v) AS s FROM e GROUP BY k) x JOIN (SELECT v, COUNT(*) AS n FROM e GROUP BY v) y ON x.s % 40 = y.v`},
	{"global", `SELECT COUNT(*) AS n, SUM(v) AS s, MAX(v) AS m FROM e`},
}

// TestRescale changes the number of tasks of a job again and again while its files grow, and between that goes back to savepoints and crashes:
// the answers must be those of a job that has been left alone.
func TestRescale(t *testing.T) {
	for _, q := range rescaled {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*worldSeed, 21))
			events := rescaleChunks(rng)
			want := rescaleRun(t, q.sql, events, nil)
			if len(want) == 0 {
				t.Fatal("the query finds nothing: it tests nothing")
			}
			if got := rescaleRun(t, q.sql, events, rng); !slices.Equal(got, want) {
				t.Error(difference(got, want))
			}
		})
	}
}

// rescaleChunks gives the lines of each file at each step; the last ones move the watermark behind all windows.
func rescaleChunks(rng *rand.Rand) [rescaleSteps][rescaleFiles][]byte {
	var out [rescaleSteps][rescaleFiles][]byte
	for i := range rescaleEvents {
		step, file := i*rescaleSteps/rescaleEvents, rng.IntN(rescaleFiles)
		out[step][file] = fmt.Appendf(out[step][file], `{"id":%d,"k":%d,"v":%d,"ts":%d}`+"\n", i, rng.IntN(worldKeys), rng.IntN(200)-100,
			worldStart+int64(i)*37-rng.Int64N(lateMs))
	}
	for f := range rescaleFiles {
		out[rescaleSteps-1][f] = fmt.Appendf(out[rescaleSteps-1][f], `{"id":%d,"k":-1,"v":0,"ts":%d}`+"\n", rescaleEvents+f, worldStart+100*3_600_000)
	}
	return out
}

// rescaleRun feeds the chunks to a view and gives its rows; with rng something is done to the job after each chunk.
func rescaleRun(t *testing.T, sql string, chunks [rescaleSteps][rescaleFiles][]byte, rng *rand.Rand) []string {
	t.Helper()
	dir := t.TempDir()
	opt := engine.Options{DataDir: t.TempDir(), Stdout: io.Discard, Variables: map[string]string{"parallelism": "1", "checkpoint_interval": "5ms", "restart": "false"}}
	e := openEngine(t, opt)
	defer func() { closeEngine(t, e) }()
	rescaleWrite(t, dir, chunks[0])
	must(t, e, fmt.Sprintf(rescaleSchema, dir))
	must(t, e, "CREATE MATERIALIZED VIEW m AS "+sql)
	for step := range rescaleSteps {
		if step > 0 {
			rescaleWrite(t, dir, chunks[step])
		}
		if rng == nil {
			continue
		}
		time.Sleep(time.Duration(rng.IntN(15)) * time.Millisecond) // where it is hit does not matter
		switch rng.IntN(4) {
		case 0:
			must(t, e, fmt.Sprintf("CREATE SAVEPOINT s%d FOR JOB m", step))
			must(t, e, fmt.Sprintf("ALTER JOB m RESCALE %d", 1+rng.IntN(6)))
			time.Sleep(time.Duration(rng.IntN(15)) * time.Millisecond)
			must(t, e, "STOP JOB m")
			must(t, e, fmt.Sprintf("RESUME JOB m FROM SAVEPOINT s%d", step))
		case 1:
			for _, j := range e.Jobs() {
				j.Kill()
			}
			closeEngine(t, e)
			e = openEngine(t, opt)
			fallthrough
		default:
			must(t, e, fmt.Sprintf("ALTER JOB m RESCALE %d", 1+rng.IntN(6)))
		}
	}
	rescaleSettle(t, e)
	return viewRows(t, e)
}

func rescaleWrite(t *testing.T, dir string, chunk [rescaleFiles][]byte) {
	t.Helper()
	for f, lines := range chunk {
		file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf("part-%d.jsonl", f)), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(lines); err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
}

func must(t *testing.T, e *engine.Engine, sql string) {
	t.Helper()
	res, err := e.NewSession().Exec(context.Background(), sql)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	res.Close()
}

func rescaleSettle(t *testing.T, e *engine.Engine) {
	t.Helper()
	deadline := time.Now().Add(settleTimeout)
	for held := 0; held < rescaleHeld; time.Sleep(settlePoll) {
		held++
		if st := e.Job("m").Status(); !st.Idle {
			held = 0
			if time.Now().After(deadline) {
				t.Fatalf("the job is busy: %+v", st)
			}
		}
	}
}

func viewRows(t *testing.T, e *engine.Engine) []string {
	t.Helper()
	res, err := e.NewSession().Exec(context.Background(), "SELECT * FROM m")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Close()
	rows := []string{}
	for {
		b, err := res.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = appendRows(rows, b, false)
	}
	slices.Sort(rows)
	return rows
}
