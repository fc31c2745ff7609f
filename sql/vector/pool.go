package vector

import "github.com/millrace/millrace/sql/types"

// Pool is a bounded free list of batches of one schema. It belongs to one producer-consumer pair: Get by the producer, Put by
// whoever ends the batch's life. Get never blocks: it makes a batch when the list is empty.
type Pool struct {
	fields []types.Field
	free   chan *Batch
}

// NewPool makes a pool that keeps up to size batches.
func NewPool(fields []types.Field, size int) *Pool {
	return &Pool{fields: fields, free: make(chan *Batch, size)}
}

// Get returns an empty batch.
func (p *Pool) Get() *Batch {
	select {
	case b := <-p.free:
		b.Reset()
		return b
	default:
		return NewBatch(p.fields, MaxRows)
	}
}

// Put gives a batch back; the caller must not touch it again.
func (p *Pool) Put(b *Batch) {
	select {
	case p.free <- b:
	default:
	}
}
