package function

import (
	"slices"
	"time"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// Ctx is what kernels see of the world. It belongs to one task and is not safe for concurrent use.
type Ctx struct {
	Now  int64          // the epoch clock, microseconds UTC: NOW() is constant within an epoch so that replay gives the same answer
	Zone *time.Location // session time zone; nil is UTC
	Errs []RowError     // errors of single rows, in no particular order
	Sel  []int32        // the rows that count, ascending; nil: all. Kernels may spare themselves making errors of others

	clock ZoneClock // of Zone
}

// Counts tells whether an error of a row would be kept.
func (c *Ctx) Counts(row int) bool {
	if c.Sel == nil {
		return true
	}
	_, found := slices.BinarySearch(c.Sel, int32(row))
	return found
}

// RowError says that a row's expression has no value. The operator decides by the job's error policy what becomes of the row.
type RowError struct {
	Row int // physical row of the batch
	Err *diag.Error
}

// Fail records a row error. The kernel leaves any value in the row's slot.
func (c *Ctx) Fail(row int, err *diag.Error) { c.Errs = append(c.Errs, RowError{Row: row, Err: err}) }

// Kernel computes n rows of out from args, which have n rows each. Out arrives empty with its type set; the kernel appends or
// Resizes to exactly n rows. It runs over all physical rows, also those a selection vector leaves out; the caller drops errors of
// rows that do not count. For a strict function the caller makes a row NULL when an argument is, and drops its error; the kernel
// must only be safe on the unspecified values in such slots. A kernel must not allocate per row.
type Kernel func(ctx *Ctx, args []*vector.Vector, n int, out *vector.Vector)

// Arg is an argument at bind time. Const is a 1-row vector when the argument is constant, so that a binder can compile patterns,
// paths and formats once.
//
// Lambda marks a lambda of Params parameters; Type is what it gives, Null as long as that is not known.
type Arg struct {
	Type   types.Type
	Const  *vector.Vector
	Lambda bool
	Params int
}

// Bound is a function resolved for given arguments. ArgTypes are the types that the kernel wants: the caller casts where they
// differ from what it has.
type Bound struct {
	Ret      types.Type
	ArgTypes []types.Type
	Strict   bool // NULL in, NULL out, handled by the caller
	// FirstOnly says that the kernel reads its first argument only, the others being constants that Bind has taken in: the caller
	// need not spread them over the batch and may pass nil for them. Never set together with Strict.
	FirstOnly bool
	Kernel    Kernel
	// NewLambda makes the kernel of a function that takes lambdas, in place of Kernel. ArgTypes has what each lambda must give.
	NewLambda func() LambdaKernel
}

// Example is a documented call that is also a test: SQL evaluates to Result, the text form of the value (NULL for NULL).
type Example struct{ SQL, Result string }

// Func is the record of a scalar function or operator. Operators are functions named by their symbol ("+", "=", "and").
type Func struct {
	Name          string // lower case
	Aliases       []string
	Family        string // string, math, time, json, regexp, array, conditional, cast, geo, hash, misc, operator
	Signatures    []string
	Doc           string
	Examples      []Example
	Deterministic bool // the same arguments always give the same value: calls on constants are folded
	Stable        bool // not Deterministic, but constant within an epoch: NOW()
	// TextLiterals says as what text literals among the arguments from index TextFrom on are read before binding: Float64 as the
	// number they spell, Timestamp as the DATE, TIME or DATETIME they spell; Null (zero): they stay text.
	TextLiterals types.Kind
	TextFrom     int
	takesWide    bool // the kernel takes DECIMALs of more than 38 digits although its family's do not
	// Lambda gives the types of the parameters of the lambda that is argument i; args[i].Params says how many are written. It is asked
	// again once it is known what the lambda gives, until its answer stays. nil: the function takes no lambda.
	Lambda func(args []Arg, i int) ([]types.Type, error)
	// Bind resolves the call; an error says which argument is wrong and why, without naming the function.
	Bind func(args []Arg) (Bound, error)
}

// AggState holds the accumulators of one aggregate for all groups of one task, by group id: columns, not objects. Group ids are
// small integers given out by the operator; Grow makes room, Clear makes a released id reusable.
type AggState interface {
	Grow(groups int)
	Clear(group int)
	// Add folds rows in. gids[k] is the group of the k-th counting row rows[k]; change[k] tells whether it adds or retracts
	// (nil: all add). Args have one vector per argument.
	Add(gids []int32, rows []int32, change []vector.Change, args []*vector.Vector) error
	// Emit appends the group's result to out.
	Emit(group int, out *vector.Vector)
	// Encode appends the group's accumulator; Decode replaces it by an encoded one and returns the rest of data.
	Encode(group int, dst []byte) []byte
	Decode(group int, data []byte) (rest []byte, err error)
}

// BoundAgg is an aggregate resolved for given arguments. NewState makes accumulators; retract says whether rows can be taken back.
type BoundAgg struct {
	Ret      types.Type
	ArgTypes []types.Type
	// OneRow says that in an order only one row matters: the first (-1) or the last (1). 0: all do.
	OneRow   int
	NewState func(retract bool) AggState
}

// Agg is the record of an aggregate function. The binder wraps what Bind gives for DISTINCT (NewDistinct), ORDER BY (NewOrdered) and
// IGNORE NULLS (NewSkipNulls).
type Agg struct {
	// Ordered: the result depends on the order of the rows. For others ORDER BY is checked and then left out.
	Ordered bool
	// OrderedSet: the aggregate is written f(args) WITHIN GROUP (ORDER BY x), or f(x, args): x is the first argument. It must not depend
	// on the order of the rows.
	OrderedSet bool
	Name       string
	Aliases    []string
	Signatures []string
	Doc        string
	Examples   []Example
	Bind       func(args []Arg) (BoundAgg, error)
}
