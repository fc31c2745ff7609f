package record

import (
	"encoding/binary"
	"errors"
	"time"
)

// Record is one record of a coordinator's topic; a nil Value deletes the Key.
type Record struct {
	Key   []byte
	Value []byte
}

// AppendString appends a string field.
func AppendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendTime appends a time field; the zero time is none.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, -1)
	}
	return binary.AppendVarint(b, t.UnixMilli())
}

var errShort = errors.New("record is cut short")

// Reader decodes fields; the first error sticks and later reads give zero values.
type Reader struct {
	Data []byte
	Err  error
}

// Fail notes that the record ends too early or holds what cannot be.
func (r *Reader) Fail() {
	if r.Err == nil {
		r.Err = errShort
	}
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if r.Err != nil || len(r.Data) == 0 {
		r.Fail()
		return 0
	}
	v := r.Data[0]
	r.Data = r.Data[1:]
	return v
}

// Varint reads a zigzag varint.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.Data)
	if r.Err != nil || n <= 0 {
		r.Fail()
		return 0
	}
	r.Data = r.Data[n:]
	return v
}

// Uvarint reads an unsigned varint.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.Data)
	if r.Err != nil || n <= 0 {
		r.Fail()
		return 0
	}
	r.Data = r.Data[n:]
	return v
}

// String reads a string.
func (r *Reader) String() string {
	l := r.Uvarint()
	if r.Err != nil || l > uint64(len(r.Data)) {
		r.Fail()
		return ""
	}
	s := string(r.Data[:l])
	r.Data = r.Data[l:]
	return s
}

// Time reads a time.
func (r *Reader) Time() time.Time {
	if ms := r.Varint(); ms >= 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}
