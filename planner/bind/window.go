package bind

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/physical"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// windowFuncs are the window functions and how many intervals each needs.
var windowFuncs = map[string]struct {
	kind      physical.WindowKind
	intervals int
	usage     string
}{
	"tumble":   {physical.Tumble, 1, "TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL 10 SECOND)"},
	"hop":      {physical.Hop, 2, "HOP(TABLE t, DESCRIPTOR(ts), INTERVAL 5 SECOND, INTERVAL 10 SECOND): slide, then size"},
	"cumulate": {physical.Cumulate, 2, "CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL 1 HOUR, INTERVAL 1 DAY): step, then size"},
	"session":  {physical.Session, 1, "SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL 30 SECOND)"},
}

// groupWindow is the window of GROUP BY TUMBLE(ts, ..): the window columns stand at start, start+1, start+2.
type groupWindow struct {
	fn    string
	args  []expr.Expr
	text  string // as written, for messages
	start int
	typ   types.Type
}

// anyWindow is the name that stands for each kind of window: WINDOW_START().
const anyWindow = "window"

// groupWindowColumn tells which window column TUMBLE_START and its kin mean.
func groupWindowColumn(name string) (int, bool) {
	fn, suffix, ok := strings.Cut(name, "_")
	if _, is := windowFuncs[fn]; !ok || !is && fn != anyWindow {
		return 0, false
	}
	col, ok := map[string]int{"start": 0, "end": 1, "rowtime": 2, "time": 2}[suffix]
	return col, ok
}

func (b *Binder) groupWindowCall(x *ast.Call, c *clause, col int) (expr.Expr, error) {
	fn, _, _ := strings.Cut(x.Name, "_")
	if c.windows == nil && fn == anyWindow {
		return b.column(&ast.Column{Pos: x.Pos, Parts: []ast.Name{{Pos: x.Pos, Text: logical.WindowColumnNames[col]}}}, c)
	}
	if c.windows == nil {
		return nil, diag.New(diag.MisplacedFunction, b.at(x), "%s needs GROUP BY %s(..)", strings.ToUpper(x.Name), strings.ToUpper(fn)).
			WithHint("over a window table function write window_start and window_end")
	}
	if err := b.sameGroupWindow(x, c, fn); err != nil {
		return nil, err
	}
	return c.windows.column(col, b.at(x)), nil
}

// sameGroupWindow checks that TUMBLE_START(ts, INTERVAL ..) means the window of GROUP BY. The arguments may be left out.
func (b *Binder) sameGroupWindow(x *ast.Call, c *clause, fn string) error {
	w := c.windows
	same := fn == w.fn || fn == anyWindow
	if len(x.Args) > 0 && same {
		args, err := b.exprs(x.Args, &clause{name: "a window's arguments", scope: c.scope})
		if err != nil {
			return err
		}
		same = slices.EqualFunc(args, w.args, expr.Equal)
	}
	if same {
		return nil
	}
	return diag.New(diag.WrongArguments, b.at(x), "%s is not of the window in GROUP BY, %s", strings.ToUpper(x.Name), w.text).
		WithHint("write %s() without arguments", strings.ToUpper(w.fn)+strings.TrimPrefix(strings.ToUpper(x.Name), strings.ToUpper(fn)))
}

func (w *groupWindow) column(col, at int) expr.Expr {
	return &expr.Col{Index: w.start + col, Name: logical.WindowColumnNames[col], Typ: w.typ, Pos: at}
}

// windowArgs are the arguments of a window function, in its table or its GROUP BY form.
type windowArgs struct {
	fn        string
	at        int
	time      *expr.Col
	intervals []expr.Expr
	zone      string
}

// window checks the arguments and puts the window over in.
func (b *Binder) window(in logical.Node, a windowArgs) (*logical.Window, error) {
	f := windowFuncs[a.fn]
	if n := len(a.intervals); n < f.intervals || n > f.intervals+1 || f.kind == physical.Session && n > 1 {
		return nil, diag.New(diag.WrongArguments, a.at, "%s takes %d interval(s), got %d", strings.ToUpper(a.fn), f.intervals, n).WithHint("%s", f.usage)
	}
	w := logical.Window{Pos: a.at, Spec: physical.WindowSpec{Kind: f.kind, TimeCol: a.time.Index}}
	micros := make([]int64, len(a.intervals))
	for i, e := range a.intervals {
		var err error
		if micros[i], err = intervalMicros(e, i == f.intervals); err != nil {
			return nil, err
		}
	}
	if len(micros) > f.intervals {
		w.Spec.Offset = micros[f.intervals]
	}
	switch f.kind {
	case physical.Tumble:
		w.Spec.Size, w.Spec.Slide = micros[0], micros[0]
	case physical.Session:
		w.Spec.Gap = micros[0]
	default:
		w.Spec.Slide, w.Spec.Size = micros[0], micros[1]
	}
	if err := checkSlide(&w.Spec, a); err != nil {
		return nil, err
	}
	if err := b.windowZone(&w.Spec, a); err != nil {
		return nil, err
	}
	if err := b.windowTime(in, &w, a); err != nil {
		return nil, err
	}
	return logical.NewWindow(in, w), nil
}

// maxWindowCopies bounds how many windows a row falls into: a slide of a microsecond would multiply rows without end.
const maxWindowCopies = 10_000

func checkSlide(s *physical.WindowSpec, a windowArgs) error {
	if s.Kind == physical.Tumble || s.Kind == physical.Session {
		return nil
	}
	at := a.intervals[0].At()
	switch {
	case s.Slide > s.Size:
		return diag.New(diag.WrongArguments, at, "%s: the first interval (%s) is larger than the size", strings.ToUpper(a.fn), expr.Print(a.intervals[0])).
			WithHint("%s", windowFuncs[a.fn].usage)
	case s.Size/s.Slide > maxWindowCopies:
		return diag.New(diag.WrongArguments, at, "each row would fall into %d windows, more than %d", s.Size/s.Slide, maxWindowCopies)
	case s.Kind == physical.Cumulate && s.Size%s.Slide != 0:
		return diag.New(diag.WrongArguments, at, "CUMULATE: the size must be a multiple of the step")
	}
	return nil
}

func intervalMicros(e expr.Expr, offset bool) (int64, error) {
	k, ok := e.(*expr.Const)
	if !ok || k.Value.Type.Kind != types.Interval || k.Value.IsNull(0) {
		return 0, diag.New(diag.WrongArguments, e.At(), "expected a constant interval").WithHint("INTERVAL 10 SECOND")
	}
	months, micros := types.IntervalParts(k.Value.I128[0])
	switch {
	case months != 0:
		return 0, diag.New(diag.WrongArguments, e.At(), "windows of months or years have no fixed length").WithHint("use days: INTERVAL 30 DAY")
	case micros <= 0 && !offset:
		return 0, diag.New(diag.WrongArguments, e.At(), "the interval must be longer than zero")
	}
	return micros, nil
}

func (b *Binder) windowZone(s *physical.WindowSpec, a windowArgs) error {
	zone := a.zone
	if zone == "" {
		if a.time.Typ.Kind == types.Timestamp { // a DATETIME is a wall clock already
			s.Zone = b.zone
		}
		return nil
	}
	loc, err := function.ParseZone(zone)
	if err != nil {
		return diag.New(diag.WrongArguments, a.at, "unknown time zone '%s'", zone).WithHint("'UTC' or a name such as 'Europe/Zurich'")
	}
	s.Zone = loc
	return nil
}

// windowTime checks that the time column carries event time. A bounded input without watermark is let through: its windows close
// at the end.
func (b *Binder) windowTime(in logical.Node, w *logical.Window, a windowArgs) error {
	info := b.props.Of(in)
	if slices.Contains(info.EventTime, a.time.Index) {
		return nil
	}
	t := a.time.Typ.Kind
	if t != types.Timestamp && t != types.Datetime {
		return diag.New(diag.NoEventTime, a.time.Pos, "'%s' is %s, a window needs a TIMESTAMP column with a watermark", a.time.Name, a.time.Typ).
			WithHint("declare a computed column, e.g. ts AS TO_TIMESTAMP_LTZ(%s, 3), and WATERMARK FOR ts AS ts - INTERVAL 5 SECOND", a.time.Name)
	}
	if info.Bounded && w.Spec.Kind != physical.Session {
		w.Untimed = true
		return nil
	}
	return diag.New(diag.NoEventTime, a.time.Pos, "column '%s' carries no event time here", a.time.Name).
		WithHint("add to the source's columns: WATERMARK FOR %s AS %s - INTERVAL 5 SECOND", a.time.Name, a.time.Name)
}

// windowTable binds TUMBLE(TABLE t, DESCRIPTOR(ts), ..) and its kin in FROM.
func (b *Binder) windowTable(x *ast.TableFunc) (logical.Node, *scope, error) {
	f := windowFuncs[x.Name]
	args, err := orderArgs(x, b.at)
	if err != nil {
		return nil, nil, err
	}
	if len(args) < 2 || args[0].Table == nil || args[1].Descriptor == nil {
		return nil, nil, diag.New(diag.WrongArguments, b.at(x), "%s needs a table and a DESCRIPTOR(time column)", strings.ToUpper(x.Name)).WithHint("%s", f.usage)
	}
	in, sc, err := b.from(args[0].Table)
	if err != nil {
		return nil, nil, err
	}
	col, err := sc.resolve([]ast.Name{*args[1].Descriptor}, b.at)
	if err != nil {
		return nil, nil, err
	}
	a := windowArgs{fn: x.Name, at: b.at(x), time: col.(*expr.Col)}
	c := &clause{name: "a window's arguments", scope: &scope{}}
	for _, arg := range args[2:] {
		if arg.TimeZone != "" {
			a.zone = arg.TimeZone
			continue
		}
		if arg.Expr == nil {
			return nil, nil, diag.New(diag.WrongArguments, b.at(arg), "expected an interval").WithHint("%s", f.usage)
		}
		e, err := b.expr(arg.Expr, c)
		if err != nil {
			return nil, nil, err
		}
		if arg.Name == "time zone" {
			a.zone = constText(e)
			continue
		}
		a.intervals = append(a.intervals, e)
	}
	w, err := b.window(in, a)
	if err != nil {
		return nil, nil, err
	}
	if w, err = b.partitioned(w, args[0].PartitionBy, sc); err != nil {
		return nil, nil, err
	}
	return w, windowScope(x, w, sc, len(in.Columns())), nil
}

// partitioned sets the PARTITION BY of a session window, which must be columns.
func (b *Binder) partitioned(w *logical.Window, by []ast.Expr, sc *scope) (*logical.Window, error) {
	next := *w
	for _, p := range by {
		e, err := b.expr(p, &clause{name: "PARTITION BY", scope: sc})
		if err != nil {
			return nil, err
		}
		c, ok := e.(*expr.Col)
		if !ok {
			return nil, notSupported(b.at(p), "an expression in a window's PARTITION BY").WithHint("compute it in a subquery and name the column")
		}
		next.PartitionBy = append(next.PartitionBy, c.Index)
	}
	return logical.NewWindow(w.Inputs()[0], next), nil
}

// windowScope: the table's columns keep their table name unless the call has an alias; the window's columns take the same name.
func windowScope(x *ast.TableFunc, w *logical.Window, in *scope, width int) *scope {
	out := &scope{}
	table := x.Alias.Text
	for _, c := range in.cols {
		if table != "" {
			c.table = table
		}
		out.cols = append(out.cols, c)
	}
	if table == "" && len(in.cols) > 0 {
		table = in.cols[0].table
	}
	for i, name := range logical.WindowColumnNames {
		out.cols = append(out.cols, scopeColumn{table: table, name: name, typ: w.Columns()[width+i].Type, index: width + i})
	}
	for i, name := range x.Columns {
		if i < len(out.cols) {
			out.cols[i].name = name.Text
		}
	}
	return out
}

// argOrder is the place of each named argument.
var argOrder = map[string]map[string]int{
	"tumble":   {"data": 0, "timecol": 1, "size": 2, "offset": 3},
	"hop":      {"data": 0, "timecol": 1, "slide": 2, "size": 3, "offset": 4},
	"cumulate": {"data": 0, "timecol": 1, "step": 2, "size": 3, "offset": 4},
	"session":  {"data": 0, "timecol": 1, "gap": 2},
}

// orderArgs puts named arguments in their places.
func orderArgs(x *ast.TableFunc, at func(ast.Node) int) ([]ast.TableFuncArg, error) {
	var positional, last []ast.TableFuncArg
	named := map[int]ast.TableFuncArg{}
	for _, a := range x.Args {
		switch i, ok := argOrder[x.Name][a.Name]; {
		case a.Name == "":
			positional = append(positional, a)
		case a.Name == "time zone":
			last = append(last, a)
		case !ok:
			var names []string
			for n := range argOrder[x.Name] {
				names = append(names, n)
			}
			slices.Sort(names)
			return nil, hintNearest(diag.New(diag.WrongArguments, at(a), "%s has no argument '%s'", strings.ToUpper(x.Name), a.Name), a.Name, names, "arguments")
		default:
			named[i] = a
		}
	}
	for i := len(positional); len(named) > 0; i++ {
		a, ok := named[i]
		if !ok {
			return nil, diag.New(diag.WrongArguments, at(x), "%s: an argument is missing", strings.ToUpper(x.Name)).WithHint("%s", windowFuncs[x.Name].usage)
		}
		positional = append(positional, a)
		delete(named, i)
	}
	return append(positional, last...), nil
}

func constText(e expr.Expr) string {
	if k, ok := e.(*expr.Const); ok && k.Value.Type.Kind == types.String && !k.Value.IsNull(0) {
		return string(k.Value.Bytes(0))
	}
	return ""
}
