package function

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "rewrite functions.md from the records")

// TestReference keeps functions.md equal to the records.
func TestReference(t *testing.T) {
	const path = "functions.md"
	want := reference()
	if *rewrite {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("functions.md is stale: run go test ./sql/function -run Reference -rewrite")
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString("# Functions\n\nGenerated from the records in this folder.\n")
	family := ""
	for _, f := range All() {
		if f.Family != family {
			family = f.Family
			fmt.Fprintf(&b, "\n## %s\n\n", family)
		}
		writeRecord(&b, f.Signatures, f.Aliases, f.Doc, f.Examples)
	}
	b.WriteString("\n## aggregate\n\n")
	for _, a := range AllAggs() {
		writeRecord(&b, a.Signatures, a.Aliases, a.Doc, a.Examples)
	}
	b.WriteString("\n## window\n\nOnly with OVER; every aggregate takes OVER too.\n\n")
	for _, f := range AllWindows() {
		writeRecord(&b, f.Signatures, nil, f.Doc, f.Examples)
	}
	b.WriteString(inFrom)
	return b.String()
}

// inFrom is what the records of functions do not tell: syntax of FROM and of aggregates.
const inFrom = `
## in FROM

They see the columns of the tables to their left, with or without LATERAL: ` + "`FROM t, UNNEST(t.tags) AS tag`, `FROM t LEFT JOIN UNNEST(t.tags) AS u (tag) ON TRUE`" + `.

- ` + "`UNNEST(x, ..) [WITH ORDINALITY] AS t (a, .., n)`" + `: a row of each element; several arguments go side by side. The elements of an ARRAY are one column, of STRUCTs a column for each field; a MAP gives key and value; JSON the elements of its array.
- ` + "`JSON_TABLE(doc, '$.a[*]' COLUMNS (n FOR ORDINALITY, x INT PATH '$.x' [DEFAULT .. | ERROR | NULL] ON EMPTY .. ON ERROR, h INT EXISTS PATH '$.h', NESTED PATH '$.l[*]' COLUMNS (..))) AS t`" + `: a row of each value at the path (MySQL 8.0 manual, 14.17.6).
- every function that gives an ARRAY or a MAP: ` + "`FROM generate_series(1, 3) AS n`, `FROM split('a,b', ',') AS part`" + `.
- TUMBLE, HOP, CUMULATE, SESSION: windows.

## nested values

ARRAY[1, 2], MAP['k', 1], STRUCT(1 AS a, 2 AS b), ROW(1, 2) with fields f1, f2. ` + "`x[i]`" + ` counts from 1, from the end when negative, and is NULL where there is nothing; ` + "`m['k']`, `s.a.b[2].c`" + `. ARRAYs and STRUCTs compare element by element, MAPs in the order of their entries; all can be grouped and ordered by.

A lambda is ` + "`x -> x + 1` or `(x, y) -> x + y`" + `, an argument of the functions of the family lambda; it sees the columns of the row and the parameters of lambdas around it.

Aggregates take ` + "`DISTINCT`, `FILTER (WHERE ..)`, `ORDER BY` inside the parentheses or as `WITHIN GROUP (ORDER BY ..)`, and `IGNORE NULLS`" + `. Rows that are equal in the order are ordered by their values, so that the result does not depend on which came first.
`

func writeRecord(b *strings.Builder, signatures, aliases []string, doc string, examples []Example) {
	fmt.Fprintf(b, "- `%s`", strings.Join(signatures, "` · `"))
	if len(aliases) > 0 {
		fmt.Fprintf(b, " (also %s)", strings.Join(aliases, ", "))
	}
	fmt.Fprintf(b, ": %s", doc)
	for i, ex := range examples {
		sep := " e.g. "
		if i > 0 {
			sep = "; "
		}
		fmt.Fprintf(b, "%s`%s` → `%s`", sep, ex.SQL, ex.Result)
	}
	b.WriteString("\n")
}

// TestRecords checks what the reference and completion rely on.
func TestRecords(t *testing.T) {
	if len(All()) < 400 || len(AllAggs()) < 60 {
		t.Errorf("%d functions, %d aggregates", len(All()), len(AllAggs()))
	}
	for _, f := range All() {
		if f.Name != strings.ToLower(f.Name) || Lookup(strings.ToUpper(f.Name)) != f {
			t.Errorf("%s is not found by its name", f.Name)
		}
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: the documentation is no sentence", f.Name)
		}
		if _, err := f.Bind(make([]Arg, 40)); err == nil && f.Family != "operator" && len(f.Signatures) == 1 && !strings.Contains(f.Signatures[0], "..") {
			t.Errorf("%s takes 40 arguments", f.Name)
		}
	}
	if !IsWindowFunction("ROW_NUMBER") || IsWindowFunction("sum") || LookupAgg("COUNT") == nil || Lookup("nosuch") != nil {
		t.Error("lookups")
	}
}

// TestRefused: what is left out is not there, and what is there is not called left out.
func TestRefused(t *testing.T) {
	for name, reason := range refused {
		if Lookup(name) != nil || LookupAgg(name) != nil {
			t.Errorf("%s is there, although it is refused", name)
		}
		if reason == "" || strings.HasSuffix(reason, ".") || name != strings.ToLower(name) {
			t.Errorf("%s: %q", name, reason)
		}
	}
}
