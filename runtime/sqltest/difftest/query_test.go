package difftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/millrace/millrace/connectors/file" // the tables are files
	"github.com/millrace/millrace/runtime/engine"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Limits.
const (
	queriesPerData = 250 // queries over the same rows
	queryTimeout   = 20 * time.Second
)

// unsupported is in MariaDB's answer to what it has not got.
const unsupported = "doesn't yet support"

// TestQueries compares random queries over small random tables.
func TestQueries(t *testing.T) {
	compareQueries(t, *queryCount, func(r *rand.Rand) (string, bool) { return (&queries{r: r}).top() })
}

// compareQueries compares n queries over small random tables as multisets of rows, as lists where next says that their order is defined.
func compareQueries(t *testing.T, n int, next func(r *rand.Rand) (text string, ordered bool)) {
	c := connect(t)
	r := random(t)
	refused := map[string]int{}
	example := map[string]string{}
	done, different, rows := 0, 0, 0
	for data := 0; done < n; data++ {
		dir := t.TempDir()
		e, err := engine.Open(engine.Options{DataDir: filepath.Join(dir, "data"), Variables: map[string]string{"parallelism": strconv.Itoa(1 + data%2)}, Stdout: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		s := e.NewSession()
		tables := draw(r)
		c.run(t, tables.statements())
		tables.write(t, dir)
		tables.create(t, s, dir, "")
		var texts []string
		var order []bool
		for range min(queriesPerData, n-done) {
			text, ordered := next(r)
			texts, order = append(texts, text), append(order, ordered)
		}
		theirs := c.run(t, texts)
		for i, text := range texts {
			done++
			if len(theirs[i]) > 1 && strings.Contains(theirs[i][1], unsupported) {
				continue
			}
			schema, ours, err := execute(s, text)
			if err != nil {
				d, ok := diag.As(err)
				if !ok || d.Code == diag.Internal {
					t.Errorf("%s\n  %v", text, err)
					different++
				} else if len(theirs[i]) == 0 || theirs[i][0] != failed {
					key := d.Code.String() + " " + d.Message
					refused[key]++
					if old := example[key]; old == "" || len(text) < len(old) {
						example[key] = text
					}
				}
				continue
			}
			rows += len(ours)
			want := normalise(schema, theirs[i])
			if !order[i] {
				slices.Sort(ours)
				slices.Sort(want)
			}
			if slices.Equal(ours, want) {
				continue
			}
			if different++; different <= *shown {
				t.Errorf("%s\n  ours   %q\n  theirs %q", text, ours, want)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
	total := 0
	for k, n := range refused {
		total += n
		t.Logf("refused %4d  %s  e.g. %s", n, k, example[k])
	}
	t.Logf("%d queries, %d rows, %d refused, %d different", done, rows, total, different)
	if float64(total) > 0.2*float64(done) {
		t.Errorf("%d of %d queries are refused", total, done)
	}
}

// tables are the rows of a, b and c, as literals.
type tables map[string][][]string

func draw(r *rand.Rand) tables {
	out := tables{}
	for i, name := range tableNames {
		for id := range []int{14, 8, 5}[i] {
			var row []string
			for _, c := range queryColumns {
				row = append(row, cell(r, c.name, id+1))
			}
			out[name] = append(out[name], row)
		}
	}
	return out
}

var tableNames = []string{"a", "b", "c"}

func definitions() string {
	var defs []string
	for _, c := range queryColumns {
		defs = append(defs, c.name+" "+c.typ)
	}
	return strings.Join(defs, ", ")
}

// statements make the tables in MariaDB.
func (tab tables) statements() (out []string) {
	for _, name := range tableNames {
		out = append(out, "DROP TABLE IF EXISTS "+name, "CREATE TABLE "+name+" ("+definitions()+")")
		for _, row := range tab[name] {
			out = append(out, "INSERT INTO "+name+" VALUES ("+strings.Join(row, ", ")+")")
		}
	}
	return out
}

// write fills the files of the tables.
func (tab tables) write(t *testing.T, dir string) {
	t.Helper()
	h := &history{}
	lines := map[string][]string{}
	for name, rows := range tab {
		for _, row := range rows {
			lines[name] = append(lines[name], h.record("+I", row))
		}
	}
	h.lines = append(h.lines, lines)
	h.write(t, dir, 0)
}

// create makes the sources that read the files.
func (tab tables) create(t *testing.T, s *engine.Session, dir, options string) {
	t.Helper()
	for _, name := range tableNames {
		path := filepath.Join(dir, name+".jsonl")
		text := fmt.Sprintf("CREATE SOURCE %s (%s) WITH (connector = 'file', path = '%s', format = 'json'%s)", name, definitions(), path, options)
		if _, _, err := execute(s, text); err != nil {
			t.Fatal(err)
		}
	}
}

// cell draws a value from few, so that joins and groups meet; one in eight is NULL.
func cell(r *rand.Rand, name string, id int) string {
	if name == "id" {
		return strconv.Itoa(id)
	}
	if r.IntN(8) == 0 {
		return "NULL"
	}
	switch name {
	case "g":
		return strconv.Itoa(r.IntN(4))
	case "h":
		return strconv.Itoa(r.IntN(20) - 5)
	case "v":
		return fmt.Sprintf("%d.%02d", r.IntN(7)-2, 25*r.IntN(4))
	case "f":
		return strconv.FormatFloat(float64(r.IntN(64))/8-3, 'f', -1, 64)
	case "s":
		return "'" + []string{"a", "b", "ab", "", "A", "ca", "é"}[r.IntN(7)] + "'"
	}
	return fmt.Sprintf("'2026-%02d-%02d'", 1+r.IntN(3), []int{1, 15, 28}[r.IntN(3)])
}

// execute runs a statement and gives the text of its rows, changes played.
func execute(s *engine.Session, text string) ([]types.Field, []string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	res, err := s.Exec(ctx, text)
	if err != nil {
		return nil, nil, err
	}
	defer res.Close()
	rows := []string{}
	var buf []byte
	for {
		b, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return res.Fields, rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		for k := range b.Rows() {
			i := b.Row(k)
			var cells []string
			for c, v := range b.Cols {
				buf = function.AppendText(buf[:0], v, i)
				cells = append(cells, canonical(res.Fields[c].Type, string(buf)))
			}
			row := strings.Join(cells, "|")
			if b.Change(i).Adds() {
				rows = append(rows, row)
			} else if at := slices.Index(rows, row); at >= 0 {
				rows = slices.Delete(rows, at, at+1)
			} else {
				return nil, nil, fmt.Errorf("the answer takes back a row that is not there: %s", row)
			}
		}
	}
}

// normalise brings MariaDB's rows to the form of ours.
func normalise(fields []types.Field, lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line == failed {
			return lines
		}
		cells := strings.Split(line, "\t")
		for c := range cells {
			if c < len(fields) {
				cells[c] = canonical(fields[c].Type, unescape(cells[c]))
			}
		}
		out[i] = strings.Join(cells, "|")
	}
	return out
}

// canonical is the form of a value in which both sides are compared: numbers without needless zeros, DOUBLEs with nine digits.
func canonical(t types.Type, s string) string {
	switch {
	case s == "NULL":
	case t.Kind.IsFloat():
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return strconv.FormatFloat(f+0, 'g', 9, 64)
		}
	case t.Kind.IsNumeric() || t.Kind == types.Bool:
		if x, ok := new(big.Rat).SetString(s); ok {
			return x.RatString()
		}
	case t.Kind.IsTemporal():
		return trimFraction(s)
	}
	return s
}
