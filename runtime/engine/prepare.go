package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/planner"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/parser"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Limits of a session.
const (
	maxPrepared      = 1000
	maxUserVariables = 1000
	maxParameters    = 10_000
	maxBoundBytes    = 64 << 20 // of a statement with its values
)

// Prepared is a statement with parameters: its text, cut at them. A value is put in as a literal, so that a parameter may stand wherever a
// literal may, has the type of its value, and statements that are kept (views, jobs) keep it.
type Prepared struct {
	Text   string
	Fields []types.Field // of a query's rows, as far as the statement tells without values; nil: unknown, or no query
	marks  []int         // offsets of the parameters
}

// Parameters returns how many values an execution needs.
func (p *Prepared) Parameters() int { return len(p.marks) }

// Prepare parses a statement and, when it is a query, plans it for the columns of its result.
func (s *Session) Prepare(text string) (*Prepared, error) {
	stmt, err := parser.Parse(text)
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	p := &Prepared{Text: text}
	for _, t := range parser.Tokens(text) {
		if t.Kind == parser.TokenParam {
			p.marks = append(p.marks, t.Off)
		}
	}
	if len(p.marks) > maxParameters {
		return nil, diag.WithSource(diag.New(diag.TooDeep, p.marks[maxParameters], "more than %d parameters", maxParameters), text)
	}
	switch x := stmt.(type) {
	case *ast.Prepare, *ast.Execute, *ast.Deallocate:
		return nil, diag.WithSource(diag.New(diag.NotSupported, stmt.At(), "this statement cannot be prepared"), text)
	case *ast.QueryStmt:
		if p.Fields, err = s.describeQuery(x); err != nil && (len(p.marks) == 0 || certain(err)) {
			return nil, diag.WithSource(err, text)
		}
	}
	return p, nil
}

// certain tells whether an error of a query without its values is one whatever they are.
func certain(err error) bool {
	d, ok := diag.As(err)
	if !ok {
		return false
	}
	switch d.Code {
	case diag.UnknownTable, diag.UnknownColumn, diag.AmbiguousColumn, diag.UnknownFunction, diag.UnboundedQuery, diag.NotGrouped:
		return true
	}
	return false
}

// describeQuery plans a query whose parameters are NULL.
func (s *Session) describeQuery(x *ast.QueryStmt) ([]types.Field, error) {
	env := s.env(true)
	env.Describe = true
	plan, err := planner.Plan(x, env)
	if err != nil {
		return nil, err
	}
	return plan.Roots[0].Inputs()[0].Properties().Fields, nil
}

// ExecPrepared executes a prepared statement. Values are those of Literal; errors are placed in the statement's own text.
func (s *Session) ExecPrepared(ctx context.Context, p *Prepared, values []*ast.Literal) (*Result, error) {
	text, err := p.bind(values)
	if err != nil {
		return nil, diag.WithSource(err, p.Text)
	}
	r, err := s.Exec(ctx, text)
	if d, ok := diag.As(err); ok && len(p.marks) > 0 {
		moved := *d
		moved.Source, moved.Offset, moved.End = p.Text, p.origin(d.Offset, values), 0
		return nil, &moved
	}
	return r, err
}

// bind puts the values in the places of the parameters.
func (p *Prepared) bind(values []*ast.Literal) (string, error) {
	if len(values) != len(p.marks) {
		at := -1
		if len(values) < len(p.marks) {
			at = p.marks[len(values)]
		}
		return "", diag.New(diag.BadParameter, at, "the statement has %d parameter(s), %d value(s) are given", len(p.marks), len(values))
	}
	var b []byte
	from := 0
	for i, at := range p.marks {
		b = values[i].AppendSQL(append(b, p.Text[from:at]...))
		if from = at + 1; len(b) > maxBoundBytes {
			return "", diag.New(diag.BadParameter, at, "the statement with its values is longer than %d bytes", maxBoundBytes)
		}
	}
	return string(append(b, p.Text[from:]...)), nil
}

// origin is the offset in the statement of an offset in its bound text; within a value it is the parameter's.
func (p *Prepared) origin(at int, values []*ast.Literal) int {
	if at < 0 {
		return at
	}
	shift := 0
	for i, mark := range p.marks {
		n := len(values[i].AppendSQL(nil))
		switch begin := mark + shift; {
		case at < begin:
			return at - shift
		case at < begin+n:
			return mark
		}
		shift += n - 1
	}
	return at - shift
}

// Literal makes the value of a parameter: nil is NULL; text that is no UTF-8 is bytes.
func Literal(v any) (*ast.Literal, error) {
	switch x := v.(type) {
	case nil:
		return &ast.Literal{Kind: ast.LitNull}, nil
	case bool:
		return &ast.Literal{Kind: ast.LitBool, Text: strconv.FormatBool(x)}, nil
	case int64:
		return &ast.Literal{Kind: ast.LitInt, Text: strconv.FormatInt(x, 10)}, nil
	case uint64:
		return &ast.Literal{Kind: ast.LitInt, Text: strconv.FormatUint(x, 10)}, nil
	case float64:
		if x-x != 0 {
			return nil, diag.New(diag.BadParameter, -1, "a parameter is no finite number")
		}
		return &ast.Literal{Kind: ast.LitFloat, Text: strconv.FormatFloat(x, 'e', -1, 64)}, nil
	case string:
		if !utf8.ValidString(x) {
			return &ast.Literal{Kind: ast.LitBytes, Text: x}, nil
		}
		return &ast.Literal{Kind: ast.LitString, Text: x}, nil
	case []byte:
		return &ast.Literal{Kind: ast.LitBytes, Text: string(x)}, nil
	}
	return nil, diag.New(diag.BadParameter, -1, "a parameter of type %T is not supported", v)
}

// NumberLiteral makes a literal of the text of a number, as JSON and SQL write it.
func NumberLiteral(text string) *ast.Literal {
	kind := ast.LitInt
	switch {
	case strings.ContainsAny(text, "eE"):
		kind = ast.LitFloat
	case strings.Contains(text, "."):
		kind = ast.LitDecimal
	}
	return &ast.Literal{Kind: kind, Text: text}
}

// prepare is PREPARE name FROM 'text' | @variable.
func (s *Session) prepare(x *ast.Prepare) (*Result, error) {
	text, at := x.Text, int(x.TextPos)
	if x.Variable != nil {
		value := s.userVariable(x.Variable.Name)
		if value == nil || value.Kind != ast.LitString {
			return nil, diag.New(diag.BadParameter, x.Variable.At(), "@%s holds no text", strings.TrimPrefix(x.Variable.Name, "@"))
		}
		text = value.Text
	}
	p, err := s.Prepare(text)
	if err != nil {
		if d, ok := diag.As(err); ok { // the place within the text is told in words: it may be in a variable
			line, col := diag.Position(text, max(d.Offset, 0))
			inner := *d
			inner.Message, inner.Offset, inner.End, inner.Source = fmt.Sprintf("%s (at %d:%d of the text)", d.Message, line, col), at, 0, ""
			return nil, &inner
		}
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(x.Name.Text)
	if _, there := s.prepared[key]; !there && len(s.prepared) >= maxPrepared {
		return nil, diag.New(diag.NotSupported, x.Name.At(), "a session has at most %d prepared statements", maxPrepared)
	}
	if s.prepared == nil {
		s.prepared = map[string]*Prepared{}
	}
	s.prepared[key] = p
	return message("prepared %s: %d parameter(s)", x.Name.Text, p.Parameters()), nil
}

func (s *Session) findPrepared(name ast.Name) (*Prepared, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prepared[strings.ToLower(name.Text)]; p != nil {
		return p, nil
	}
	var names []string
	for n := range s.prepared {
		names = append(names, n)
	}
	err := diag.New(diag.UnknownPrepared, name.At(), "unknown prepared statement '%s'", name.Text)
	if near := diag.Suggest(name.Text, names); near != "" {
		return nil, err.WithHint("did you mean '%s'?", near)
	}
	return nil, err.WithHint("PREPARE %s FROM 'SELECT ..'", name.Text)
}

// execute is EXECUTE name [USING values].
func (s *Session) execute(ctx context.Context, x *ast.Execute) (*Result, error) {
	p, err := s.findPrepared(x.Name)
	if err != nil {
		return nil, err
	}
	values := make([]*ast.Literal, len(x.Using))
	for i, u := range x.Using {
		if values[i], err = s.constant(ctx, u); err != nil {
			return nil, err
		}
	}
	if len(values) != p.Parameters() {
		return nil, diag.New(diag.BadParameter, x.Name.At(), "%s has %d parameter(s), %d value(s) are given", x.Name.Text, p.Parameters(), len(values)).
			WithHint("EXECUTE %s USING ..", x.Name.Text)
	}
	return s.ExecPrepared(ctx, p, values)
}

func (s *Session) deallocate(x *ast.Deallocate) (*Result, error) {
	if _, err := s.findPrepared(x.Name); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.prepared, strings.ToLower(x.Name.Text))
	return message("deallocated %s", x.Name.Text), nil
}

// userVariable gives the value of @name; nil when it was never set.
func (s *Session) userVariable(name string) *ast.Literal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.user[strings.ToLower(strings.TrimPrefix(name, "@"))]
}

// SetUserVariable sets @name.
func (s *Session) SetUserVariable(name string, value *ast.Literal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(strings.TrimPrefix(name, "@"))
	if _, there := s.user[key]; !there && len(s.user) >= maxUserVariables {
		return diag.New(diag.NotSupported, -1, "a session has at most %d variables of its own", maxUserVariables)
	}
	if s.user == nil {
		s.user = map[string]*ast.Literal{}
	}
	s.user[key] = value
	return nil
}

// constant evaluates an expression without columns: a literal at once, anything else as a query of one row.
func (s *Session) constant(ctx context.Context, x ast.Expr) (*ast.Literal, error) {
	switch v := x.(type) {
	case *ast.Literal:
		return v, nil
	case *ast.Variable:
		if !v.System {
			if value := s.userVariable(v.Name); value != nil {
				return value, nil
			}
			return &ast.Literal{Kind: ast.LitNull}, nil
		}
	}
	q := &ast.Query{Pos: ast.Pos(x.At()), Body: &ast.Select{Pos: ast.Pos(x.At()), Items: []ast.SelectItem{{Expr: x}}}}
	res, err := s.query(ctx, &ast.QueryStmt{Pos: ast.Pos(x.At()), Query: q}, "")
	if err != nil {
		return nil, err
	}
	defer res.Close()
	for {
		b, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return &ast.Literal{Kind: ast.LitNull}, nil
		}
		if err != nil {
			return nil, err
		}
		if b.Rows() > 0 {
			return literalOf(b.Cols[0], b.Row(0)), nil
		}
	}
}

// literalOf makes a literal of a value.
func literalOf(v *vector.Vector, i int) *ast.Literal {
	text := string(function.AppendText(nil, v, i))
	kind := ast.LitString
	switch k := v.Type.Kind; {
	case v.IsNull(i):
		return &ast.Literal{Kind: ast.LitNull}
	case k.IsFloat():
		return &ast.Literal{Kind: ast.LitFloat, Text: strconv.FormatFloat(v.F64[i], 'e', -1, 64)}
	case k == types.Bool || k.IsNumeric():
		return NumberLiteral(text)
	case k == types.Bytes:
		kind, text = ast.LitBytes, string(v.Bytes(i))
	case k == types.Date:
		kind = ast.LitDate
	case k == types.Time:
		kind = ast.LitTime
	case k == types.Timestamp || k == types.Datetime:
		kind = ast.LitTimestamp
	}
	return &ast.Literal{Kind: kind, Text: text}
}
