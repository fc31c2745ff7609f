package bind

import (
	"slices"
	"strings"
	"time"

	"github.com/millrace/millrace/planner/logical"
	"github.com/millrace/millrace/planner/props"
	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/expr"
	"github.com/millrace/millrace/sql/types"
)

// Limits of a statement; going past one is a diag.TooDeep error that names it.
const (
	MaxNesting = 500  // expressions, subqueries and views within one another
	MaxColumns = 4096 // columns of a relation or a result
	MaxJoins   = 64   // joins of one statement, views included
)

// Binder binds one statement. It is not safe for concurrent use.
type Binder struct {
	env        *Env
	zone       *time.Location // of the statement, nil: UTC
	props      *props.Deriver
	ctes       []cte    // those in scope, innermost last
	views      []string // views being expanded, outermost first
	emit       ast.EmitMode
	depth      int
	joins      int
	subs       int             // subqueries in expressions so far
	recursions int             // recursive tables so far
	frames     []*frame        // queries around the one being bound, outermost first
	outers     int             // columns of queries around so far
	follow     bool            // a materialised view is read from its state, with its changes
	inline     bool            // a materialised view is expanded as its query
	calls      map[string]bool // functions of the user's, lower case; true: the text itself calls it, not only a view's
	reads      map[string]bool // relations, likewise
	creating   string          // function whose body is being bound at its creation, lower case
	Warnings   []string
}

type cte struct {
	def    *ast.CTE
	seen   int        // how many CTEs its own query sees
	around int        // how many queries around it sees
	self   bool       // WITH RECURSIVE: it may read itself
	rec    *recursion // set while its recursive part is bound
}

// New makes a binder. Snapshot tells that materialised views are read from their state.
func New(env *Env) *Binder {
	return &Binder{env: env, zone: env.zone(), props: props.New(false), inline: !env.AdHoc}
}

// foreign tells whether the text being bound is not that of the statement: a view's or a relation's own.
func (b *Binder) foreign() bool { return len(b.views) > 0 }

// at is a node's offset in the statement, -1 when the node comes from another text.
func (b *Binder) at(n ast.Node) int {
	if b.foreign() {
		return -1
	}
	return n.At()
}

func (b *Binder) enter(n ast.Node) error {
	if b.depth++; b.depth > MaxNesting {
		return diag.New(diag.TooDeep, b.at(n), "nesting is deeper than %d", MaxNesting)
	}
	return nil
}

func (b *Binder) leave() { b.depth-- }

// within runs fn while name's own text is being bound; an error in there is reported at pos, the place that uses name.
func (b *Binder) within(name string, pos ast.Node, fn func() error) error {
	at := b.at(pos)
	if len(b.views) >= MaxNesting {
		return diag.New(diag.TooDeep, at, "views within views are deeper than %d", MaxNesting)
	}
	b.views = append(b.views, name)
	err := fn()
	b.views = b.views[:len(b.views)-1]
	if d, ok := diag.As(err); ok && d.Offset < 0 {
		moved := *d
		moved.Offset, moved.Message = at, "in "+name+": "+d.Message
		return &moved
	}
	return err
}

func fieldsToScope(table string, n logical.Node) *scope {
	s := &scope{}
	for i, f := range n.Columns() {
		s.cols = append(s.cols, scopeColumn{table: table, name: f.Name, typ: f.Type, index: i})
	}
	return s
}

func notSupported(at int, format string, args ...any) *diag.Error {
	return diag.New(diag.NotSupported, at, format+" is not supported", args...)
}

// castTo casts when the type differs; numbers and instants of the same kind pass as they are.
func castTo(e expr.Expr, t types.Type, at int) (expr.Expr, error) {
	if e.Type().Equal(t) {
		return e, nil
	}
	return expr.NewCast(e, t, false, at)
}

func lower(s string) string { return strings.ToLower(s) }

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
