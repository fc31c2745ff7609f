package engine

import (
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// edit changes the text of a CREATE statement in place, so that SHOW CREATE shows what the user wrote, with the change in it.
type editor struct {
	text    string
	toks    []parser.Token
	options []ast.Option
	name    ast.Name
	columns []ast.ColumnDef
	query   *ast.Query
}

// editStatement gives the text of a CREATE statement after an ALTER whose own text is given.
func editStatement(text string, x *ast.Alter, alter string) (string, error) {
	stmt, err := parser.Parse(text)
	if err != nil {
		return "", err
	}
	e := &editor{text: text}
	for _, t := range parser.Tokens(text) {
		if t.Kind != parser.TokenComment {
			e.toks = append(e.toks, t)
		}
	}
	switch s := stmt.(type) {
	case *ast.CreateRelation:
		e.options, e.name, e.columns = s.Options, s.Name, s.Columns
	case *ast.CreateSink:
		e.options, e.name, e.columns, e.query = s.Options, s.Name, s.Columns, s.Query
	case *ast.CreateView:
		e.options, e.name, e.query = s.Options, s.Name, s.Query
	}
	switch x.Action {
	case "SET":
		if len(x.Options) > 0 {
			e.set(x.Options[0])
			return e.next(text, x, alter)
		}
	case "RESET":
		if len(x.Keys) > 0 {
			if err := e.reset(x.Keys[0]); err != nil {
				return "", err
			}
			return e.next(text, x, alter)
		}
	case "RENAME":
		e.replace(e.name.At(), e.tokenEnd(e.name.At()), quoteName(x.NewName.Text))
	case "AS":
		e.replace(e.query.At(), e.end(), strings.TrimRight(strings.TrimSpace(x.Text), ";"))
	case "ADD COLUMN":
		err = e.addElement(trimStatement(alter[x.Column.At():]))
	case "WATERMARK":
		err = e.watermark(trimStatement(alter[x.Watermark.At():]), stmt)
	case "DROP COLUMN":
		err = e.dropColumn(x.NewName)
	}
	return e.text, err
}

// next goes on with the second option or key of a list, on the text that the first has made: offsets have moved.
func (e *editor) next(before string, x *ast.Alter, alter string) (string, error) {
	rest := *x
	if len(x.Options) > 0 {
		rest.Options = x.Options[1:]
	}
	if len(x.Keys) > 0 {
		rest.Keys = x.Keys[1:]
	}
	if len(rest.Options)+len(rest.Keys) == 0 {
		return e.text, nil
	}
	return editStatement(e.text, &rest, alter)
}

func trimStatement(s string) string { return strings.TrimRight(s, "; \t\r\n") }

func (e *editor) replace(from, to int, with string) { e.text = e.text[:from] + with + e.text[to:] }

// at is the index of the token that begins at an offset, -1 when none does.
func (e *editor) at(off int) int {
	for i, t := range e.toks {
		if t.Off == off {
			return i
		}
	}
	return -1
}

func (e *editor) word(i int) string {
	if i < 0 || i >= len(e.toks) {
		return ""
	}
	return strings.ToUpper(e.text[e.toks[i].Off:e.toks[i].End])
}

func (e *editor) tokenEnd(off int) int { return e.toks[e.at(off)].End }

// end is where the statement ends, without its semicolon.
func (e *editor) end() int { return len(trimStatement(e.text)) }

// element finds the end of the list element that token i is in: the index of the comma or bracket behind it.
func (e *editor) element(i int) int {
	depth := 0
	for ; i < len(e.toks); i++ {
		switch e.word(i) {
		case "(", "[", "<":
			depth++
		case "]", ">":
			depth--
		case ">>":
			depth -= 2
		case ")":
			if depth <= 0 {
				return i
			}
			depth--
		case ",":
			if depth <= 0 {
				return i
			}
		}
	}
	return i
}

// set gives an option a value, in its place or behind the last.
func (e *editor) set(o ast.Option) {
	value := ast.QuoteText(o.Value)
	for _, old := range e.options {
		if strings.EqualFold(old.Key, o.Key) {
			i := e.at(int(old.ValuePos))
			e.replace(e.toks[i].Off, e.toks[e.element(i)-1].End, value)
			return
		}
	}
	pair := strings.ToLower(o.Key) + " = " + value
	if !plainKey(o.Key) {
		pair = ast.QuoteText(strings.ToLower(o.Key)) + " = " + value
	}
	if n := len(e.options); n > 0 {
		end := e.toks[e.element(e.at(int(e.options[n-1].ValuePos)))-1].End
		e.replace(end, end, ", "+pair)
		return
	}
	if e.query == nil {
		e.replace(e.end(), e.end(), " WITH ("+pair+")")
		return
	}
	for i := e.at(e.query.At()); i >= 0; i-- {
		if e.word(i) == "AS" {
			e.replace(e.toks[i].Off, e.toks[i].Off, "WITH ("+pair+") ")
			return
		}
	}
}

func plainKey(key string) bool {
	for _, c := range key {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return false
		}
	}
	return key != ""
}

// reset removes an option.
func (e *editor) reset(key ast.Name) error {
	for i, old := range e.options {
		if !strings.EqualFold(old.Key, key.Text) {
			continue
		}
		first := e.at(old.At())
		last := e.element(e.at(int(old.ValuePos))) // the comma or bracket
		switch {
		case i < len(e.options)-1:
			e.replace(e.toks[first].Off, e.toks[last+1].Off, "")
		case i > 0:
			e.replace(e.toks[first-1].Off, e.toks[last-1].End, "")
		default:
			e.replace(e.toks[first-2].Off, e.toks[last].End, "") // WITH ( key = value )
		}
		return nil
	}
	return diag.New(diag.BadOption, key.At(), "option '%s' is not set", key.Text)
}

// columnList finds the brackets of the column list.
func (e *editor) columnList() (open, end int, err error) {
	open = e.at(e.name.At()) + 1
	if e.word(open) != "(" {
		return 0, 0, diag.New(diag.NotSupported, -1, "the statement has no column list to change")
	}
	end = open + 1
	for e.word(end) != ")" {
		if end = e.element(end); e.word(end) == "," {
			end++
		}
		if end >= len(e.toks) {
			return 0, 0, diag.New(diag.Internal, -1, "the column list has no end")
		}
	}
	return open, end, nil
}

// addElement adds a column, or a watermark, behind the last element of the list.
func (e *editor) addElement(text string) error {
	_, end, err := e.columnList()
	if err == nil {
		e.replace(e.toks[end-1].End, e.toks[end-1].End, ", "+text)
	}
	return err
}

// watermark replaces the declaration of the watermark, or adds one.
func (e *editor) watermark(text string, stmt ast.Statement) error {
	if !strings.HasPrefix(strings.ToUpper(text), "WATERMARK") {
		text = "WATERMARK FOR " + text
	}
	rel, ok := stmt.(*ast.CreateRelation)
	if !ok || rel.Watermark == nil {
		return e.addElement(text)
	}
	i := e.at(rel.Watermark.At())
	for i > 0 && e.word(i) != "WATERMARK" {
		i--
	}
	e.replace(e.toks[i].Off, e.toks[e.element(i)-1].End, text)
	return nil
}

// dropColumn removes a column from the list.
func (e *editor) dropColumn(name ast.Name) error {
	var names []string
	for _, c := range e.columns {
		if !strings.EqualFold(c.Name.Text, name.Text) {
			names = append(names, c.Name.Text)
			continue
		}
		first := e.at(c.Name.At())
		last := e.element(first)
		if e.word(last) == "," {
			e.replace(e.toks[first].Off, e.toks[last+1].Off, "")
		} else {
			e.replace(e.toks[first-1].Off, e.toks[last-1].End, "")
		}
		return nil
	}
	err := diag.New(diag.UnknownColumn, name.At(), "unknown column '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return err.WithHint("did you mean '%s'?", near)
	}
	return err
}

// quoteName writes an identifier, in backquotes when it must.
func quoteName(name string) string {
	if toks := parser.Tokens(name); len(toks) == 1 && toks[0].Kind == parser.TokenName && !strings.ContainsAny(name, "`") {
		return name
	}
	return ast.QuoteName(name)
}
