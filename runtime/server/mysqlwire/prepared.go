package mysqlwire

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/parser"
	"github.com/millrace/millrace/sql/types"
)

// prepared is a prepared statement: its text, cut at the parameters. Values are put in as literals at each execution.
type prepared struct {
	parts []string // one more than parameters
	types []uint16 // of the parameters as bound last; the high byte's top bit says unsigned
	long  map[int][]byte
	bytes int // in long
	err   error
}

// errLive refuses endless queries: clients of prepared statements wait for the end before they show a row.
var errLive = wireError{1295, "HY000", "MR-1004: an endless query cannot run as a prepared statement " +
	"(send it as plain text, as mysql --quick does, or read a MATERIALIZED VIEW)"}

// prepare cuts the statement and answers with its number and, for a query, its columns as far as they are known without values: those of the
// execution count.
func (c *conn) prepare(text string) error {
	c.warnings = nil
	if !utf8.ValidString(text) {
		return c.answer(wireError{1300, "HY000", "Invalid utf8mb4 character string: statements are UTF-8"})
	}
	if len(c.stmts) >= maxStatements {
		return c.answer(wireError{1461, "42000", fmt.Sprintf("Can't create more than %d prepared statements on a connection", maxStatements)})
	}
	p := &prepared{long: map[int][]byte{}}
	from, last := 0, ""
	for _, t := range parser.Tokens(text) {
		word := text[t.Off:t.End]
		switch {
		case t.Kind == parser.TokenComment:
			continue
		case t.Kind == parser.TokenParam:
			p.parts = append(p.parts, text[from:t.Off])
			from = t.End
		case strings.EqualFold(last, "EMIT") && strings.EqualFold(word, "CHANGES"):
			return c.answer(errLive)
		}
		last = word
	}
	if p.parts = append(p.parts, text[from:]); len(p.parts)-1 > maxParameters {
		return c.answer(wireError{1390, "HY000", fmt.Sprintf("Prepared statement contains too many placeholders: more than %d", maxParameters)})
	}
	if last == "" {
		return c.answer(wireError{1065, "42000", "Query was empty"})
	}
	fields, err := c.describe(text)
	if err != nil {
		return c.answer(err)
	}
	c.nextStmt++
	c.stmts[c.nextStmt] = p
	return c.writePrepared(len(p.parts)-1, fields)
}

// describe gives the columns of a query before it has its values; nil for other statements. What cannot be right with any values is an error.
func (c *conn) describe(text string) ([]types.Field, error) {
	open := openComments(text)
	w := scan(open)
	if !w.is(0, "SELECT") && !w.is(0, "WITH") && !w.is(0, "VALUES") {
		return nil, nil
	}
	rewritten, edits := c.substitute(w)
	p, err := c.session.Prepare(rewritten)
	if err != nil {
		return nil, edits.restore(err, text)
	}
	return p.Fields, nil
}

// writePrepared answers COM_STMT_PREPARE for the statement made last.
func (c *conn) writePrepared(params int, fields []types.Field) error {
	buf := binary.LittleEndian.AppendUint32(append(c.w.begin(), 0), c.nextStmt)
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(fields)))
	buf = binary.LittleEndian.AppendUint16(buf, uint16(params))
	if err := c.w.end(append(buf, 0, 0, 0)); err != nil {
		return err
	}
	marks := make([]types.Field, params)
	for i := range marks {
		marks[i] = types.Field{Name: "?", Type: types.Of(types.String)}
	}
	for _, list := range [][]types.Field{marks, fields} {
		for _, f := range list {
			if err := c.writeColumn("", f, false); err != nil {
				return err
			}
		}
		if len(list) > 0 && c.caps&capDeprecateEOF == 0 {
			if err := c.writeEOF(); err != nil {
				return err
			}
		}
	}
	return c.w.flush()
}

// longData appends a piece of COM_STMT_SEND_LONG_DATA.
func (p *prepared) longData(body []byte) {
	d := decoder{b: body}
	n := int(d.uint(2))
	switch {
	case d.bad || n >= len(p.parts)-1:
		p.err = wireError{1210, "HY000", "Incorrect arguments to mysqld_stmt_send_long_data"}
	case p.bytes+len(d.b) > maxPacketBytes:
		p.err = wireError{1153, "08S01", fmt.Sprintf("long data exceeds 'max_allowed_packet' bytes (%d)", maxPacketBytes)}
	default:
		p.bytes += len(d.b)
		p.long[n] = append(p.long[n], d.b...)
	}
}

// resetData forgets long data.
func (p *prepared) resetData() { p.long, p.bytes, p.err = map[int][]byte{}, 0, nil }

// executePrepared executes COM_STMT_EXECUTE, without its statement's number.
func (c *conn) executePrepared(p *prepared, body []byte) error {
	defer p.resetData()
	if p.err != nil {
		return c.fail(p.err)
	}
	text, err := p.bind(body)
	if err != nil {
		return c.fail(err)
	}
	return c.answerText(text, func(ctx context.Context, r *reply) error {
		if r.live {
			return c.fail(errLive)
		}
		return c.writeReply(ctx, c.watch(ctx, r), true)
	})
}

var errBadBinding = wireError{1210, "HY000", "Incorrect arguments to mysqld_stmt_execute"}

// bind gives the statement's text with the values that body brings.
func (p *prepared) bind(body []byte) (string, error) {
	n := len(p.parts) - 1
	d := decoder{b: body}
	d.bytes(1 + 4) // cursor: none is opened, whatever is asked for; iterations
	if n == 0 {
		return p.parts[0], nil
	}
	nulls := d.bytes((n + 7) / 8)
	if d.u8() == 1 {
		bound := make([]uint16, n)
		for i := range bound {
			bound[i] = uint16(d.uint(2))
		}
		if !d.bad {
			p.types = bound
		}
	}
	if d.bad || len(p.types) != n {
		return "", errBadBinding
	}
	buf := []byte(p.parts[0])
	for i := range n {
		var err error
		long, isLong := p.long[i]
		switch {
		case isLong:
			buf = chars(long).AppendSQL(buf)
		case nulls[i/8]&(1<<(i%8)) != 0:
			buf = null.AppendSQL(buf)
		default:
			if buf, err = appendParameter(buf, &d, p.types[i]); err != nil {
				return "", err
			}
		}
		buf = append(buf, p.parts[i+1]...)
		if len(buf) > 2*maxPacketBytes {
			return "", wireError{1153, "08S01", "the statement with its parameters is too long"}
		}
	}
	return string(buf), nil
}

// appendParameter reads one value and appends it as a literal.
func appendParameter(dst []byte, d *decoder, typ uint16) ([]byte, error) {
	l := parameter(d, typ)
	if d.bad {
		return nil, errBadBinding
	}
	return l.AppendSQL(dst), nil
}

var null = &ast.Literal{Kind: ast.LitNull}

// parameter reads one value of a type as bound; a value that cannot be sets d.bad.
func parameter(d *decoder, typ uint16) *ast.Literal {
	kind, unsigned := byte(typ), typ&0x8000 != 0
	switch kind {
	case typeNull:
		return null
	case typeTiny:
		return integer(d.uint(1), 8, unsigned)
	case typeShort, typeYear:
		return integer(d.uint(2), 16, unsigned)
	case typeLong, typeInt24:
		return integer(d.uint(4), 32, unsigned)
	case typeLongLong:
		return integer(d.uint(8), 64, unsigned)
	case typeFloat:
		return double(float64(math.Float32frombits(uint32(d.uint(4)))), 32, d)
	case typeDouble:
		return double(math.Float64frombits(d.uint(8)), 64, d)
	case typeDate, typeDatetime, typeTimestamp:
		return moment(d, kind)
	case typeTime:
		return duration(d)
	case typeDecimal, typeNewDecimal:
		return decimal(d.lenBytes())
	}
	return chars(d.lenBytes())
}

func integer(v uint64, bits int, unsigned bool) *ast.Literal {
	if unsigned {
		return &ast.Literal{Kind: ast.LitInt, Text: strconv.FormatUint(v, 10)}
	}
	return &ast.Literal{Kind: ast.LitInt, Text: strconv.FormatInt(int64(v<<(64-bits))>>(64-bits), 10)}
}

func double(f float64, bits int, d *decoder) *ast.Literal {
	if f-f != 0 {
		d.bad = true
	}
	return &ast.Literal{Kind: ast.LitFloat, Text: strconv.FormatFloat(f, 'e', -1, bits)}
}

// decimal takes digits as they are; anything else is a string.
func decimal(s []byte) *ast.Literal {
	if _, ok := types.ParseDecimal(s, types.MaxDecimalScale); !ok || strings.ContainsAny(string(s), " eE") {
		return chars(s)
	}
	return &ast.Literal{Kind: ast.LitDecimal, Text: string(s)}
}

// chars is a string; what is no text is bytes.
func chars(s []byte) *ast.Literal {
	kind := ast.LitString
	if !utf8.Valid(s) {
		kind = ast.LitBytes
	}
	return &ast.Literal{Kind: kind, Text: string(s)}
}

// moment reads a date or an instant of 0, 4, 7 or 11 bytes.
func moment(d *decoder, kind byte) *ast.Literal {
	n := d.u8()
	v := decoder{b: d.bytes(int(n))}
	year, month, day := v.uint(2), v.u8(), v.u8()
	var hour, minute, second byte
	var micros uint64
	if n >= 7 {
		hour, minute, second = v.u8(), v.u8(), v.u8()
	}
	if n >= 11 {
		micros = v.uint(4)
	}
	if v.bad && n != 0 || micros >= 1e6 {
		d.bad = true
	}
	date := fmt.Sprintf("%04d-%02d-%02d", year, month, day)
	if kind == typeDate {
		return &ast.Literal{Kind: ast.LitDate, Text: date}
	}
	return &ast.Literal{Kind: ast.LitTimestamp, Text: fmt.Sprintf("%s %02d:%02d:%02d%s", date, hour, minute, second, fraction(micros))}
}

// duration reads a TIME of 0, 8 or 12 bytes.
func duration(d *decoder) *ast.Literal {
	n := d.u8()
	v := decoder{b: d.bytes(int(n))}
	neg, days, hour, minute, second := v.u8(), v.uint(4), v.u8(), v.u8(), v.u8()
	var micros uint64
	if n >= 12 {
		micros = v.uint(4)
	}
	if v.bad && n != 0 || micros >= 1e6 || days > 40 {
		d.bad = true
	}
	sign := ""
	if neg == 1 {
		sign = "-"
	}
	return &ast.Literal{Kind: ast.LitTime, Text: fmt.Sprintf("%s%02d:%02d:%02d%s", sign, days*24+uint64(hour), minute, second, fraction(micros))}
}

// fraction is the part of a clock behind the seconds.
func fraction(micros uint64) string {
	if micros == 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", micros)
}
