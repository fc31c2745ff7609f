package difftest

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// history is how tables come to be, part by part.
type history struct {
	changing bool
	lines    []map[string][]string // by part and table: the records
	content  []tables              // by part: the rows then
}

// newHistory draws the order in which the rows come; changing, some of those that are there change or go in each part.
func newHistory(r *rand.Rand, rows tables, changing bool) *history {
	h := &history{changing: changing}
	now := tables{}
	for part := range dataParts {
		lines := map[string][]string{}
		for _, name := range tableNames {
			all := rows[name]
			for range 2 * b2i(changing && part > 0 && len(now[name]) > 0) {
				lines[name] = append(lines[name], h.change(r, now, name)...)
			}
			for _, row := range all[len(all)*part/dataParts : len(all)*(part+1)/dataParts] {
				now[name] = append(now[name], row)
				lines[name] = append(lines[name], h.record("+I", row))
			}
		}
		h.lines = append(h.lines, lines)
		copied := tables{}
		for name, rows := range now {
			copied[name] = slices.Clone(rows)
		}
		h.content = append(h.content, copied)
	}
	return h
}

func b2i(x bool) int {
	if x {
		return 1
	}
	return 0
}

// change deletes a row or gives it other values.
func (h *history) change(r *rand.Rand, now tables, name string) []string {
	if len(now[name]) == 0 {
		return nil
	}
	i := r.IntN(len(now[name]))
	old := now[name][i]
	if r.IntN(3) == 0 {
		now[name] = slices.Delete(slices.Clone(now[name]), i, i+1)
		return []string{h.record("-D", old)}
	}
	row := []string{old[0]}
	for _, c := range queryColumns[1:] {
		row = append(row, cell(r, c.name, 0))
	}
	now[name] = slices.Clone(now[name])
	now[name][i] = row
	return []string{h.record("-U", old), h.record("+U", row)}
}

func (h *history) record(op string, row []string) string {
	var object []string
	if h.changing {
		object = append(object, `"op": "`+op+`"`)
	}
	for k, v := range row {
		if v == "NULL" {
			v = "null"
		}
		object = append(object, strconv.Quote(queryColumns[k].name)+": "+strings.ReplaceAll(v, "'", `"`))
	}
	return "{" + strings.Join(object, ", ") + "}\n"
}

// option is what the tables need to be read.
func (h *history) option() string {
	if h.changing {
		return ", op_field = 'op'"
	}
	return ""
}

// write appends a part to the files of the tables.
func (h *history) write(t *testing.T, dir string, part int) {
	t.Helper()
	for _, name := range tableNames {
		f, err := os.OpenFile(filepath.Join(dir, name+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(strings.Join(h.lines[part][name], "")); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
