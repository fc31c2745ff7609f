package log

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// HeaderSize is the length of a v2 record batch without its records. FORMAT.md draws it.
const HeaderSize = 61

// frameSize is the part of the header in front of what batchLength counts: base offset and batchLength itself.
const frameSize = 12

// Byte positions inside a batch header.
const (
	posBaseOffset      = 0
	posBatchLength     = 8
	posLeaderEpoch     = 12
	posMagic           = 16
	posCRC             = 17
	posAttributes      = 21 // first byte covered by the checksum
	posLastOffsetDelta = 23
	posFirstTimestamp  = 27
	posMaxTimestamp    = 35
	posProducerID      = 43
	posProducerEpoch   = 51
	posBaseSequence    = 53
	posNumRecords      = 57
)

// Bits of a batch's attributes.
const (
	attrCompressionMask = 0x07
	attrLogAppendTime   = 0x08
	attrTransactional   = 0x10
	attrControl         = 0x20
)

// NoProducer marks a batch written without idempotence.
const NoProducer = int64(-1)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Errors of a batch that cannot be accepted. They describe the sender's bytes, never the state of this log.
var (
	// ErrShortBatch: fewer bytes than the batch announces, or than a header has.
	ErrShortBatch = errors.New("record batch is cut short")
	// ErrBadMagic: not a v2 batch.
	ErrBadMagic = errors.New("record batch is not of format version 2")
	// ErrBadCRC: the checksum does not match.
	ErrBadCRC = errors.New("record batch fails its checksum")
	// ErrInvalidBatch: header fields contradict one another.
	ErrInvalidBatch = errors.New("record batch header is inconsistent")
)

// Header is a decoded batch header.
type Header struct {
	BaseOffset      int64
	Length          int // of the whole batch, frame included
	LeaderEpoch     int32
	CRC             uint32
	Attributes      int16
	LastOffsetDelta int32
	FirstTimestamp  int64
	MaxTimestamp    int64
	ProducerID      int64
	ProducerEpoch   int16
	BaseSequence    int32
	NumRecords      int32
}

// ParseHeader decodes the header at the start of b. It checks the shape, not the checksum, and b may end right after the header.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, ErrShortBatch
	}
	if b[posMagic] != 2 {
		return Header{}, fmt.Errorf("%w: magic %d", ErrBadMagic, b[posMagic])
	}
	be := binary.BigEndian
	h := Header{
		BaseOffset:      int64(be.Uint64(b[posBaseOffset:])),
		Length:          frameSize + int(int32(be.Uint32(b[posBatchLength:]))),
		LeaderEpoch:     int32(be.Uint32(b[posLeaderEpoch:])),
		CRC:             be.Uint32(b[posCRC:]),
		Attributes:      int16(be.Uint16(b[posAttributes:])),
		LastOffsetDelta: int32(be.Uint32(b[posLastOffsetDelta:])),
		FirstTimestamp:  int64(be.Uint64(b[posFirstTimestamp:])),
		MaxTimestamp:    int64(be.Uint64(b[posMaxTimestamp:])),
		ProducerID:      int64(be.Uint64(b[posProducerID:])),
		ProducerEpoch:   int16(be.Uint16(b[posProducerEpoch:])),
		BaseSequence:    int32(be.Uint32(b[posBaseSequence:])),
		NumRecords:      int32(be.Uint32(b[posNumRecords:])),
	}
	if h.Length < HeaderSize || h.LastOffsetDelta < 0 || h.NumRecords < 0 || h.BaseOffset < 0 {
		return Header{}, fmt.Errorf("%w: length %d, last offset delta %d, records %d",
			ErrInvalidBatch, h.Length, h.LastOffsetDelta, h.NumRecords)
	}
	return h, nil
}

// CheckBatch decodes and verifies one whole batch that must fill b exactly.
func CheckBatch(b []byte) (Header, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Header{}, err
	}
	if h.Length > len(b) {
		return Header{}, ErrShortBatch
	}
	if h.Length < len(b) {
		return Header{}, fmt.Errorf("%w: %d bytes follow the batch", ErrInvalidBatch, len(b)-h.Length)
	}
	if crc32.Checksum(b[posAttributes:h.Length], castagnoli) != h.CRC {
		return Header{}, ErrBadCRC
	}
	return h, nil
}

// LastOffset is the offset of the batch's last record.
func (h *Header) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// LastSequence is the sequence number of the batch's last record; sequences wrap at 2^31.
func (h *Header) LastSequence() int32 {
	return int32((int64(h.BaseSequence) + int64(h.LastOffsetDelta)) & 0x7fffffff)
}

// Compression is the codec number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
func (h *Header) Compression() int { return int(h.Attributes & attrCompressionMask) }

// Transactional reports whether the batch belongs to a transaction.
func (h *Header) Transactional() bool { return h.Attributes&attrTransactional != 0 }

// Control reports whether the batch is a commit or abort marker.
func (h *Header) Control() bool { return h.Attributes&attrControl != 0 }

// opensTxn reports whether the batch begins or continues a transaction. One that compaction has emptied does not: its marker may be gone.
func (h *Header) opensTxn() bool { return h.Transactional() && !h.Control() && h.NumRecords > 0 }

// HasProducer reports whether the batch takes part in idempotence.
func (h *Header) HasProducer() bool { return h.ProducerID != NoProducer }

// patchBatch writes the two fields a broker owns. Neither is covered by the checksum.
func patchBatch(b []byte, baseOffset int64, leaderEpoch int32) {
	binary.BigEndian.PutUint64(b[posBaseOffset:], uint64(baseOffset))
	binary.BigEndian.PutUint32(b[posLeaderEpoch:], uint32(leaderEpoch))
}

// stampAppendTime rewrites the batch to broker time: attribute bit, max timestamp, checksum.
func stampAppendTime(b []byte, h *Header, nowMs int64) {
	h.Attributes |= attrLogAppendTime
	h.MaxTimestamp = nowMs
	binary.BigEndian.PutUint16(b[posAttributes:], uint16(h.Attributes))
	binary.BigEndian.PutUint64(b[posMaxTimestamp:], uint64(nowMs))
	h.CRC = crc32.Checksum(b[posAttributes:h.Length], castagnoli)
	binary.BigEndian.PutUint32(b[posCRC:], h.CRC)
}
