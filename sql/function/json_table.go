package function

import (
	"strconv"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// JSONColumn is a column of JSON_TABLE, or the columns that are Nested below a path.
type JSONColumn struct {
	Name             string
	Type             types.Type
	Path             string
	Ordinality       bool // numbers the values of its level, from 1
	Exists           bool // whether there is a value at Path
	OnEmpty, OnError JSONFallback
	Nested           []JSONColumn
}

// JSONFallback is what a column is when there is no value for it, or none of its type: NULL, Default, or an error of the row.
type JSONFallback struct {
	Error   bool
	Default *vector.Vector // one value of the column's type; nil: NULL
}

// CheckPath says what is wrong with a JSON path.
func CheckPath(text string) error {
	_, err := parsePath(text)
	return err
}

// BindJSONTable makes the function of JSON_TABLE (MySQL 8.0 manual, 14.17.6): of a document it gives an ARRAY of STRUCTs, one for each
// row of the table; NULL of a document that is NULL. Each value at path gives a row; a value has a row for each value of each of its
// nested paths, one path after the other (those of the others NULL), and at least one. A document that is no JSON is a row error.
func BindJSONTable(path string, cols []JSONColumn) (Bound, error) {
	t := &jsonTable{}
	var err error
	if t.root, err = t.level(path, cols); err != nil {
		return Bound{}, err
	}
	fields := make([]types.Field, len(t.cols))
	for i, c := range t.cols {
		fields[i] = types.Field{Name: c.Name, Type: c.Type}
	}
	return Bound{Ret: types.ArrayOf(types.StructOf(fields...)), ArgTypes: []types.Type{tText, tText}, FirstOnly: true, Kernel: t.kernel}, nil
}

// jsonTable is a compiled JSON_TABLE; it is immutable.
type jsonTable struct {
	root *jsonLevel
	cols []tableColumn // of all levels, in the order of the table
}

type tableColumn struct {
	JSONColumn
	path jsonPath
	cast Kernel // from text

	noValue, badValue *diag.Error
}

// jsonLevel is a row path and what is taken of each of its values. Its columns and those of its nested levels are cols[first:last].
type jsonLevel struct {
	path        jsonPath
	own         []int
	nested      []*jsonLevel
	first, last int
}

func (t *jsonTable) level(path string, cols []JSONColumn) (*jsonLevel, error) {
	l := &jsonLevel{first: len(t.cols)}
	var err error
	if l.path, err = parsePath(path); err != nil {
		return nil, err
	}
	for _, c := range cols {
		if c.Nested != nil {
			n, err := t.level(c.Path, c.Nested)
			if err != nil {
				return nil, err
			}
			l.nested = append(l.nested, n)
			continue
		}
		col := tableColumn{JSONColumn: c,
			noValue:  diag.New(diag.InvalidArgument, -1, "the document of JSON_TABLE has no value for column '%s'", c.Name),
			badValue: diag.New(diag.InvalidArgument, -1, "the document of JSON_TABLE has a value for column '%s' that is no %s", c.Name, c.Type)}
		if c.Ordinality {
			col.Type = tInt
		} else if col.path, err = parsePath(c.Path); err != nil {
			return nil, err
		}
		if col.cast, err = Assign(tText, col.Type); err != nil {
			return nil, err
		}
		if col.Type.Kind == types.JSON || col.Type.Equal(tText) {
			col.cast = copyKernel
		}
		l.own = append(l.own, len(t.cols))
		t.cols = append(t.cols, col)
	}
	l.last = len(t.cols)
	return l, nil
}

// cellState is what has been found for a column.
type cellState uint8

const (
	cellNull   cellState = iota // JSON null, or a column of another nested path
	cellValue                   // the text is that of the value
	cellEmpty                   // there is none
	cellFailed                  // there is one that the column cannot hold
)

// jsonRows collects the rows of a batch, by column, as text.
type jsonRows struct {
	t      *jsonTable
	state  []cellState // of the row being made, by column
	text   [][]byte    // likewise
	states [][]cellState
	texts  []*vector.Vector
	rows   []int32 // by made row: the batch's row
	row    int32
}

func (t *jsonTable) kernel(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector) {
	r := &jsonRows{t: t, state: make([]cellState, len(t.cols)), text: make([][]byte, len(t.cols)), states: make([][]cellState, len(t.cols))}
	for range t.cols {
		r.texts = append(r.texts, vector.New(tText, n))
	}
	for i := range n {
		r.row = int32(i)
		if args[0].IsNull(i) {
			out.Off = append(out.Off, int32(len(r.rows)))
			continue
		}
		if doc := args[0].Bytes(i); validJSON(doc) {
			r.level(t.root, doc)
		} else if ctx.Counts(i) {
			ctx.Fail(i, diag.New(diag.InvalidArgument, -1, "JSON_TABLE reads a text that is no JSON"))
		}
		out.Off = append(out.Off, int32(len(r.rows)))
	}
	out.N = n
	list := out.Child[0]
	for c := range t.cols {
		r.finish(ctx, c, list.Child[c])
	}
	for range r.rows {
		list.EndStruct()
	}
	for i := range n {
		if args[0].IsNull(i) {
			out.SetNull(i)
		}
	}
}

// level makes the rows of all values of a level, and tells how many there are.
func (r *jsonRows) level(l *jsonLevel, doc []byte) int {
	number := 0
	l.path.each(doc, func(value []byte) bool {
		number++
		r.value(l, value, number)
		return true
	})
	return number
}

// value makes the rows of one value of a level.
func (r *jsonRows) value(l *jsonLevel, value []byte, number int) {
	for _, c := range l.own {
		r.cell(c, value, number)
	}
	for _, n := range l.nested {
		r.forget(n)
	}
	found := 0
	for _, n := range l.nested {
		found += r.level(n, value)
		r.forget(n)
	}
	if found == 0 {
		r.end()
	}
}

// forget makes the columns of a level NULL.
func (r *jsonRows) forget(l *jsonLevel) {
	for c := l.first; c < l.last; c++ {
		r.state[c] = cellNull
	}
}

// end completes a row.
func (r *jsonRows) end() {
	for c, s := range r.state {
		r.states[c] = append(r.states[c], s)
		if s == cellValue {
			r.texts[c].AppendBytes(r.text[c])
		} else {
			r.texts[c].AppendNull()
		}
	}
	r.rows = append(r.rows, r.row)
}

// cell finds a column's value below that of its level.
func (r *jsonRows) cell(c int, value []byte, number int) {
	col := &r.t.cols[c]
	if col.Ordinality {
		r.state[c], r.text[c] = cellValue, strconv.AppendInt(r.text[c][:0], int64(number), 10)
		return
	}
	var raw []byte
	count := 0
	if !col.path.wild {
		if raw = col.path.find(value); len(raw) > 0 {
			count = 1
		}
	} else {
		col.path.each(value, func(v []byte) bool { raw = v; count++; return true })
	}
	switch {
	case col.Exists:
		r.state[c], r.text[c] = cellValue, strconv.AppendInt(r.text[c][:0], boolInt(count > 0), 10)
	case count == 0:
		r.state[c] = cellEmpty
	case count > 1 && col.Type.Kind == types.JSON:
		text := append(r.text[c][:0], '[')
		r.state[c], r.text[c] = cellValue, append(col.path.collect(text, value, 1), ']')
	case count > 1:
		r.state[c] = cellFailed
	default:
		r.scalar(c, raw)
	}
}

// scalar takes one value as the text that is cast to the column's type.
func (r *jsonRows) scalar(c int, raw []byte) {
	kind := r.t.cols[c].Type.Kind
	text := r.text[c][:0]
	r.state[c] = cellValue
	switch {
	case kind == types.JSON:
		text = append(text, raw...)
	case string(raw) == "null":
		r.state[c] = cellNull
	case raw[0] == '"':
		text = unquoteJSON(text, raw)
	case raw[0] == '{' || raw[0] == '[':
		if text = append(text, raw...); isScalarKind(kind) {
			r.state[c] = cellFailed
		}
	case (kind.IsNumeric() || kind == types.Bool) && raw[0] == 't':
		text = append(text, '1')
	case (kind.IsNumeric() || kind == types.Bool) && raw[0] == 'f':
		text = append(text, '0')
	default:
		text = append(text, raw...)
	}
	r.text[c] = text
}

func isScalarKind(k types.Kind) bool {
	return k.Class() != types.ClassList && k.Class() != types.ClassStruct
}

// finish casts the texts of a column and puts the fallbacks in.
func (r *jsonRows) finish(ctx *Ctx, c int, out *vector.Vector) {
	col := &r.t.cols[c]
	texts := r.texts[c]
	cast := vector.New(col.Type, texts.N)
	inner := Ctx{Now: ctx.Now, Zone: ctx.Zone}
	col.cast(&inner, []*vector.Vector{texts}, texts.N, cast)
	for _, e := range inner.Errs {
		if r.states[c][e.Row] == cellValue {
			r.states[c][e.Row] = cellFailed
		}
	}
	for k, s := range r.states[c] {
		switch s {
		case cellValue:
			out.AppendFrom(cast, k)
		case cellEmpty:
			r.fallback(ctx, k, out, col.OnEmpty, col.noValue)
		case cellFailed:
			r.fallback(ctx, k, out, col.OnError, col.badValue)
		default:
			out.AppendNull()
		}
	}
}

func (r *jsonRows) fallback(ctx *Ctx, k int, out *vector.Vector, f JSONFallback, why *diag.Error) {
	switch {
	case f.Error:
		ctx.Fail(int(r.rows[k]), why)
		out.AppendNull()
	case f.Default != nil:
		out.AppendFrom(f.Default, 0)
	default:
		out.AppendNull()
	}
}
