package output

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/millrace/millrace/cmd/millrace/client"
)

// Formats are the names of all formats; tables are for people, the others for programs.
var Formats = []string{"table", "box", "vertical", "csv", "tsv", "json", "jsonl", "markdown", "changelog", "raw"}

// tableFlushRows is how many rows a table collects to size its columns; later rows are printed in pages of as many.
const tableFlushRows = 1000

// maxCellWidth is the widest cell of a table; longer ones end in an ellipsis.
const maxCellWidth = 60

// Options say how to print.
type Options struct {
	Format   string
	NoHeader bool
	MaxRows  int64 // stop after so many rows; 0: no limit
}

// Print prints a result and returns the number of rows. Endless results are flushed whenever no row is waiting.
func Print(ctx context.Context, w io.Writer, res *client.Result, opt Options) (int64, error) {
	out := bufio.NewWriter(w)
	p := newPrinter(opt, out, res)
	var n int64
	for opt.MaxRows == 0 || n < opt.MaxRows {
		row, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if n > 0 { // what came is shown; an answer that never began has no header
				p.end()
			}
			_ = out.Flush()
			return n, err
		}
		n++
		p.row(row)
		if row.Last && res.Live {
			p.flush()
			if err := out.Flush(); err != nil {
				return n, err
			}
		}
	}
	p.end()
	return n, out.Flush()
}

// printer writes rows in one format.
type printer interface {
	row(r client.Row)
	flush() // show what has been collected
	end()
}

func newPrinter(opt Options, w *bufio.Writer, res *client.Result) printer {
	base := writer{w: w, res: res, opt: opt}
	switch opt.Format {
	case "vertical":
		return &vertical{writer: base}
	case "csv", "tsv":
		return newDelimited(base)
	case "json":
		return &jsonArray{writer: base}
	case "jsonl":
		return &jsonLines{base}
	case "markdown":
		return &table{writer: base, frame: markdownFrame, markdown: true}
	case "changelog":
		return &changelog{base}
	case "raw":
		return &raw{base}
	case "box":
		return &table{writer: base, frame: boxFrame}
	}
	return &table{writer: base, frame: asciiFrame}
}

type writer struct {
	w   *bufio.Writer
	res *client.Result
	opt Options
}

func (w *writer) flush() {}
func (w *writer) end()   {}

// names are the columns' names, with the change kind first in changelogs.
func (w *writer) names() []string {
	var names []string
	if w.res.Changes {
		names = append(names, "op")
	}
	for _, c := range w.res.Columns {
		names = append(names, c.Name)
	}
	return names
}

// cells are a row's values as text, with the change kind first in changelogs.
func (w *writer) cells(r client.Row) []string {
	var cells []string
	if w.res.Changes {
		cells = append(cells, r.Op)
	}
	for i, v := range r.Values {
		cells = append(cells, Text(v, w.res.Columns[i].Type))
	}
	return cells
}

// Text gives a JSON value as people read it: strings bare, instants with a blank for the T, NULL for null.
func Text(v json.RawMessage, typ string) string {
	if len(v) == 0 || string(v) == "null" {
		return "NULL"
	}
	if v[0] != '"' {
		return string(v)
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return string(v)
	}
	if strings.HasPrefix(typ, "TIMESTAMP") || strings.HasPrefix(typ, "DATETIME") {
		s = strings.TrimSuffix(strings.Replace(s, "T", " ", 1), "Z")
	}
	return s
}

// numeric tells whether cells of the type are set to the right.
func numeric(typ string) bool {
	for _, p := range []string{"TINYINT", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE"} {
		if strings.HasPrefix(typ, p) && !strings.HasPrefix(typ, "INTERVAL") {
			return true
		}
	}
	return false
}

// frame is how a table's lines are drawn: between columns, along them, and each rule's left end, crossing and right end from top to bottom.
type frame struct {
	bar, dash string
	rules     [3][3]string
}

var (
	asciiFrame    = frame{"|", "-", [3][3]string{{"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}}}
	boxFrame      = frame{"│", "─", [3][3]string{{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}}}
	markdownFrame = frame{"|", "-", [3][3]string{1: {"|", "|", "|"}}}
)

// table collects rows to size its columns.
type table struct {
	writer
	frame    frame
	markdown bool
	rows     [][]string
	printed  bool
}

func (t *table) row(r client.Row) {
	t.rows = append(t.rows, t.cells(r))
	if len(t.rows) >= tableFlushRows {
		t.flush()
	}
}

func (t *table) end() {
	if len(t.rows) > 0 || !t.printed {
		t.flush()
	}
}

func (t *table) flush() {
	names := t.names()
	right := make([]bool, len(names))
	width := make([]int, len(names))
	shift := len(names) - len(t.res.Columns)
	for i, n := range names {
		width[i] = runewidth.StringWidth(n)
		right[i] = i >= shift && numeric(t.res.Columns[i-shift].Type)
	}
	for _, row := range t.rows {
		for i, c := range row {
			row[i] = clip(c)
			if t.markdown {
				row[i] = strings.ReplaceAll(row[i], "|", `\|`)
			}
			width[i] = max(width[i], runewidth.StringWidth(row[i]))
		}
	}
	if !t.markdown {
		t.rule(width, 0)
	}
	if !t.opt.NoHeader {
		t.line(names, width, nil)
		if len(t.rows) > 0 || t.markdown {
			t.rule(width, 1)
		}
	}
	for _, row := range t.rows {
		t.line(row, width, right)
	}
	if !t.markdown && (len(t.rows) > 0 || !t.opt.NoHeader) {
		t.rule(width, 2)
	}
	t.rows, t.printed = t.rows[:0], true
}

// clip makes a cell one line of limited width.
func clip(s string) string {
	s = strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(s)
	return runewidth.Truncate(s, maxCellWidth, "…")
}

// rule draws the line at the top (0), below the header (1) or at the bottom (2).
func (t *table) rule(width []int, at int) {
	ends := t.frame.rules[at]
	for i, n := range width {
		t.w.WriteString(ends[min(i, 1)])
		t.w.WriteString(strings.Repeat(t.frame.dash, n+2))
	}
	t.w.WriteString(ends[2])
	t.w.WriteByte('\n')
}

func (t *table) line(cells []string, width []int, right []bool) {
	for i, c := range cells {
		pad := strings.Repeat(" ", width[i]-runewidth.StringWidth(c))
		if right != nil && right[i] {
			c = pad + c
		} else {
			c += pad
		}
		t.w.WriteString(t.frame.bar + " " + c + " ")
	}
	t.w.WriteString(t.frame.bar)
	t.w.WriteByte('\n')
}

// vertical is mysql's \G.
type vertical struct {
	writer
	n int
}

func (v *vertical) row(r client.Row) {
	v.n++
	fmt.Fprintf(v.w, "*************************** %d. row ***************************\n", v.n)
	names := v.names()
	width := 0
	for _, n := range names {
		width = max(width, runewidth.StringWidth(n))
	}
	for i, c := range v.cells(r) {
		fmt.Fprintf(v.w, "%s%s: %s\n", strings.Repeat(" ", width-runewidth.StringWidth(names[i])), names[i], c)
	}
}

// delimited is csv and tsv.
type delimited struct {
	writer
	csv    *csv.Writer
	header bool
}

func newDelimited(base writer) *delimited {
	d := &delimited{writer: base}
	if base.opt.Format == "csv" {
		d.csv = csv.NewWriter(base.w)
	}
	d.header = !base.opt.NoHeader
	return d
}

func (d *delimited) row(r client.Row) {
	if d.header {
		d.header = false
		d.write(d.names())
	}
	cells := d.cells(r)
	if d.csv != nil {
		shift := len(cells) - len(r.Values)
		for i, v := range r.Values {
			if string(v) == "null" {
				cells[i+shift] = ""
			}
		}
	}
	d.write(cells)
}

func (d *delimited) write(cells []string) {
	if d.csv != nil {
		_ = d.csv.Write(cells)
		d.csv.Flush()
		return
	}
	escape := strings.NewReplacer("\\", "\\\\", "\t", "\\t", "\n", "\\n")
	for i, c := range cells {
		if i > 0 {
			d.w.WriteByte('\t')
		}
		d.w.WriteString(escape.Replace(c))
	}
	d.w.WriteByte('\n')
}

func (d *delimited) end() {
	if d.header && len(d.res.Columns) > 0 {
		d.write(d.names())
	}
}

// object writes a row as a JSON object, in column order, with the change kind as op in changelogs.
func (w *writer) object(r client.Row) {
	w.w.WriteByte('{')
	if w.res.Changes {
		fmt.Fprintf(w.w, `"op":"%s"`, r.Op)
	}
	for i, v := range r.Values {
		if i > 0 || w.res.Changes {
			w.w.WriteByte(',')
		}
		w.w.Write(quote(w.res.Columns[i].Name))
		w.w.WriteByte(':')
		w.w.Write(v)
	}
	w.w.WriteByte('}')
}

func quote(s string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return bytes.TrimRight(b.Bytes(), "\n")
}

type jsonLines struct{ writer }

func (j *jsonLines) row(r client.Row) {
	j.object(r)
	j.w.WriteByte('\n')
}

// jsonArray is one array of objects.
type jsonArray struct {
	writer
	n int
}

func (j *jsonArray) row(r client.Row) {
	if j.n++; j.n == 1 {
		j.w.WriteString("[\n ")
	} else {
		j.w.WriteString(",\n ")
	}
	j.object(r)
}

func (j *jsonArray) end() {
	if j.n == 0 {
		j.w.WriteString("[")
	}
	j.w.WriteString("]\n")
}

// changelog is one line a row: +I[a, b].
type changelog struct{ writer }

func (c *changelog) row(r client.Row) {
	op := r.Op
	if op == "" {
		op = "+I"
	}
	cells := c.cells(r)
	fmt.Fprintf(c.w, "%s[%s]\n", op, strings.Join(cells[len(cells)-len(r.Values):], ", "))
}

// raw is the bare values with tabs between them: nothing is escaped, no header.
type raw struct{ writer }

func (p *raw) row(r client.Row) {
	cells := p.cells(r)
	p.w.WriteString(strings.Join(cells[len(cells)-len(r.Values):], "\t"))
	p.w.WriteByte('\n')
}
