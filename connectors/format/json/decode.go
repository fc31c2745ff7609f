package json

import (
	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// decoder decodes records of one schema. Its methods that decode a value take the index of the value's first byte and return the
// index behind it, or -1 after an error has been noted in err or in the scanner.
type decoder struct {
	scanner
	root     node
	columns  []*node // per column of the batch; nil: metadata
	metadata []metaColumn
	strict   bool // fail_on_missing
	hasOp    bool

	times   format.Times
	scratch []byte // text of an escaped string
	op      vector.Change
	opSeen  bool
	err     *diag.Error // of this record; nil with -1: malformed, see scanner
}

type metaColumn struct {
	col int
	key string
}

func newDecoder(cfg format.DecoderConfig) (format.Decoder, error) {
	d := &decoder{strict: cfg.Options.Bool("fail_on_missing"), columns: make([]*node, len(cfg.Columns))}
	d.times.EpochUnit = format.EpochUnitOf(cfg.Options.String("epoch_unit"))
	d.root.act = actStruct
	for i, c := range cfg.Columns {
		if c.MetadataKey != "" {
			if err := format.CheckMeta(c); err != nil {
				return nil, err
			}
			d.metadata = append(d.metadata, metaColumn{col: i, key: c.MetadataKey})
			continue
		}
		n, err := newNode(c.Name, c.Type, 0)
		if err != nil {
			return nil, err
		}
		n.notNull = c.NotNull
		d.columns[i] = n
		d.root.fields = append(d.root.fields, n)
		d.root.keys.add(c.Name, n)
	}
	d.addOp(cfg.Options)
	return d, nil
}

// addOp wants the field of the change kind, which may be a column as well.
func (d *decoder) addOp(opts connectors.Values) {
	name := opts.String("op_field")
	if name == "" {
		return
	}
	d.hasOp = true
	if s := d.root.keys.byKey[name]; s != nil {
		s.node.isOp = true
		return
	}
	d.root.keys.add(name, &node{act: actOp, path: name, isOp: true})
}

// Decode appends the record's row to dst, or nothing and returns why.
func (d *decoder) Decode(record []byte, meta *format.Meta, dst *vector.Batch) *diag.Error {
	for i, n := range d.columns {
		if n != nil && n.vec != dst.Cols[i] {
			n.bind(dst.Cols[i])
		}
	}
	d.src, d.op, d.opSeen = record, vector.Insert, false
	i := space(record, 0)
	if byteAt(record, i) == '{' {
		i = d.object(&d.root, dst.N, i)
	} else {
		i = d.fail(faultSyntax, i)
	}
	if i >= 0 {
		if i = space(record, i); i != len(record) {
			i = d.fail(faultSyntax, i)
		} else if d.hasOp && !d.opSeen {
			i = d.missing(d.opPath())
		}
	}
	if i < 0 {
		format.Rollback(dst)
		return d.takeError()
	}
	for _, m := range d.metadata {
		format.AppendMeta(dst.Cols[m.col], m.key, meta)
	}
	dst.EndRow(d.op)
	return nil
}

// object decodes the members of an object into the fields of n, whose vectors have `rows` rows before.
func (d *decoder) object(n *node, rows, i int) int {
	src := d.src
	if i = space(src, i+1); byteAt(src, i) == '}' {
		return d.endObject(n, rows, i+1)
	}
	var prev *slot
	want := n.keys.first
	for {
		var f *node
		if want != nil && want.matches(src, i) {
			i += len(want.token)
			prev, f, want = want, want.node, want.next
		} else {
			var s *slot
			if i, s = d.unpredicted(n, prev, i); i < 0 {
				return -1
			}
			if s != nil {
				prev, f, want = s, s.node, s.next
			}
		}
		i = space(src, i)
		if f == nil {
			i = d.skip(i)
		} else {
			if f.vec != nil && f.vec.N > rows { // a duplicate key: the last one wins
				format.RollbackVector(f.vec, rows)
			}
			i = d.value(f, i)
		}
		if i < 0 {
			return -1
		}
		i = space(src, i)
		switch byteAt(src, i) {
		case ',':
			i = space(src, i+1)
		case '}':
			return d.endObject(n, rows, i+1)
		default:
			return d.fail(faultSyntax, i)
		}
	}
}

// unpredicted reads a key and its colon, and remembers that it comes behind prev (nil: first).
func (d *decoder) unpredicted(n *node, prev *slot, i int) (int, *slot) {
	if byteAt(d.src, i) != '"' {
		return d.fail(faultSyntax, i), nil
	}
	end := d.str(i + 1)
	if end < 0 {
		return -1, nil
	}
	s := n.keys.learn(d.text(i, end))
	if s != nil && prev != nil {
		prev.next = s
	} else if s != nil {
		n.keys.first = s
	}
	return d.colon(end + 1), s
}

// text returns the content of a scanned string with its quotes at i and end; it is valid until the next call.
func (d *decoder) text(i, end int) []byte {
	if !d.last.escaped {
		return d.src[i+1 : end]
	}
	d.scratch = unescape(d.scratch[:0], d.src[i+1:end])
	return d.scratch
}

// endObject gives a NULL to every field that the object lacks.
func (d *decoder) endObject(n *node, rows, i int) int {
	for _, f := range n.fields {
		if f.vec.N > rows {
			continue
		}
		if f.notNull || d.strict {
			return d.missing(f.path)
		}
		f.vec.AppendNull()
	}
	return i
}

// value decodes one value into n's vector, which gets exactly one row.
func (d *decoder) value(n *node, i int) int {
	c := byteAt(d.src, i)
	if n.isOp {
		if j := d.changeKind(n, i); j < 0 || n.act == actOp {
			return j
		}
	}
	if c == 'n' {
		return d.null(n, i)
	}
	switch n.act {
	case actInt:
		return d.integer(n, i)
	case actString:
		if c == '"' {
			return d.stringValue(n, i)
		}
	case actTime:
		if c == '"' {
			return d.instant(n, i)
		}
	case actFloat:
		return d.float(n, i)
	case actDecimal:
		return d.decimal(n, i)
	case actJSON:
		return d.raw(n, i)
	case actStruct:
		if c == '{' {
			if i = d.object(n, n.vec.N, i); i >= 0 {
				n.vec.EndStruct()
			}
			return i
		}
		return d.wrongType(n, i)
	case actArray:
		if c == '[' {
			return d.array(n, i)
		}
		return d.wrongType(n, i)
	case actMap:
		if c == '{' {
			return d.mapValue(n, i)
		}
		return d.wrongType(n, i)
	}
	return d.scalar(n, i)
}

func (d *decoder) null(n *node, i int) int {
	if i = d.literal(i, "null"); i < 0 {
		return -1
	}
	if n.notNull {
		d.err = diag.New(diag.MissingField, -1, "field '%s' is null, but its column is NOT NULL", n.path)
		return -1
	}
	n.vec.AppendNull()
	return i
}

// changeKind reads +I, -U, +U or -D.
func (d *decoder) changeKind(n *node, i int) int {
	if byteAt(d.src, i) != '"' {
		return d.badValue(n, i, "no change kind (+I, -U, +U, -D)")
	}
	end := d.str(i + 1)
	if end < 0 {
		return -1
	}
	op, ok := vector.ParseChange(d.text(i, end))
	if !ok {
		return d.badValue(n, i, "no change kind (+I, -U, +U, -D)")
	}
	d.op, d.opSeen = op, true
	return end + 1
}

func (d *decoder) stringValue(n *node, i int) int {
	end := d.str(i + 1)
	if end < 0 {
		return -1
	}
	if d.last.escaped {
		n.vec.Data = unescape(n.vec.Data, d.src[i+1:end])
	} else {
		n.vec.Data = append(n.vec.Data, d.src[i+1:end]...)
	}
	if !n.vec.FitBytes() {
		return d.badValue(n, i, "too long for "+n.typ.String())
	}
	return end + 1
}

// isoMillis is the length of the text of an instant as most programs write it: 2026-01-02T10:00:00.000Z.
const isoMillis = 24

func (d *decoder) instant(n *node, i int) int {
	if end := i + 1 + isoMillis; byteAt(d.src, end) == '"' { // whatever is not plain text in between is no timestamp either
		if micros, ok := d.times.Timestamp(d.src[i+1 : end]); ok {
			n.vec.AppendI64(format.CutPrecision(micros, n.typ))
			return end + 1
		}
	}
	end := d.str(i + 1)
	if end < 0 {
		return -1
	}
	micros, ok := d.times.Timestamp(d.text(i, end))
	if !ok {
		return d.scalar(n, i)
	}
	n.vec.AppendI64(format.CutPrecision(micros, n.typ))
	return end + 1
}

// raw keeps the text of any value.
func (d *decoder) raw(n *node, i int) int {
	end := d.skip(i)
	if end >= 0 {
		n.vec.AppendBytes(d.src[i:end])
	}
	return end
}

// scalar decodes whatever the fast paths leave: numbers in strings, strings from numbers, booleans, rare kinds.
func (d *decoder) scalar(n *node, i int) int {
	end := d.skip(i)
	if end < 0 {
		return -1
	}
	text, quoted := d.src[i:end], false
	switch text[0] {
	case '"':
		quoted = true
		text = d.text(i, end-1)
	case '{', '[':
		if p, ok := format.ParseGeo(text); ok && n.typ.Kind == types.Point {
			n.vec.AppendI128(p)
			return end
		}
		return d.wrongType(n, i)
	case 't', 'f':
		if n.act != actBool && n.act != actString {
			return d.wrongType(n, i)
		}
	}
	if !quoted && n.act == actText && n.typ.Kind != types.Year && !n.typ.Kind.IsListed() { // a number is no DATE, TIME or VARBINARY
		return d.wrongType(n, i)
	}
	if quoted && n.typ.Kind.IsNumeric() && d.number0(text) != len(text) {
		return d.wrongType(n, i)
	}
	if !d.times.AppendText(n.vec, text) {
		return d.wrongType(n, i)
	}
	return end
}

// number0 scans a number in another text than the record.
func (d *decoder) number0(text []byte) int {
	s := scanner{src: text}
	return s.number(0)
}
