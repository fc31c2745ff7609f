package catalog

import (
	"slices"
	"strings"

	"github.com/millrace/millrace/sql/ast"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
)

// Function is a function made with CREATE FUNCTION. Exactly one of Body (LANGUAGE sql) and Func (LANGUAGE wasm) is set. Functions are
// immutable once added.
type Function struct {
	Name          string
	Language      string // sql or wasm
	Params        []types.Field
	Returns       types.Type
	Deterministic bool
	Body          ast.Expr       // over the parameters; bound anew at each use
	Func          *function.Func // runs the module
	Options       map[string]string
	Uses          []string // functions of the user's that Body calls, lower case
	SQL           string   // the statement that created it
}

// Signature gives name, parameters and result as a user would write them.
func (f *Function) Signature() string {
	params := make([]string, len(f.Params))
	for i, p := range f.Params {
		params[i] = p.Name + " " + p.Type.String()
	}
	return f.Name + "(" + strings.Join(params, ", ") + ") RETURNS " + f.Returns.String()
}

// Function finds a function of the user's by name, case-insensitively; nil when there is none.
func (c *Catalog) Function(name string) *Function {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.functions[strings.ToLower(name)]
}

// AddFunction adds a function or replaces the one of the same name.
func (c *Catalog) AddFunction(f *Function) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.functions[strings.ToLower(f.Name)] = f
}

// DropFunction removes a function; false when there is none.
func (c *Catalog) DropFunction(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.ToLower(name)
	_, ok := c.functions[key]
	delete(c.functions, key)
	return ok
}

// Functions returns the functions of the user's, by name.
func (c *Catalog) Functions() []*Function {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*Function, 0, len(c.functions))
	for _, f := range c.functions {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}
