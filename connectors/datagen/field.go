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
}

func newMaker(c connectors.Column, opts map[string]string) (maker, error) {
	m := maker{typ: c.Type, salt: uint64(crc32.ChecksumIEEE([]byte(c.Name))), start: 0, end: math.MaxInt64, hi: defaultMax,
		fhi: defaultMax, length: defaultLength, times: &format.Times{}}
	if class := c.Type.Class(); class == types.ClassList || class == types.ClassStruct || c.Type.Kind == types.Interval {
		return m, diag.New(diag.NotSupported, -1, "column '%s': datagen makes no %s", c.Name, c.Type)
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
	if m.typ.Kind == types.Date {
		m.lo, m.hi = firstDay, firstDay+dayRange
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
		if s, ok := opts[name]; ok && m.typ.Kind.IsInteger() {
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
	case k == types.Date:
		v.AppendI64(r.Between(m.lo, m.hi))
	case k == types.Time:
		v.AppendI64(format.CutPrecision(r.Int(types.Day), m.typ))
	case k.IsTemporal():
		v.AppendI64(format.CutPrecision(at, m.typ))
	case k == types.JSON:
		scratch = append(r.Letters(append(scratch[:0], '"'), m.length), '"')
		v.AppendBytes(scratch)
	default:
		scratch = r.Letters(scratch[:0], m.length)
		v.AppendBytes(scratch)
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
	if m.sequence {
		d, _ := types.I128(m.integer(r, n)).Mul(types.Pow10[m.typ.Scale])
		v.AppendI128(d)
		return
	}
	x := m.flo + r.Float()*(m.fhi-m.flo)
	scale := min(m.typ.Scale, 6) // beyond, zeros: doubles would not say more
	d, _ := types.I128(int64(x * math.Pow10(scale))).Mul(types.Pow10[m.typ.Scale-scale])
	v.AppendI128(d)
}
