package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// sound is a small tree without offences; cases change it.
var sound = map[string]string{
	"README.md":           "# x\n\nStart in `sql/diag/diag.go`, a rule is `planner/optimizer/x.go`.\n\n## Map\n```\nsql/diag   errors\nplanner/   plans\n```\n",
	"go.mod":              "module " + module + "\n",
	"sql/diag/README.md":  "See [the code](diag.go) and [the map](../../README.md#map).\n",
	"sql/diag/diag.go":    "// Package diag is errors.\npackage diag\n",
	"planner/README.md":   "plans\n",
	"planner/planner.go":  "// Package planner plans.\npackage planner\n\nimport _ \"" + module + "/sql/diag\"\n",
	"planner/testdata/q":  "data\n",
	".ci/services/lib.sh": "dir=/tmp/x\n",
}

// with gives the sound tree with files replaced, or taken away where the text is empty.
func with(t *testing.T, changes map[string]string) *tree {
	t.Helper()
	files := maps.Clone(sound)
	maps.Copy(files, changes)
	fsys := fstest.MapFS{}
	for p, text := range files {
		if text != "" {
			fsys[p] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	got, err := parseTree(fsys, slices.Collect(maps.Keys(files)))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSoundTreeHasNoOffence(t *testing.T) {
	if found := with(t, nil).check(); len(found) > 0 {
		t.Fatalf("%v", found)
	}
}

// goText is a Go file that imports packages of ours (without a dot in their first element) and others.
func goText(pkg string, imports ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// Package %s is for a test.\npackage %s\n\n", pkg, pkg)
	for _, p := range imports {
		if !strings.Contains(top(p), ".") {
			p = module + "/" + p
		}
		fmt.Fprintf(&b, "import _ %q\n", p)
	}
	return b.String()
}

func TestImports(t *testing.T) {
	for _, c := range []struct {
		file string
		to   string
		want string // empty: allowed
	}{
		{"sql/diag/a.go", "planner", "no edge from sql to planner"},
		{"planner/a.go", "state/log", "no edge from planner to state"},
		{"planner/a_test.go", "state/log", "no edge from planner to state"},
		{"planner/a_test.go", "runtime/sqltest", ""},
		{"state/keyed/a.go", "sql/vector", ""},
		{"state/keyed/a.go", "state/log", "beside or above"},
		{"state/broker/a.go", "state/log", ""},
		{"sql/types/a.go", "sql/vector", "beside or above"},
		{"sql/vector/a.go", "sql/types", ""},
		{"sql/parser/a.go", "sql/types", "the parser knows no types"},
		{"sql/parser/a_test.go", "sql/types", ""},
		{"sql/novelty/a.go", "sql/types", "sql/novelty is not in the picture"},
		{"runtime/operator/a.go", "planner/physical", "operators know no plans"},
		{"runtime/operator/a_test.go", "state/keyed", ""},
		{"runtime/server/a.go", "runtime/server/httpapi", ""},
		{"runtime/server/httpapi/a.go", "runtime/server", "beside or above"},
		{"runtime/engine/a.go", "connectors/kafka", "through the registry"},
		{"runtime/engine/a.go", "connectors/format", ""},
		{"runtime/engine/a.go", "connectors/format/json", "through the registry"},
		{"runtime/server/httpapi/a.go", "connectors/format/json", ""},
		{"cmd/millrace/a.go", "connectors/all", ""},
		{"runtime/engine/a.go", "connectors/all", "through the registry"},
		{"connectors/kafka/a.go", "connectors/file", "beside or above"},
		{"connectors/kafka/a.go", "connectors/format/json", ""},
		{"connectors/format/csv/a.go", "connectors/format/json", "beside or above"},
		{"connectors/all/a.go", "connectors/kafka", ""},
		{"connectors/kafka/a.go", "connectors/conformance", "for tests"},
		{"connectors/kafka/a_test.go", "connectors/conformance", ""},
		{"state/keyed/a.go", "github.com/cockroachdb/pebble/v2/vfs", ""},
		{"state/log/a.go", "github.com/cockroachdb/pebble/v2", "belongs in state/keyed alone"},
		{"state/log/a_test.go", "github.com/cockroachdb/pebble/v2", "belongs in state/keyed alone"},
		{"state/broker/a.go", "github.com/twmb/franz-go/pkg/kmsg", ""},
		{"state/broker/a.go", "github.com/twmb/franz-go/pkg/kgo", "belongs in connectors/kafka alone"},
		{"state/broker/a_test.go", "github.com/twmb/franz-go/pkg/kgo", ""},
		{"runtime/engine/a.go", "github.com/pingcap/tidb/pkg/parser/ast", "belongs in sql/parser alone"},
	} {
		found := checkImports(with(t, map[string]string{c.file: goText("p", c.to)}))
		expectOne(t, c.file+" imports "+c.to, found, c.want)
	}
}

// expectOne wants one offence with a text, or none where the text is empty.
func expectOne(t *testing.T, what string, found []offence, want string) {
	t.Helper()
	switch {
	case want == "" && len(found) == 0:
	case want == "":
		t.Errorf("%s: %v, want nothing", what, found)
	case len(found) != 1 || !strings.Contains(found[0].String(), want):
		t.Errorf("%s: %v, want one with %q", what, found, want)
	}
}

func TestNamesDocsTopMapAndWords(t *testing.T) {
	for _, c := range []struct {
		name  string
		check func(*tree) []offence
		files map[string]string
		want  string
	}{
		{"package name", checkNames, map[string]string{"sql/diag/u.go": "package util\n"}, "sql/diag/u.go:1: no package is called util"},
		{"folder name", checkNames, map[string]string{"sql/common/c.go": "package c\n"}, "no folder is called common"},
		{"package comment", checkDocs, map[string]string{"sql/diag/diag.go": "package diag\n"}, "no package comment"},
		{"a comment elsewhere in the package", checkDocs, map[string]string{"sql/diag/b.go": "package diag\n"}, ""},
		{"README", checkDocs, map[string]string{"planner/README.md": ""}, "planner:1: the folder has no README.md"},
		{"no README of data", checkDocs, map[string]string{"examples/data/a.csv": "1\n"}, ""},
		{"top", checkTop, map[string]string{"docs/a.md": "a\n", "docs/b.md": "b\n"}, "no place for docs"},
		{"top dot", checkTop, map[string]string{".github/a.yml": "a\n"}, ""},
		{"a folder that the map lacks", checkMap, map[string]string{"sql/ast/a.go": goText("ast")}, "the map lacks sql/ast"},
		{"a folder that is gone", checkMap, map[string]string{"planner/planner.go": "", "planner/README.md": "", "planner/testdata/q": ""}, "README.md:8: the map names planner, which is gone"},
		{"a path that is gone", checkMap, map[string]string{"sql/diag/diag.go": "", "sql/diag/README.md": "x\n"}, "README.md:3: there is no sql/diag/diag.go"},
		{"a link", checkMap, map[string]string{"planner/README.md": "\n[gone](bind/)\n"}, "planner/README.md:2: the link leads nowhere: bind/"},
		{"a link outside", checkMap, map[string]string{"planner/README.md": "[out](https://example.com/x)\n"}, ""},
		{"no README.md", checkMap, map[string]string{"README.md": "", "sql/diag/README.md": "x\n"}, "there is no README.md"},
		{"TODO", checkWords, map[string]string{"sql/diag/t.go": "package diag\n\n// TODO: more\n"}, "sql/diag/t.go:3: TODO:: a TODO names its issue"},
		{"TODO of somebody", checkWords, map[string]string{"sql/diag/t.go": "package diag\n\n// TODO(ann): more\n"}, "names its issue"},
		{"TODO at the end", checkWords, map[string]string{"sql/diag/t.go": "package diag\n\n// TODO\n"}, "names its issue"},
		{"TODO with issue", checkWords, map[string]string{"sql/diag/t.go": "package diag\n\n// TODO(#12): more\n"}, ""},
		{"FIXME", checkWords, map[string]string{"sql/diag/t.go": "package diag\n\n// FIXME\n"}, "mend it"},
		{"machine", checkWords, map[string]string{"planner/README.md": "look in /home/ann/src\n"}, "somebody's machine"},
		{"temporary", checkWords, map[string]string{"planner/README.md": "writes `/tmp/x`\n"}, "somebody's machine"},
		{"a route", checkWords, map[string]string{"planner/README.md": "GET http://h:1/v1/work/1 and planner/work/x\n"}, ""},
		{"registry", checkWords, map[string]string{"planner/README.md": "from proxy.golang.org\n"}, "a registry's host"},
	} {
		expectOne(t, c.name, c.check(with(t, c.files)), c.want)
	}
}

// longFunc is a function of n lines; flat ones hold a table.
func longFunc(name string, n int, flat bool) string {
	if flat {
		return "func " + name + "() []int {\n\treturn []int{\n" + strings.Repeat("\t\t1,\n", n-4) + "\t}\n}\n"
	}
	return "func " + name + "() {\n" + strings.Repeat("\tprintln()\n", n-2) + "}\n"
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
	}{
		{"at the limit", longFunc("f", 60, false), ""},
		{"above it", longFunc("f", 61, false), "sql/diag/s.go:3: lines f: 61, the limit is 60"},
		{"a table at its limit", longFunc("f", 100, true), ""},
		{"a table above it", longFunc("f", 101, true), "lines f: 101, the limit is 100"},
		{"parameters", "func f(a, b, c, d, e int) {}\n", ""},
		{"too many", "func f(a, b, c, d, e int, g string) {}\n", "parameters f: 6, the limit is 5"},
		{"a method", "type t[K any] struct{}\n\nfunc (*t[K]) m(a, b, c, d, e, f int) {}\n", "sql/diag/s.go:5: parameters t.m: 6"},
		{"file", strings.Repeat("\n", 799), "file: 801, the limit is 800"},
	} {
		found := checkSizes(with(t, map[string]string{"sql/diag/s.go": "package diag\n\n" + c.text}))
		expectOne(t, c.name, found, c.want)
	}
	for _, spared := range []map[string]string{
		{"sql/diag/s_test.go": "package diag\n\n" + longFunc("f", 200, false)},
		{"sql/diag/s.go": "// Code generated by x. DO NOT EDIT.\n\npackage diag\n\n" + longFunc("f", 200, false)},
	} {
		expectOne(t, "spared", checkSizes(with(t, spared)), "")
	}
}

func TestRatchetOnlyShrinks(t *testing.T) {
	const comment = "# comment\n"
	file := func(n int) map[string]string {
		return map[string]string{"sql/diag/s.go": "package diag\n\n" + longFunc("f", n, false), ratchetFile: comment + "sql/diag/s.go lines f 70\n"}
	}
	for _, c := range []struct {
		lines        int
		want, shrunk string
	}{
		{70, "", "sql/diag/s.go lines f 70\n"},
		{71, "lines f: 71", "sql/diag/s.go lines f 70\n"},
		{65, "cmd/tidy/ratchet.txt:2: sql/diag/s.go lines f shrank from 70 to 65", "sql/diag/s.go lines f 65\n"},
		{60, "within its limit now", ""},
	} {
		got := with(t, file(c.lines))
		expectOne(t, fmt.Sprint(c.lines), checkSizes(got), c.want)
		if text := shrunk(got); text != comment+c.shrunk {
			t.Errorf("%d lines: the ratchet becomes %q", c.lines, text)
		}
	}
	// What is not in the ratchet does not come in.
	got := with(t, map[string]string{"sql/diag/s.go": "package diag\n\n" + longFunc("f", 70, false), ratchetFile: comment})
	if text := shrunk(got); text != comment {
		t.Errorf("the ratchet grew to %q", text)
	}
	expectOne(t, "bad line", checkSizes(with(t, map[string]string{ratchetFile: "nonsense\n"})), "FILE WHAT SIZE")
}
