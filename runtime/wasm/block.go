package wasm

import (
	"encoding/binary"
	"math"

	"github.com/millrace/millrace/sql/function"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// version of the block layout; see FORMAT.md.
const version = 1

// Sizes of the parts of blocks, bytes.
const (
	headBytes   = 16
	columnBytes = 32
	resultBytes = 32
	errorBytes  = 12
)

// Codes of types in blocks.
const (
	codeBool = iota + 1
	codeInt
	codeUint
	codeDouble
	codeText
	codeBytes
	codeDate
	codeTime
	codeDatetime
	codeTimestamp
	codeDecimal
	codeJSON
)

// codeOf is the code of a type; 0: it cannot be passed.
func codeOf(t types.Type) uint32 {
	switch t.Kind {
	case types.Bool:
		return codeBool
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return codeInt
	case types.Uint8, types.Uint16, types.Uint32, types.Uint64:
		return codeUint
	case types.Float32, types.Float64:
		return codeDouble
	case types.Decimal:
		return codeDecimal
	case types.String:
		return codeText
	case types.Bytes:
		return codeBytes
	case types.JSON:
		return codeJSON
	case types.Date:
		return codeDate
	case types.Time:
		return codeTime
	case types.Datetime:
		return codeDatetime
	case types.Timestamp:
		return codeTimestamp
	}
	return 0
}

// variable tells whether values of the code have their bytes in data.
func variable(code uint32) bool {
	return code == codeText || code == codeBytes || code == codeDecimal || code == codeJSON
}

// arguments are the columns of a call: those of rows, in the layout of a block. They are reused from call to call.
type arguments struct {
	codes []uint32
	texts []*vector.Vector // decimals as text, by column; nil: the argument itself
}

// prepare makes what is needed of args before their size is known.
func (a *arguments) prepare(args []*vector.Vector) {
	for i, v := range args {
		if a.codes[i] != codeDecimal {
			continue
		}
		if a.texts[i] == nil {
			a.texts[i] = vector.New(types.Of(types.String), v.N)
		}
		t := a.texts[i]
		t.Reset()
		for r := range v.N {
			t.Data = function.AppendText(t.Data, v, r)
			t.EndBytes()
		}
		if v.HasNulls() {
			t.AndValidity(v)
		}
	}
}

// column is the vector whose values column i sends.
func (a *arguments) column(args []*vector.Vector, i int) *vector.Vector {
	if a.codes[i] == codeDecimal {
		return a.texts[i]
	}
	return args[i]
}

// size is how many bytes the block of some rows has.
func (a *arguments) size(args []*vector.Vector, rows []int32) uint64 {
	n := uint64(headBytes + columnBytes*len(args))
	for i := range args {
		v := a.column(args, i)
		if v.HasNulls() {
			n += pad8(uint64(len(rows)+7) / 8)
		}
		if !variable(a.codes[i]) {
			n += 8 * uint64(len(rows))
			continue
		}
		n += pad8(4 * uint64(len(rows)+1))
		data := uint64(0)
		for _, r := range rows {
			data += uint64(v.Off[r+1] - v.Off[r])
		}
		n += pad8(data)
	}
	return n
}

func pad8(n uint64) uint64 { return (n + 7) &^ 7 }

// write fills block, which has the size that size gave.
func (a *arguments) write(block []byte, args []*vector.Vector, rows []int32) {
	le := binary.LittleEndian
	le.PutUint32(block, version)
	le.PutUint32(block[4:], uint32(len(rows)))
	le.PutUint32(block[8:], uint32(len(args)))
	le.PutUint32(block[12:], 0)
	at := headBytes + columnBytes*len(args)
	for i := range args {
		v := a.column(args, i)
		head := block[headBytes+columnBytes*i:][:columnBytes]
		clear(head)
		le.PutUint32(head, a.codes[i])
		if v.HasNulls() {
			le.PutUint32(head[4:], uint32(at))
			at += writeValidity(block[at:], v, rows)
		}
		le.PutUint32(head[8:], uint32(at))
		if !variable(a.codes[i]) {
			at += writeFixed(block[at:], v, rows)
			continue
		}
		values, length := writeVariable(block[at:], v, rows)
		le.PutUint32(head[12:], uint32(at+values))
		le.PutUint32(head[16:], uint32(length))
		at += values + int(pad8(uint64(length)))
	}
}

func writeValidity(dst []byte, v *vector.Vector, rows []int32) int {
	n := int(pad8(uint64(len(rows)+7) / 8))
	clear(dst[:n])
	for k, r := range rows {
		if !v.IsNull(int(r)) {
			dst[k>>3] |= 1 << (k & 7)
		}
	}
	return n
}

func writeFixed(dst []byte, v *vector.Vector, rows []int32) int {
	le := binary.LittleEndian
	if v.Type.Class() == types.ClassF64 {
		for k, r := range rows {
			le.PutUint64(dst[8*k:], math.Float64bits(v.F64[r]))
		}
	} else {
		for k, r := range rows {
			le.PutUint64(dst[8*k:], uint64(v.I64[r]))
		}
	}
	return 8 * len(rows)
}

// writeVariable writes offsets and data; values is where data begins.
func writeVariable(dst []byte, v *vector.Vector, rows []int32) (values, length int) {
	le := binary.LittleEndian
	values = int(pad8(4 * uint64(len(rows)+1)))
	le.PutUint32(dst, 0)
	for k, r := range rows {
		length += copy(dst[values+length:], v.Bytes(int(r)))
		le.PutUint32(dst[4*(k+1):], uint32(length))
	}
	return values, length
}
