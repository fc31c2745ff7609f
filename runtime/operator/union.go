package operator

import "github.com/millrace/millrace/sql/vector"

// Union passes the rows of all its inputs on.
type Union struct{ stateless }

// NewUnion makes a union.
func NewUnion() *Union { return &Union{} }

// Push passes the batch on.
func (u *Union) Push(_ int, b *vector.Batch, out Output) error { return out.Push(b) }
