package operator

import (
	"math"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/vector"
)

// The ends of event time: MinTime is the watermark of an input that has said nothing yet, MaxTime that of an input that has ended.
const (
	MinTime = math.MinInt64
	MaxTime = math.MaxInt64
)

// Output is where an operator sends rows: the next operator of the chain, an exchange, a sink. Push borrows the batch until it
// returns; the caller may reuse it then.
type Output interface {
	Push(b *vector.Batch) error
}

// Operator is one step of a task's chain. One goroutine, the task's, makes all calls, in this order: Open once; then any number of Push,
// Watermark, Barrier and End; Close once, also after an error. After an error from any call only Close follows.
//
// Ownership: a batch is borrowed until Push returns; what an operator keeps, it copies. The batches it emits are its own, and it
// reuses them for the next call.
//
// Determinism: output depends only on state, the order of calls and Context.Fn.Now.
type Operator interface {
	// Open prepares the operator and reads its state back (Context.State.Scan).
	Open(ctx *Context) error
	// Push takes rows of one input.
	Push(input int, b *vector.Batch, out Output) error
	// Watermark says that no input will bring a row at or before t that is not late (t ascends; it is the minimum over the inputs).
	// The operator emits what this completes and returns the watermark that holds for its output (normally t).
	Watermark(t int64, out Output) (int64, error)
	// Barrier ends an epoch: the operator writes what changed since the last one to Context.State. It emits nothing.
	Barrier(epoch uint64) error
	// End says that an input is over for good. When all inputs are over the task calls Watermark(MaxTime) first, then End for each,
	// then ends the outputs itself. Bounded operators (Sort, Materialize, final aggregates) emit in the last End.
	End(input int, out Output) error
	Close() error
}

// Gated is implemented by operators that must have seen the whole of one input before the first row of the others (LookupJoin): the
// task reads only that input until it ends.
type Gated interface {
	// Gate returns the input to read first.
	Gate() int
}

// Starter is implemented by operators that have something to say before their first input: a global aggregate has a row over nothing.
type Starter interface {
	// Start comes once, behind Open and before everything else.
	Start(out Output) error
}

// Context is what a task lends to its operators; valid from Open to Close.
type Context struct {
	Fn    *function.Ctx // evaluation context; Now is the epoch clock
	State State
	// RowError disposes of a row whose evaluation failed, by the node's error policy. It returns an error only when the job must
	// fail. Stage names the operator for the error table.
	RowError func(stage string, b *vector.Batch, row int, err *diag.Error) error
	// Late disposes of rows that came after their window had closed; the runtime counts them and keeps them in the table late.
	Late func(stage string, b *vector.Batch, rows []int32)
	// Groups is the range [From, To) of key groups that the task owns.
	Groups struct{ From, To uint16 }
}

// State is the durable state of one operator in one task. What is written between two barriers becomes durable atomically with the
// epoch; nothing is written outside of Barrier. Table separates the states of one operator (left and right side of a join); Group is the
// key group of the key (row.KeyGroup of its hash), 0 for unkeyed state. Keys and values are copied.
type State interface {
	Put(table byte, group uint16, key, value []byte)
	Delete(table byte, group uint16, key []byte)
	// DeleteRange deletes the keys in [from, to) of one group.
	DeleteRange(table byte, group uint16, from, to []byte)
	// Scan calls fn for every entry of the task's key groups, in key order within a group; slices are valid during the call.
	Scan(table byte, fn func(group uint16, key, value []byte) error) error
}
