package datagen

import (
	"fmt"
	"hash/crc32"
	"math"
	"strconv"
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/connectors/generate"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Limits and defaults of generated values.
const (
	defaultLength = 16
	maxLength     = 1 << 20
	defaultMax    = 1_000_000
	dayRange      = 3650 // random dates lie within ten years behind 2020-01-01
	firstDay      = 18262
	yearRange     = 60 // random years: 1970 to 2030
	firstYear     = 1970
	maxElements   = 3 // of generated arrays and maps
)

// maker makes the values of one column.
type maker struct {
	typ         types.Type
	salt        uint64
	sequence    bool
	start, end  int64 // of a sequence; it begins anew behind its end
	lo, hi      int64
	flo, fhi    float64
	length      int
	nullPercent float64
	values      [][]byte // texts to choose from
	times       *format.Times
	children    []maker // of ARRAY (elements), MAP (keys, values) and STRUCT (fields)
}

func newMaker(c connectors.Column, opts map[string]string) (maker, error) {
	m := maker{typ: c.Type, salt: uint64(crc32.ChecksumIEEE([]byte(c.Name))), start: 0, end: math.MaxInt64, hi: defaultMax,
		fhi: defaultMax, length: defaultLength, times: &format.Times{}}
	if err := m.nest(c); err != nil {
		return m, err
	}
	if c.MetadataKey != "" {
		return m, diag.New(diag.BadOption, -1, "column '%s': datagen has no metadata", c.Name)
	}
	m.limit()
	if list := opts["values"]; list != "" {
		for _, v := range strings.Split(list, ",") {
			if !m.times.AppendText(vector.New(c.Type, 1), []byte(v)) {
				return m, bad(c, "values", fmt.Errorf("'%s' is no %s", v, c.Type))
			}
			m.values = append(m.values, []byte(v))
		}
	}
	return m, m.set(c, opts)
}

// nest makes the makers of what a nested value consists of; they take no options.
func (m *maker) nest(c connectors.Column) error {
	var parts []types.Field
	switch t := c.Type; t.Kind {
	case types.Array:
		parts = []types.Field{{Name: c.Name + "[]", Type: *t.Elem}}
	case types.Map:
		parts = []types.Field{{Name: c.Name + " key", Type: *t.Key}, {Name: c.Name + "[]", Type: *t.Elem}}
	case types.Struct:
		for _, f := range t.Fields {
			parts = append(parts, types.Field{Name: c.Name + "." + f.Name, Type: f.Type})
		}
	}
	for _, p := range parts {
		child, err := newMaker(connectors.Column{Name: p.Name, Type: p.Type}, nil)
		if err != nil {
			return err
		}
		m.children = append(m.children, child)
	}
	return nil
}

// limit narrows the default range to what the type holds.
func (m *maker) limit() {
	if k := m.typ.Kind; k.IsInteger() {
		_, hi := format.IntRange(k)
		m.hi = min(m.hi, hi)
	}
	if m.typ.Kind == types.Decimal {
		digits := m.typ.Precision - m.typ.Scale
		m.fhi = min(m.fhi, math.Pow10(digits)-1)
	}
	switch m.typ.Kind {
	case types.Date:
		m.lo, m.hi = firstDay, firstDay+dayRange
	case types.Year:
		m.lo, m.hi = firstYear, firstYear+yearRange
	case types.String, types.Bytes:
		if m.typ.Precision > 0 {
			m.length = min(m.length, m.typ.Precision)
		}
	}
}

func bad(c connectors.Column, name string, err error) error {
	return diag.New(diag.BadOption, -1, "option 'fields.%s.%s': %v", c.Name, name, err)
}

func (m *maker) set(c connectors.Column, opts map[string]string) (err error) {
	switch kind := opts["kind"]; kind {
	case "", "random":
	case "sequence":
		if !m.typ.Kind.IsNumeric() {
			return bad(c, "kind", fmt.Errorf("a sequence needs a number, not %s", m.typ))
		}
		m.sequence = true
	default:
		return bad(c, "kind", fmt.Errorf("'%s' is none of random, sequence", kind))
	}
	for name, target := range map[string]*int64{"start": &m.start, "end": &m.end} {
		if s, ok := opts[name]; ok {
			if *target, err = strconv.ParseInt(s, 10, 64); err != nil {
				return bad(c, name, err)
			}
		}
	}
	for name, target := range map[string]*float64{"min": &m.flo, "max": &m.fhi, "null_percent": &m.nullPercent} {
		if s, ok := opts[name]; ok {
			if *target, err = strconv.ParseFloat(s, 64); err != nil || math.IsNaN(*target) || math.IsInf(*target, 0) {
				return bad(c, name, fmt.Errorf("'%s' is no number", s))
			}
		}
	}
	for name, target := range map[string]*int64{"min": &m.lo, "max": &m.hi} {
		if s, ok := opts[name]; ok && (m.typ.Kind.IsInteger() || m.typ.Kind == types.Year) {
			if *target, err = strconv.ParseInt(s, 10, 64); err != nil {
				return bad(c, name, err)
			}
		}
	}
	if s, ok := opts["length"]; ok {
		if m.length, err = strconv.Atoi(s); err != nil || m.length < 0 || m.length > maxLength {
			return bad(c, "length", fmt.Errorf("'%s' is not 0 to %d", s, maxLength))
		}
	}
	return m.checkRange(c)
}

func (m *maker) checkRange(c connectors.Column) error {
	if m.lo > m.hi || m.flo > m.fhi || m.start > m.end {
		return bad(c, "max", fmt.Errorf("the range is empty"))
	}
	if m.typ.Kind.IsInteger() {
		lo, hi := format.IntRange(m.typ.Kind)
		if m.lo < lo || m.hi > hi {
			return bad(c, "max", fmt.Errorf("%s holds %d to %d", m.typ, lo, hi))
		}
	}
	return nil
}

// append appends the value of row n. At is the row's time, which instants near the wall clock follow.
func (m *maker) append(v *vector.Vector, r *generate.Random, n, at int64, scratch []byte) []byte {
	if m.nullPercent > 0 && r.Float()*100 < m.nullPercent {
		v.AppendNull()
		return scratch
	}
	if len(m.values) > 0 {
		m.times.AppendText(v, m.values[r.Int(int64(len(m.values)))])
		return scratch
	}
	switch k := m.typ.Kind; {
	case k == types.Bool:
		v.AppendI64(r.Int(2))
	case k.IsInteger():
		v.AppendI64(m.integer(r, n))
	case k.IsFloat():
		if m.sequence {
			v.AppendF64(float64(m.integer(r, n)))
		} else {
			v.AppendF64(m.flo + r.Float()*(m.fhi-m.flo))
		}
	case k == types.Decimal:
		m.decimal(v, r, n)
	case k == types.Date, k == types.Year:
		v.AppendI64(r.Between(m.lo, m.hi))
	case k == types.Time:
		v.AppendI64(format.CutPrecision(r.Int(types.Day), m.typ))
	case k.IsTemporal():
		v.AppendI64(format.CutPrecision(at, m.typ))
	case k == types.Enum:
		v.AppendI64(1 + r.Int(int64(len(m.typ.Members))))
	case k == types.Set:
		set := int64(0)
		for i := range m.typ.Members {
			set |= r.Int(2) << i
		}
		v.AppendI64(set)
	case k == types.Interval:
		v.AppendI128(types.IntervalOf(0, r.Int(types.Day)))
	case k == types.Point:
		const steps = 1e6 // of a degree: texts stay short
		p, _ := types.PointOf(float64(r.Between(-180*steps, 180*steps))/steps, float64(r.Between(-90*steps, 90*steps))/steps)
		v.AppendI128(p)
	case len(m.children) > 0:
		return m.nested(v, r, n, at, scratch)
	case k == types.JSON:
		scratch = append(r.Letters(append(scratch[:0], '"'), m.length), '"')
		v.AppendBytes(scratch)
	default:
		v.Data = r.Letters(v.Data, m.length)
		v.FitBytes()
	}
	return scratch
}

// nested appends a struct, or a list of up to maxElements elements; the keys of a map differ as far as its key type lets them.
func (m *maker) nested(v *vector.Vector, r *generate.Random, n, at int64, scratch []byte) []byte {
	count := int64(1)
	if m.typ.Kind != types.Struct {
		count = r.Int(maxElements + 1)
	}
	for range count {
		for i := range m.children {
			scratch = m.children[i].append(v.Child[i], r, n, at, scratch)
		}
	}
	if m.typ.Kind == types.Struct {
		v.EndStruct()
	} else {
		v.EndList()
	}
	return scratch
}

func (m *maker) integer(r *generate.Random, n int64) int64 {
	if !m.sequence {
		return r.Between(m.lo, m.hi)
	}
	if width := m.end - m.start; width >= 0 && width < math.MaxInt64 {
		n %= width + 1
	}
	return m.start + n
}

func (m *maker) decimal(v *vector.Vector, r *generate.Random, n int64) {
	x, scale := int64(0), 0
	if m.sequence {
		x = m.integer(r, n)
	} else {
		scale = min(m.typ.Scale, 6) // beyond, zeros: doubles would not say more
		x = int64((m.flo + r.Float()*(m.fhi-m.flo)) * math.Pow10(scale))
	}
	if m.typ.Class() == types.ClassI256 {
		d, _ := types.WideRescale(types.I256(x), scale, m.typ.Scale)
		v.AppendI256(d)
		return
	}
	d, _ := types.I128(x).Mul(types.Pow10[m.typ.Scale-scale])
	v.AppendI128(d)
}
