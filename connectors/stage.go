package connectors

import "encoding/binary"

// StageReader takes a stage apart: the varints and byte strings that an Encode has appended. What it returns aliases the stage. A value
// that is not there reads as zero and sets Bad, for good.
type StageReader struct {
	Rest []byte
	Bad  bool
}

// Uvarint reads an unsigned varint.
func (r *StageReader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 {
		r.Bad = true
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Varint reads a signed varint.
func (r *StageReader) Varint() int64 {
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.Bad = true
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Bytes reads n bytes.
func (r *StageReader) Bytes(n uint64) []byte {
	if n > uint64(len(r.Rest)) {
		r.Bad = true
		return nil
	}
	b := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return b
}
