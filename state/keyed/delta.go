package keyed

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind is what a change does.
type Kind byte

// The kinds of change. Their numbers are part of the format.
const (
	Put         Kind = 1
	Delete      Kind = 2
	DeleteRange Kind = 3
)

// ErrBadDelta says that bytes are not an encoded delta.
var ErrBadDelta = errors.New("malformed state delta")

// Delta collects the changes of one task in one epoch, in order: later ones win. The zero value is empty and ready; Reset keeps the
// buffer. It is not safe for concurrent use.
type Delta struct {
	buf []byte
}

// Change is one change of a delta. Value is the value of a Put and the exclusive end of a DeleteRange. The slices alias the delta.
type Change struct {
	Kind       Kind
	Key, Value []byte
}

// Reset empties the delta and keeps its buffer.
func (d *Delta) Reset() { d.buf = d.buf[:0] }

// Len returns the encoded size in bytes; 0 means no changes.
func (d *Delta) Len() int { return len(d.buf) }

// Bytes returns the encoding. It is valid until the next change or Reset.
func (d *Delta) Bytes() []byte { return d.buf }

// Put sets a full key (AppendKey) to a value.
func (d *Delta) Put(key, value []byte) {
	d.start(Put, key)
	d.buf = binary.AppendUvarint(d.buf, uint64(len(value)))
	d.buf = append(d.buf, value...)
}

// Delete removes a full key; removing one that is absent is no error.
func (d *Delta) Delete(key []byte) { d.start(Delete, key) }

// DeleteRange removes the full keys in [from, to).
func (d *Delta) DeleteRange(from, to []byte) {
	d.start(DeleteRange, from)
	d.buf = binary.AppendUvarint(d.buf, uint64(len(to)))
	d.buf = append(d.buf, to...)
}

func (d *Delta) start(k Kind, key []byte) {
	d.buf = append(d.buf, byte(k))
	d.buf = binary.AppendUvarint(d.buf, uint64(len(key)))
	d.buf = append(d.buf, key...)
}

// putParts appends a Put whose full key is given in parts, without building it elsewhere.
func (d *Delta) putParts(op uint64, table byte, group uint16, key, value []byte) {
	d.startParts(Put, op, table, group, key)
	d.buf = binary.AppendUvarint(d.buf, uint64(len(value)))
	d.buf = append(d.buf, value...)
}

func (d *Delta) startParts(k Kind, op uint64, table byte, group uint16, key []byte) {
	d.buf = append(d.buf, byte(k))
	d.buf = binary.AppendUvarint(d.buf, uint64(headLen+len(key)))
	d.buf = AppendKey(d.buf, op, table, group, key)
}

// Each calls fn for every change of an encoded delta, in order. It stops at the first error.
func Each(delta []byte, fn func(c Change) error) error {
	for rest := delta; len(rest) > 0; {
		c, n, ok := decodeChange(rest)
		if !ok {
			return fmt.Errorf("%w at byte %d of %d", ErrBadDelta, len(delta)-len(rest), len(delta))
		}
		if err := fn(c); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// decodeChange reads the first change of data and returns how many bytes it takes.
func decodeChange(data []byte) (c Change, n int, ok bool) {
	c.Kind = Kind(data[0])
	if c.Kind < Put || c.Kind > DeleteRange {
		return c, 0, false
	}
	n = 1
	if c.Key, n, ok = decodeBytes(data, n); !ok {
		return c, 0, false
	}
	if c.Kind == Delete {
		return c, n, true
	}
	c.Value, n, ok = decodeBytes(data, n)
	return c, n, ok
}

func decodeBytes(data []byte, at int) (b []byte, next int, ok bool) {
	size, w := binary.Uvarint(data[at:])
	if w <= 0 || size > uint64(len(data)-at-w) {
		return nil, 0, false
	}
	at += w
	return data[at : at+int(size)], at + int(size), true
}
