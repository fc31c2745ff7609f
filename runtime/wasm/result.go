package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxMessageBytes bounds a module's own error messages.
const maxMessageBytes = 1 << 10

// answer is a result block, checked: every offset in it lies within the block.
type answer struct {
	block    []byte
	rows     int
	code     uint32
	validity []byte // nil: no row is NULL
	values   []byte
	data     []byte
	errors   []byte // errorBytes each
}

// maxTime is beyond the longest TIME, 838:59:59.999999.
const maxTime = 839 * types.Hour

// errFailed wraps the message of a module that says itself that a call failed.
var errFailed = errors.New("the function failed")

// readAnswer checks a result block for the rows of a call. It never reads beyond the block and never trusts a number in it.
func readAnswer(block []byte, code uint32, rows int) (*answer, error) {
	if len(block) < resultBytes {
		return nil, fmt.Errorf("the result has %d bytes, less than its head of %d", len(block), resultBytes)
	}
	le := binary.LittleEndian
	a := &answer{block: block, rows: rows, code: code}
	var err error
	if a.data, err = a.span("data", le.Uint32(block[16:]), uint64(le.Uint32(block[20:]))); err != nil {
		return nil, err
	}
	switch status := le.Uint32(block); status {
	case 0:
	case 1:
		return nil, fmt.Errorf("%w: %s", errFailed, message(a.data))
	default:
		return nil, fmt.Errorf("the result has status %d, neither 0 nor 1", status)
	}
	if n := le.Uint32(block[4:]); uint64(n) != uint64(rows) {
		return nil, fmt.Errorf("the result has %d rows, the call had %d", n, rows)
	}
	if at := le.Uint32(block[8:]); at != 0 {
		if a.validity, err = a.span("validity", at, uint64(rows+7)/8); err != nil {
			return nil, err
		}
	}
	size := 8 * uint64(rows)
	if variable(code) {
		size = 4 * uint64(rows+1)
	}
	if a.values, err = a.span("values", le.Uint32(block[12:]), size); err != nil {
		return nil, err
	}
	if at := le.Uint32(block[24:]); at != 0 {
		head, err := a.span("errors", at, 4)
		if err != nil {
			return nil, err
		}
		n := le.Uint32(head)
		if uint64(n) > uint64(rows) {
			return nil, fmt.Errorf("the result has %d errors for %d rows", n, rows)
		}
		all, err := a.span("errors", at, 4+uint64(n)*errorBytes)
		if err != nil {
			return nil, err
		}
		a.errors = all[4:]
	}
	return a, a.offsets()
}

// span is a part of the block.
func (a *answer) span(what string, at uint32, size uint64) ([]byte, error) {
	if uint64(at)+size > uint64(len(a.block)) {
		return nil, fmt.Errorf("the %s of the result lie outside it: %d bytes at %d of %d", what, size, at, len(a.block))
	}
	return a.block[at:][:size], nil
}

// offsets checks that those of variable values ascend within data.
func (a *answer) offsets() error {
	if !variable(a.code) {
		return nil
	}
	last := uint32(0)
	for k := range a.rows + 1 {
		o := binary.LittleEndian.Uint32(a.values[4*k:])
		if o < last || uint64(o) > uint64(len(a.data)) {
			return fmt.Errorf("the offsets of the result do not ascend within its %d bytes of data (row %d: %d after %d)", len(a.data), k, o, last)
		}
		last = o
	}
	return nil
}

// valid tells whether row k has a value.
func (a *answer) valid(k int) bool { return a.validity == nil || a.validity[k>>3]&(1<<(k&7)) != 0 }

// appendTo appends row k to a vector of the wide type of the answer's code.
func (a *answer) appendTo(out *vector.Vector, k int) error {
	le := binary.LittleEndian
	switch {
	case !a.valid(k):
		out.AppendNull()
	case a.code == codeDouble:
		out.AppendF64(math.Float64frombits(le.Uint64(a.values[8*k:])))
	case variable(a.code):
		text := a.data[le.Uint32(a.values[4*k:]):le.Uint32(a.values[4*k+4:])]
		if a.code != codeBytes && !utf8.Valid(text) {
			out.AppendNull()
			return errors.New("the result is no UTF-8")
		}
		out.AppendBytes(text)
	default:
		x := int64(le.Uint64(a.values[8*k:]))
		if a.code == codeBool && x&^1 != 0 {
			out.AppendNull()
			return fmt.Errorf("the result %d is no BOOLEAN", x)
		}
		if !inRange(a.code, x) {
			out.AppendNull()
			return fmt.Errorf("the result %d is out of range of %s", x, out.Type)
		}
		out.AppendI64(x)
	}
	return nil
}

// inRange tells whether an instant or a day is one that SQL can write.
func inRange(code uint32, x int64) bool {
	switch code {
	case codeDate:
		return x >= types.MinDay && x <= types.MaxDay
	case codeTime:
		return x > -maxTime && x < maxTime
	case codeDatetime, codeTimestamp:
		return x >= types.MinMicros && x <= types.MaxMicros
	}
	return true
}

// each calls fn for the errors of single rows. One whose place is outside the result says so instead of its message.
func (a *answer) each(fn func(k int, text string)) {
	le := binary.LittleEndian
	for e := a.errors; len(e) > 0; e = e[errorBytes:] {
		k := le.Uint32(e)
		if uint64(k) >= uint64(a.rows) {
			continue // of no row: nobody to tell
		}
		text, err := a.span("message", le.Uint32(e[4:]), uint64(le.Uint32(e[8:])))
		if err != nil {
			fn(int(k), err.Error())
			continue
		}
		fn(int(k), message(text))
	}
}

// message gives a module's text for people.
func message(text []byte) string {
	s := strings.ToValidUTF8(string(text[:min(len(text), maxMessageBytes)]), "?")
	if s == "" {
		return "without saying why"
	}
	return s
}

// wide is the type as which values of a code arrive.
func wide(code uint32) types.Type {
	kinds := [...]types.Kind{codeBool: types.Bool, codeInt: types.Int64, codeUint: types.Uint64, codeDouble: types.Float64, codeText: types.String,
		codeBytes: types.Bytes, codeDate: types.Date, codeTime: types.Time, codeDatetime: types.Datetime, codeTimestamp: types.Timestamp,
		codeDecimal: types.String, codeJSON: types.String}
	return types.Of(kinds[code])
}
