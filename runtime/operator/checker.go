package operator

import (
	"fmt"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// CheckerOptions describe what an edge of the plan promises.
type CheckerOptions struct {
	Edge       string       // named in errors
	Schema     []types.Type // the columns
	EventTime  []int        // columns whose values must lie above the watermark
	AppendOnly bool         // only +I
	Legal      bool         // every -U and -D takes back a row that is there; costs the memory of all rows
	Key        []int        // columns by whose key groups the rows are distributed to tasks; empty: one task has all
}

// Checker passes rows on and fails the job when they break what the edge promises: malformed batches, wrong types, a falling
// watermark, rows at or below it, illegal changes. Tests put it between every two operators.
type Checker struct {
	stateless
	o       CheckerOptions
	clock   clock
	rows    *bag
	keys    []*vector.Vector
	hash    []uint64
	gids    []int32
	encoded []byte
}

// NewChecker makes a checker.
func NewChecker(o CheckerOptions) *Checker { return &Checker{o: o} }

// Open reads back which rows are there.
func (c *Checker) Open(ctx *Context) error {
	c.ctx = ctx
	c.clock.now = MinTime
	c.rows = newBag(schemaOf(c.o.Schema, c.o.Key), ctx.State != nil)
	return c.rows.read(ctx, tableRows)
}

// Push checks a batch and passes it on.
func (c *Checker) Push(_ int, b *vector.Batch, out Output) error {
	err := CheckBatch(b, c.o.Schema)
	if err == nil {
		err = c.checkTimes(b)
	}
	if err == nil {
		err = c.checkChanges(b)
	}
	if err != nil {
		return fmt.Errorf("checking %s: %w", c.o.Edge, err)
	}
	return out.Push(b)
}

// Watermark checks that time does not run backwards.
func (c *Checker) Watermark(t int64, _ Output) (int64, error) {
	if t < c.clock.now {
		return t, fmt.Errorf("checking %s: watermark fell from %d to %d", c.o.Edge, c.clock.now, t)
	}
	c.clock.now = t
	return t, nil
}

func (c *Checker) checkTimes(b *vector.Batch) error {
	for _, col := range c.o.EventTime {
		for k := range b.Rows() {
			if i := b.Row(k); !b.Cols[col].IsNull(i) && b.Cols[col].I64[i] <= c.clock.now {
				return fmt.Errorf("row %d: time %d in column %d is not above the watermark %d", i, b.Cols[col].I64[i], col, c.clock.now)
			}
		}
	}
	return nil
}

func (c *Checker) checkChanges(b *vector.Batch) error {
	if c.o.AppendOnly {
		for k := range b.Rows() {
			if op := b.Change(b.Row(k)); op != vector.Insert {
				return fmt.Errorf("row %d: %s on an append-only edge", b.Row(k), op)
			}
		}
	}
	if !c.o.Legal || b.Rows() == 0 {
		return nil
	}
	c.keys = pick(c.keys, b, c.o.Key)
	c.hash, c.gids = resized(c.hash, b.Rows()), resized(c.gids, b.Rows())
	row.Hash(c.keys, b.Sel, c.hash)
	c.rows.groups(c.hash, c.keys, b.Sel, c.gids)
	defer c.rows.sweep()
	defer c.rows.releaseUnused(c.gids)
	for k := range b.Rows() {
		i := b.Row(k)
		c.encoded = row.EncodeValue(c.encoded[:0], b.Cols, i)
		if b.Change(i).Adds() {
			c.rows.add(c.gids[k], c.encoded, 1)
			continue
		}
		e := c.rows.lookup(c.gids[k], c.encoded)
		if e == noEntry {
			return fmt.Errorf("row %d: %s of a row that is not there", i, b.Change(i))
		}
		c.rows.remove(e, 1)
	}
	return nil
}

// Barrier writes which rows are there.
func (c *Checker) Barrier(uint64) error {
	if c.ctx.State != nil {
		c.encoded = c.rows.write(c.ctx.State, tableRows, c.encoded)
	}
	return nil
}

// CheckBatch says which invariant of batches b breaks.
func CheckBatch(b *vector.Batch, schema []types.Type) error {
	if len(b.Cols) != len(schema) {
		return fmt.Errorf("batch has %d columns, want %d", len(b.Cols), len(schema))
	}
	for c, v := range b.Cols {
		if v.Type.Class() != schema[c].Class() {
			return fmt.Errorf("column %d is a %s, want %s", c, v.Type, schema[c])
		}
		if v.N != b.N {
			return fmt.Errorf("column %d has %d rows, batch has %d", c, v.N, b.N)
		}
		if err := checkVector(v); err != nil {
			return fmt.Errorf("column %d: %w", c, err)
		}
	}
	if len(b.Op) != 0 && len(b.Op) != b.N {
		return fmt.Errorf("batch has %d change kinds for %d rows", len(b.Op), b.N)
	}
	last := int32(-1)
	for _, i := range b.Sel {
		if i <= last || int(i) >= b.N {
			return fmt.Errorf("selection names row %d after %d of %d", i, last, b.N)
		}
		last = i
	}
	return nil
}

func checkVector(v *vector.Vector) error {
	if v.Valid != nil && len(v.Valid) != (v.N+63)/64 {
		return fmt.Errorf("validity of %d words for %d rows", len(v.Valid), v.N)
	}
	have := v.N
	switch v.Type.Class() {
	case types.ClassI64:
		have = len(v.I64)
	case types.ClassF64:
		have = len(v.F64)
	case types.ClassI128:
		have = len(v.I128)
	case types.ClassI256:
		have = len(v.I256)
	case types.ClassBytes, types.ClassList:
		have = len(v.Off) - 1
		if err := checkOffsets(v); err != nil {
			return err
		}
	case types.ClassStruct:
		for _, c := range v.Child {
			if c.N != v.N {
				return fmt.Errorf("field has %d rows of %d", c.N, v.N)
			}
		}
	}
	if have != v.N {
		return fmt.Errorf("%d values for %d rows", have, v.N)
	}
	return nil
}

func checkOffsets(v *vector.Vector) error {
	size := len(v.Data)
	if v.Type.Class() == types.ClassList {
		size = v.Child[0].N
	}
	for i := 1; i < len(v.Off); i++ {
		if v.Off[i] < v.Off[i-1] || int(v.Off[i]) > size {
			return fmt.Errorf("offset %d is %d after %d, of %d", i, v.Off[i], v.Off[i-1], size)
		}
	}
	return nil
}
