package opensearch

import (
	"strings"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// indexName makes the name of a row's index from literal text, values and dates.
type indexName struct{ parts []namePart }

// namePart is literal text (column < 0), a value, or a date of a value when it has a pattern.
type namePart struct {
	text    string
	column  int
	pattern string
}

// parseIndexName reads name-{column}-{column|yyyy.MM.dd}.
func parseIndexName(s string, columns []connectors.Column) (n indexName, err error) {
	const option = "index"
	for rest := s; rest != ""; {
		text, after, open := strings.Cut(rest, "{")
		if strings.Contains(text, "}") {
			return n, badOption(option, "'}' without '{' in '%s'", s)
		}
		if text != "" {
			n.parts = append(n.parts, namePart{text: text, column: -1})
		}
		if !open {
			break
		}
		inside, after, closed := strings.Cut(after, "}")
		if !closed {
			return n, badOption(option, "'{' without '}' in '%s'", s)
		}
		p := namePart{}
		name, pattern, dated := strings.Cut(inside, "|")
		if p.column, err = findColumn(columns, option, strings.TrimSpace(name)); err != nil {
			return n, err
		}
		c := columns[p.column]
		if dated {
			if p.pattern = pattern; pattern == "" || badPattern(pattern) {
				return n, badOption(option, "'%s' is no date pattern of yyyy, MM, dd, HH", pattern)
			}
			if k := c.Type.Kind; k != types.Date && k != types.Datetime && k != types.Timestamp {
				return n, badOption(option, "column '%s' is no date but %s", c.Name, c.Type)
			}
		} else if err := checkPlain(columns, option, p.column); err != nil {
			return n, err
		}
		n.parts = append(n.parts, p)
		rest = after
	}
	// The literal text must be fit for a name; values are made fit.
	for _, p := range n.parts {
		if p.column < 0 && string(cleanName([]byte(p.text))) != p.text || strings.HasPrefix(n.prefix(), "_") || strings.HasPrefix(n.prefix(), "-") {
			return n, badOption(option, "'%s' is no name of an index", s).WithHint("lower-case letters, digits, dots, hyphens, underscores; not - or _ at the beginning")
		}
	}
	if len(n.parts) == 0 {
		return n, badOption(option, "is empty")
	}
	return n, nil
}

func badPattern(p string) bool {
	p = strings.NewReplacer("yyyy", "", "MM", "", "dd", "", "HH", "").Replace(p)
	return strings.ContainsFunc(p, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
}

// fixed tells whether every row goes to the same index.
func (n indexName) fixed() bool { return len(n.parts) == 1 && n.parts[0].column < 0 }

// prefix is the literal text that all names begin with.
func (n indexName) prefix() string {
	if len(n.parts) == 0 || n.parts[0].column >= 0 {
		return ""
	}
	return n.parts[0].text
}

// append appends the name of the index of a row.
func (n indexName) append(dst []byte, b *vector.Batch, row int) []byte {
	for _, p := range n.parts {
		if p.column < 0 {
			dst = append(dst, p.text...)
			continue
		}
		v, at := b.Cols[p.column], len(dst)
		switch {
		case v.IsNull(row):
			dst = append(dst, "null"...)
		case p.pattern != "":
			dst = appendDate(dst, p.pattern, v, row)
		default:
			dst = format.AppendScalar(dst, v, row, format.TimeISO)
		}
		cleanName(dst[at:])
	}
	return dst
}

func appendDate(dst []byte, pattern string, v *vector.Vector, row int) []byte {
	micros := v.I64[row]
	if v.Type.Kind == types.Date {
		micros *= types.Day
	}
	var buf [32]byte
	text := types.AppendTimestamp(buf[:0], micros, 0, false) // yyyy-MM-dd HH:mm:ss
	year := len(text) - len("-MM-dd HH:mm:ss")
	for pattern != "" {
		switch {
		case strings.HasPrefix(pattern, "yyyy"):
			dst, pattern = append(dst, text[:year]...), pattern[4:]
		case strings.HasPrefix(pattern, "MM"):
			dst, pattern = append(dst, text[year+1:year+3]...), pattern[2:]
		case strings.HasPrefix(pattern, "dd"):
			dst, pattern = append(dst, text[year+4:year+6]...), pattern[2:]
		case strings.HasPrefix(pattern, "HH"):
			dst, pattern = append(dst, text[year+7:year+9]...), pattern[2:]
		default:
			dst, pattern = append(dst, pattern[0]), pattern[1:]
		}
	}
	return dst
}

// cleanName makes text fit for the name of an index in place: lower case, and an underscore for what may not be in a name.
func cleanName(s []byte) []byte {
	for i, c := range s {
		switch {
		case c >= 'A' && c <= 'Z':
			s[i] = c + 'a' - 'A'
		case c <= ' ' || strings.IndexByte(`"*\<|>,/?#:`, c) >= 0 || c == 0x7f:
			s[i] = '_'
		}
	}
	return s
}
