package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	_ "github.com/millrace/millrace/connectors/all"
)

// TestShowCreateRoundTrip makes every kind of object, alters some, and executes what SHOW CREATE gives in an empty engine: that must then give
// the same.
func TestShowCreateRoundTrip(t *testing.T) {
	first := openTemporary(t)
	for _, sql := range []string{
		"CREATE SOURCE e (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL 5 SECOND) WITH (connector='datagen', rows_per_second='1')",
		"CREATE TABLE IF NOT EXISTS z (k STRING, name STRING, PRIMARY KEY (k) NOT ENFORCED) WITH (connector='datagen', rows_per_second='1') -- a comment",
		"CREATE SINK `out` (k STRING, v BIGINT) WITH (connector='blackhole');",
		"CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT AS x * 2",
		"CREATE VIEW p AS SELECT k, twice(v) AS v FROM e",
		"CREATE MATERIALIZED VIEW m AS SELECT k, SUM(v) AS s FROM e GROUP BY k",
		"CREATE JOB j WITH (parallelism = 3) AS INSERT INTO `out` SELECT k, v FROM e",
		"INSERT INTO `out` SELECT k, v FROM p",
		"ALTER JOB insert_into_out SET (checkpoint_interval = '2s')",
		"ALTER TABLE z ADD COLUMN w INT",
		"ALTER TABLE z SET (rows_per_second = '2', error_policy = 'skip')",
		"ALTER TABLE z RESET (error_policy)",
		"ALTER VIEW p AS SELECT k, twice(v) AS v FROM e WHERE v > 0",
	} {
		if _, err := run(first, sql); err != nil && sql[:10] != "ALTER VIEW" { // the view is read by a job: refused
			t.Fatalf("%s\n%v", sql, err)
		}
	}
	objects := []string{"SOURCE e", "TABLE z", "SINK `out`", "FUNCTION twice", "VIEW p", "MATERIALIZED VIEW m", "JOB j", "JOB insert_into_out"}
	second := openTemporary(t)
	want := map[string]string{}
	for _, o := range objects {
		rows, err := run(first, "SHOW CREATE "+o)
		if err != nil || len(rows) != 1 {
			t.Fatalf("SHOW CREATE %s: %v, %v", o, rows, err)
		}
		want[o] = rows[0]
		if _, err := run(second, rows[0]); err != nil {
			t.Fatalf("%s: %s\n%v", o, rows[0], err)
		}
	}
	for _, o := range slices.Sorted(maps.Keys(want)) {
		if rows, err := run(second, "SHOW CREATE "+o); err != nil || rows[0] != want[o] {
			t.Errorf("%s\n got %v (%v)\nwant %s", o, rows, err, want[o])
		}
	}
}

func openTemporary(t *testing.T) *Session {
	t.Helper()
	e, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	return e.NewSession()
}

// run executes a statement and gives the second column of its rows.
func run(s *Session, sql string) ([]string, error) {
	res, err := s.Exec(context.Background(), sql)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out []string
	for {
		b, err := res.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading rows: %w", err)
		}
		for k := range b.Rows() {
			out = append(out, string(b.Cols[1].Bytes(b.Row(k))))
		}
	}
}
