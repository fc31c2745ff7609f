package parser

import (
	"strconv"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
)

// typeWords maps the words that begin a type to the canonical name.
var typeWords = map[string]string{
	"BOOL": "BOOLEAN", "BOOLEAN": "BOOLEAN", "TINYINT": "TINYINT", "SMALLINT": "SMALLINT", "MEDIUMINT": "MEDIUMINT", "INT": "INT",
	"INTEGER": "INT", "BIGINT": "BIGINT", "INT1": "TINYINT", "INT2": "SMALLINT", "INT4": "INT", "INT8": "BIGINT",
	"SIGNED": "BIGINT", "UNSIGNED": "BIGINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE", "REAL": "DOUBLE",
	"DECIMAL": "DECIMAL", "NUMERIC": "DECIMAL", "DEC": "DECIMAL", "FIXED": "DECIMAL", "CHAR": "CHAR", "CHARACTER": "CHAR", "NCHAR": "CHAR",
	"VARCHAR": "VARCHAR", "NVARCHAR": "VARCHAR", "VARCHARACTER": "VARCHAR", "TEXT": "TEXT", "TINYTEXT": "TEXT", "MEDIUMTEXT": "TEXT",
	"LONGTEXT": "TEXT", "STRING": "STRING", "BYTES": "BYTES", "BINARY": "BINARY", "VARBINARY": "VARBINARY", "BLOB": "BLOB",
	"TINYBLOB": "BLOB", "MEDIUMBLOB": "BLOB", "LONGBLOB": "BLOB", "DATE": "DATE", "TIME": "TIME", "DATETIME": "DATETIME",
	"TIMESTAMP": "TIMESTAMP", "TIMESTAMP_LTZ": "TIMESTAMP", "JSON": "JSON", "VECTOR": "VECTOR",
	"STRUCT": "STRUCT", "ROW": "STRUCT", "ARRAY": "ARRAY", "MAP": "MAP", "YEAR": "YEAR", "ENUM": "ENUM", "SET": "SET", "POINT": "POINT",
	"INTERVAL": "INTERVAL",
}

// maxArgs is how many numbers a type takes, two for DECIMAL.
var maxArgs = map[string]int{"DECIMAL": 2, "CHAR": 1, "VARCHAR": 1, "TEXT": 1, "BINARY": 1, "VARBINARY": 1, "BLOB": 1, "TIME": 1, "DATETIME": 1,
	"TIMESTAMP": 1, "TINYINT": 1, "SMALLINT": 1, "MEDIUMINT": 1, "INT": 1, "BIGINT": 1, "FLOAT": 2, "DOUBLE": 2, "VECTOR": 1,
	"YEAR": 1}

var integerTypes = map[string]bool{"TINYINT": true, "SMALLINT": true, "MEDIUMINT": true, "INT": true, "BIGINT": true}

// Limits of MySQL that TiDB's grammar does not check.
const (
	maxPrecision  = 65
	maxScale      = 30
	maxFraction   = 6 // digits of a second
	maxTypeLength = 1 << 30
)

// typeName reads a type at token k and returns the token behind it.
func (p *parser) typeName(k int) (ast.TypeName, int) {
	save := p.k
	defer func() { p.k = save }()
	p.k = k
	t := p.typ()
	return t, p.k
}

func (p *parser) typ() ast.TypeName {
	defer p.descend(p.k)()
	tok := p.toks[p.k]
	out := ast.TypeName{Pos: ast.Pos(tok.off), Name: typeWords[tok.up]}
	if tok.kind != kWord || out.Name == "" {
		p.unknownType(p.k)
	}
	p.k++
	switch tok.up {
	case "SIGNED":
		_ = p.accept("INTEGER") || p.accept("INT")
		return out
	case "UNSIGNED":
		_ = p.accept("INTEGER") || p.accept("INT")
		out.Unsigned = true
		return out
	case "DOUBLE":
		p.accept("PRECISION")
	case "CHAR", "CHARACTER":
		if p.accept("VARYING") {
			out.Name = "VARCHAR"
		}
	case "STRUCT", "ROW":
		p.structFields(&out)
		return out
	case "ENUM", "SET":
		p.members(&out)
		return out
	case "ARRAY":
		p.openAngle("ARRAY<T>")
		elem := p.typ()
		out.Elem = &elem
		p.closeAngle()
		return out
	case "MAP":
		p.openAngle("MAP<K, V>")
		key := p.typ()
		p.expectOp(",")
		val := p.typ()
		out.Key, out.Elem = &key, &val
		p.closeAngle()
		return out
	}
	p.typeArgs(&out)
	p.typeSuffix(&out)
	return out
}

func (p *parser) openAngle(form string) {
	if !p.acceptOp("<") {
		t := p.toks[p.k]
		p.fail(tokenError(t, endCode(t), "< is expected before %s", p.describe(p.k)).WithHint("write %s", form))
	}
}

// closeAngle reads > or half of >>.
func (p *parser) closeAngle() {
	if p.op(p.k, ">>") {
		if p.half == p.k {
			p.k++
			p.half = -1
		} else {
			p.half = p.k
		}
		return
	}
	p.expectOp(">")
}

// structFields reads <a T, b U> or (a T, b U), a colon or not between name and type.
func (p *parser) structFields(out *ast.TypeName) {
	bracket := p.acceptOp("(")
	if !bracket {
		p.openAngle("STRUCT<a INT, b STRING>")
	}
	for {
		t := p.toks[p.k]
		if t.kind != kWord && t.kind != kQuoted {
			p.failAt(p.k, endCode(t), "the name of a field is expected before %s", p.describe(p.k))
		}
		name := p.nameAt(p.k)
		p.k++
		p.acceptOp(":")
		out.Fields = append(out.Fields, ast.FieldType{Name: name, Type: p.typ()})
		_ = p.accept("NOT", "NULL") || p.accept("NULL") // a field's nullability is not tracked
		if !p.acceptOp(",") {
			break
		}
	}
	if bracket {
		p.expectOp(")")
	} else {
		p.closeAngle()
	}
}

// members reads the texts of ENUM('a', 'b') and SET('a', 'b').
func (p *parser) members(out *ast.TypeName) {
	if !p.acceptOp("(") {
		t := p.toks[p.k]
		p.fail(tokenError(t, endCode(t), "( is expected before %s", p.describe(p.k)).WithHint("write %s('a', 'b')", out.Name))
	}
	for {
		out.Members = append(out.Members, p.stringLit("a member of "+out.Name))
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
}

// typeArgs reads (n) or (n, m) and judges them.
func (p *parser) typeArgs(out *ast.TypeName) {
	if !p.op(p.k, "(") {
		return
	}
	open := p.k
	p.k++
	for {
		t := p.toks[p.k]
		text := p.src[t.off:t.end]
		n, err := strconv.Atoi(text)
		if t.kind != kNumber || err != nil || n > maxTypeLength {
			p.failAt(p.k, endCode(t), "a length is expected before %s", p.describe(p.k))
		}
		out.Args = append(out.Args, n)
		p.k++
		if !p.acceptOp(",") {
			break
		}
	}
	p.expectOp(")")
	if len(out.Args) > maxArgs[out.Name] {
		p.failAt(open, diag.SyntaxError, "%s does not take %d numbers", out.Name, len(out.Args))
	}
	p.checkArgs(out, open)
}

func (p *parser) checkArgs(out *ast.TypeName, open int) {
	switch out.Name {
	case "DECIMAL":
		switch prec := out.Args[0]; {
		case prec < 1 || prec > maxPrecision:
			p.failAt(open+1, diag.BadLiteral, "the precision of DECIMAL is 1 to %d, not %d", maxPrecision, prec)
		case len(out.Args) == 2 && out.Args[1] > min(maxScale, prec):
			p.failAt(open+3, diag.BadLiteral, "the scale of DECIMAL(%d, ..) is 0 to %d, not %d", prec, min(maxScale, prec), out.Args[1])
		}
	case "TIME", "DATETIME", "TIMESTAMP":
		if out.Args[0] > maxFraction {
			p.fail(tokenError(p.toks[open+1], diag.BadLiteral, "%s has at most %d digits of a second, not %d", out.Name, maxFraction, out.Args[0]).
				WithHint("time is kept in microseconds: write %s(6)", out.Name))
		}
	}
	if integerTypes[out.Name] || out.Name == "YEAR" {
		out.Args = nil // a display width means nothing
	}
}

// typeSuffix reads UNSIGNED, ZEROFILL and the time zone words.
func (p *parser) typeSuffix(out *ast.TypeName) {
	switch {
	case p.accept("UNSIGNED"):
		out.Unsigned = true
	case p.accept("SIGNED"):
	case out.Name == "TIMESTAMP" && (p.accept("WITH", "TIME", "ZONE") || p.accept("WITH", "LOCAL", "TIME", "ZONE")):
	case out.Name == "TIMESTAMP" && p.accept("WITHOUT", "TIME", "ZONE"):
		out.Name = "DATETIME"
	}
	if p.op(p.k, "[") && p.op(p.k+1, "]") {
		p.fail(tokenError(p.toks[p.k], diag.SyntaxError, "unexpected [").WithHint("write ARRAY<%s>", out.Name))
	}
}

func (p *parser) unknownType(k int) {
	t := p.toks[k]
	if t.kind != kWord && t.kind != kQuoted || fixedWords[t.up] {
		p.failAt(k, endCode(t), "a type is expected before %s", p.describe(k))
	}
	err := tokenError(t, diag.UnknownType, "unknown type %s", p.src[t.off:t.end])
	switch t.up {
	case "UUID", "BIT", "CLOB", "NUMBER", "LONG", "SERIAL", "TIMESTAMPTZ", "HUGEINT", "INT64", "INT32", "FLOAT64":
		err.WithHint("use %s", map[string]string{"UUID": "VARCHAR", "BIT": "BINARY",
			"CLOB": "TEXT", "NUMBER": "DECIMAL", "LONG": "BIGINT", "SERIAL": "BIGINT", "TIMESTAMPTZ": "TIMESTAMP", "HUGEINT": "DECIMAL(38, 0)",
			"INT64": "BIGINT", "INT32": "INT", "FLOAT64": "DOUBLE"}[t.up])
	default:
		names := make([]string, 0, len(typeWords))
		for w := range typeWords {
			names = append(names, w)
		}
		if s := diag.Suggest(t.up, names); s != "" {
			err.WithHint("did you mean %s?", s)
		}
	}
	p.fail(err)
}
