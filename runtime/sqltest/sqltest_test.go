package sqltest

import (
	"bytes"
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/millrace/millrace/connectors/all"
)

// update rewrites the expected rows of all scripts: read the difference before it is committed.
var update = flag.Bool("rewrite", false, "rewrite the expected rows of scripts")

// variants are the ways in which every script must give the same answers.
var variants = []struct {
	name    string
	options Options
}{
	{"one task", Options{Variables: map[string]string{"parallelism": "1", "checkpoint_interval": "20ms"}}},
	{"two tasks", Options{Variables: map[string]string{"parallelism": "2", "checkpoint_interval": "40ms"}}},
	{"crashes", Options{Variables: map[string]string{"parallelism": "2", "checkpoint_interval": "10ms"}, CrashBefore: true}},
}

// scripts lists the scripts under testdata.
func scripts(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".test") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestScripts(t *testing.T) {
	files := scripts(t)
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	if *update {
		for _, f := range files {
			opt := variants[0].options
			opt.Update = true
			if err := RunFile(context.Background(), f, opt); err != nil {
				t.Error(err)
			}
		}
		return
	}
	for _, f := range files {
		for _, v := range variants {
			t.Run(strings.TrimPrefix(f, "testdata/")+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				if err := RunFile(context.Background(), f, v.options); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestRunnerFails makes sure that a wrong script does not pass.
func TestRunnerFails(t *testing.T) {
	const source = `statement ok
CREATE SOURCE e (k STRING, v BIGINT) WITH (connector='script', format='json')

statement ok
CREATE MATERIALIZED VIEW m AS SELECT k, v FROM e

input e
{"k":"a","v":1}

`
	cases := []struct{ name, script, want string }{
		{"wrong value", source + "query\nSELECT * FROM m\n----\na\t2\n", "the rows differ"},
		{"missing row", source + "query\nSELECT * FROM m\n----\na\t1\na\t1\n", "the rows differ"},
		{"extra row", source + "query\nSELECT * FROM m\n----\n", "the rows differ"},
		{"wrong order", source + "input e\n{\"k\":\"b\",\"v\":1}\n\nquery ordered\nSELECT k FROM m ORDER BY k\n----\nb\na\n", "the rows differ"},
		{"wrong code", "statement error MR-2101\nSELEC 1\n", "the code is"},
		{"wrong position", "statement error MR-2101 1:14\nSELECT a FROM nope\n", "the place is 1:15"},
		{"wrong text", "statement error MR-2101 1:15 surely\nSELECT a FROM nope\n", "the message is"},
		{"no error", "statement error MR-2101\nSELECT 1\n", "it succeeded"},
		{"an error", "statement ok\nSELECT a FROM nope\n", "MR-2101"},
		{"unknown step", "quary\nSELECT 1\n", "unknown step"},
		{"missing file", source + "file out.jsonl\n----\n{}\n", "no such file"},
		{"line of the step", source + "query\nSELECT * FROM m\n----\na\t3\n", ".test:10: query"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.test")
			if err := os.WriteFile(path, []byte(c.script), 0o644); err != nil {
				t.Fatal(err)
			}
			err := RunFile(context.Background(), path, variants[0].options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want an error with %q, got %v", c.want, err)
			}
		})
	}
}

// TestReplayRefuses makes sure that a changelog that takes back what is not there is an error, not a wrong result.
func TestReplayRefuses(t *testing.T) {
	for _, lines := range [][]string{
		{`{"op":"-D","a":1}`},
		{`{"op":"+I","a":1}`, `{"op":"-U","a":2}`},
		{`{"op":"+X","a":1}`},
		{`no json`},
	} {
		if rows, err := replay(lines); err == nil {
			t.Errorf("%v gives %v", lines, rows)
		}
	}
	got, err := replay([]string{`{"op":"+I","a":1}`, `{"op":"-U","a":1}`, `{"op":"+U","a":2}`, `{"op":"+I","a":3}`, `{"op":"-D","a":3}`})
	if err != nil || len(got) != 1 || got[0] != `{"a":2}` {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestUpdateRewrites checks that Update writes the rows that came.
func TestUpdateRewrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.test")
	if err := os.WriteFile(path, []byte("query\nSELECT 1 + 1\n----\n3\n4\n\nquery\nSELECT 'a'\n----\na\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	opt := variants[0].options
	opt.Update = true
	if err := RunFile(context.Background(), path, opt); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if want := "query\nSELECT 1 + 1\n----\n2\n\nquery\nSELECT 'a'\n----\na\n"; err != nil || !bytes.Equal(got, []byte(want)) {
		t.Errorf("got %q, %v", got, err)
	}
}
