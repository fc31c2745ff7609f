package expr

import (
	"time"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Expr is a bound expression over the columns of one input. Expressions are immutable and may be shared.
type Expr interface {
	Type() types.Type
	At() int // byte offset in the source text, -1 unknown
}

type (
	// Const is a constant: a 1-row vector. Zone is the time zone of the statement that wrote it, by which text is read as an instant and
	// an instant as a wall clock when calls on it are folded; nil is UTC.
	Const struct {
		Value *vector.Vector
		Pos   int
		Zone  *time.Location
	}
	// Col is column Index of the input.
	Col struct {
		Index int
		Name  string
		Typ   types.Type
		Pos   int
	}
	// Call is a scalar function with all arguments already of the types the kernel wants. Casts are calls named "cast" or
	// "try_cast".
	Call struct {
		Name  string
		Fn    *function.Func // nil for casts
		Bound function.Bound
		Args  []Expr
		Pos   int
	}
	// Case is the lazy conditional that CASE, IF, IFNULL, COALESCE and NULLIF become: errors of arms not taken do not count.
	// Conds are BOOLEAN; Results and Else (nil: NULL) have type Typ.
	Case struct {
		Conds, Results []Expr
		Else           Expr
		Typ            types.Type
		Pos            int
	}
	// Logic is AND or OR of two or more BOOLEANs in three-valued logic, lazy as Case is.
	Logic struct {
		Or   bool
		Args []Expr
		Pos  int
	}
	// Field is field Index of a STRUCT.
	Field struct {
		X     Expr
		Index int
		Pos   int
	}
)

// Type returns the constant's type.
func (e *Const) Type() types.Type { return e.Value.Type }

// Type returns the column's type.
func (e *Col) Type() types.Type { return e.Typ }

// Type returns the function's result type.
func (e *Call) Type() types.Type { return e.Bound.Ret }

// Type returns the common type of the results.
func (e *Case) Type() types.Type { return e.Typ }

// Type returns BOOLEAN.
func (e *Logic) Type() types.Type { return types.Of(types.Bool) }

// Type returns the field's type.
func (e *Field) Type() types.Type { return e.X.Type().Fields[e.Index].Type }

// At returns the byte offset in the source text.
func (e *Const) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Col) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Call) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Case) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Logic) At() int { return e.Pos }

// At returns the byte offset in the source text.
func (e *Field) At() int { return e.Pos }
