package log

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// RecordHeader is one key-value annotation of a record.
type RecordHeader struct {
	Key   string
	Value []byte
}

// Record is one record inside a batch. A nil Key or Value is a null, as on the wire.
type Record struct {
	Offset      int64 // filled by decoding, ignored by encoding
	TimestampMs int64
	Key, Value  []byte
	Headers     []RecordHeader
}

// BatchOptions describe the header of a batch to build. The zero value is a plain batch without a producer.
type BatchOptions struct {
	ProducerID    int64 // used only if Idempotent
	ProducerEpoch int16
	BaseSequence  int32
	Idempotent    bool
	Transactional bool
	Control       bool
}

// BuildBatch appends one uncompressed batch holding recs to dst. Offsets inside it start at zero; Append patches the base.
func BuildBatch(dst []byte, recs []Record, o BatchOptions) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, HeaderSize)...)
	var first, last int64
	for i := range recs {
		ts := recs[i].TimestampMs
		if i == 0 {
			first, last = ts, ts
		}
		last = max(last, ts)
		dst = appendRecord(dst, &recs[i], ts-first, i)
	}
	b := dst[start:]
	be := binary.BigEndian
	be.PutUint32(b[posBatchLength:], uint32(len(b)-frameSize))
	be.PutUint32(b[posLeaderEpoch:], 0xffffffff)
	b[posMagic] = 2
	var attrs uint16
	if o.Transactional {
		attrs |= attrTransactional
	}
	if o.Control {
		attrs |= attrControl
	}
	pid, epoch, seq := NoProducer, int16(-1), int32(-1)
	if o.Idempotent || o.Transactional || o.Control {
		pid, epoch, seq = o.ProducerID, o.ProducerEpoch, o.BaseSequence
	}
	be.PutUint16(b[posAttributes:], attrs)
	be.PutUint32(b[posLastOffsetDelta:], uint32(max(len(recs)-1, 0)))
	be.PutUint64(b[posFirstTimestamp:], uint64(first))
	be.PutUint64(b[posMaxTimestamp:], uint64(last))
	be.PutUint64(b[posProducerID:], uint64(pid))
	be.PutUint16(b[posProducerEpoch:], uint16(epoch))
	be.PutUint32(b[posBaseSequence:], uint32(seq))
	be.PutUint32(b[posNumRecords:], uint32(len(recs)))
	be.PutUint32(b[posCRC:], crc32.Checksum(b[posAttributes:], castagnoli))
	return dst
}

// appendRecord writes one record: its varint length, then attributes, deltas, key, value and headers.
func appendRecord(dst []byte, r *Record, tsDelta int64, offsetDelta int) []byte {
	n := 1 + varintLen(tsDelta) + varintLen(int64(offsetDelta)) + bytesLen(r.Key) + bytesLen(r.Value) + varintLen(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		n += varintLen(int64(len(h.Key))) + len(h.Key) + bytesLen(h.Value)
	}
	dst = binary.AppendVarint(dst, int64(n))
	dst = append(dst, 0)
	dst = binary.AppendVarint(dst, tsDelta)
	dst = binary.AppendVarint(dst, int64(offsetDelta))
	dst = appendVarBytes(dst, r.Key)
	dst = appendVarBytes(dst, r.Value)
	dst = binary.AppendVarint(dst, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		dst = binary.AppendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendVarBytes(dst, h.Value)
	}
	return dst
}

func varintLen(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	n := 1
	for u >= 0x80 {
		u >>= 7
		n++
	}
	return n
}

func bytesLen(b []byte) int {
	if b == nil {
		return 1 // null is the length -1
	}
	return varintLen(int64(len(b))) + len(b)
}

func appendVarBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

// EachRecord calls fn for every record of the batch, decompressing it if need be. Key, Value and Headers alias the batch (or the
// decompressed copy) and are valid until fn returns; r itself is reused. It trusts nothing: malformed bytes give an error.
func EachRecord(batch []byte, fn func(r *Record) error) error {
	h, err := ParseHeader(batch)
	if err != nil {
		return err
	}
	if h.Length > len(batch) {
		return ErrShortBatch
	}
	body, err := decompress(h.Compression(), batch[HeaderSize:h.Length])
	if err != nil {
		return fmt.Errorf("decompressing batch at offset %d: %w", h.BaseOffset, err)
	}
	var r Record
	for i := int32(0); i < h.NumRecords; i++ {
		n, w := binary.Varint(body)
		if w <= 0 || n < 0 || n > int64(len(body)-w) {
			return fmt.Errorf("%w: record %d", ErrShortBatch, i)
		}
		if err := decodeRecord(body[w:w+int(n)], &h, &r); err != nil {
			return fmt.Errorf("decoding record %d of batch at offset %d: %w", i, h.BaseOffset, err)
		}
		if err := fn(&r); err != nil {
			return err
		}
		body = body[w+int(n):]
	}
	return nil
}

func decodeRecord(b []byte, h *Header, r *Record) error {
	d := recordReader{b: b}
	d.skip(1) // attributes, unused
	ts, off := d.varint(), d.varint()
	r.TimestampMs = h.FirstTimestamp + ts
	if h.Attributes&attrLogAppendTime != 0 {
		r.TimestampMs = h.MaxTimestamp
	}
	r.Offset = h.BaseOffset + off
	r.Key, r.Value = d.bytes(), d.bytes()
	r.Headers = r.Headers[:0]
	for n := d.varint(); n > 0 && !d.bad; n-- {
		r.Headers = append(r.Headers, RecordHeader{Key: string(d.bytes()), Value: d.bytes()})
	}
	if d.bad || off < 0 || off > int64(h.LastOffsetDelta) {
		return ErrInvalidBatch
	}
	return nil
}

// recordReader reads the fields of one record; the first overrun makes it bad and every later read empty.
type recordReader struct {
	b   []byte
	bad bool
}

func (d *recordReader) skip(n int) {
	if d.bad = d.bad || len(d.b) < n; !d.bad {
		d.b = d.b[n:]
	}
}

func (d *recordReader) varint() int64 {
	v, w := binary.Varint(d.b)
	if w <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[w:]
	return v
}

func (d *recordReader) bytes() []byte {
	n := d.varint()
	if n < 0 || d.bad {
		return nil
	}
	if n > int64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

// MarkerBatch appends the control batch that ends a producer's transaction in one partition.
func MarkerBatch(dst []byte, m Marker) []byte {
	kind := byte(0)
	if m.Commit {
		kind = 1
	}
	var value [6]byte
	binary.BigEndian.PutUint32(value[2:], uint32(m.CoordinatorEpoch))
	rec := Record{TimestampMs: m.TimestampMs, Key: []byte{0, 0, 0, kind}, Value: value[:]}
	return BuildBatch(dst, []Record{rec}, BatchOptions{
		ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, BaseSequence: -1, Transactional: true, Control: true,
	})
}

// Marker says how a transaction ended.
type Marker struct {
	ProducerID       int64
	ProducerEpoch    int16
	CoordinatorEpoch int32
	Commit           bool
	TimestampMs      int64
}

// parseMarker reads the single record of a control batch. ok is false for control records of other kinds.
func parseMarker(batch []byte) (m Marker, ok bool, err error) {
	h, err := ParseHeader(batch)
	if err != nil {
		return Marker{}, false, err
	}
	m.ProducerID, m.ProducerEpoch, m.TimestampMs = h.ProducerID, h.ProducerEpoch, h.MaxTimestamp
	err = EachRecord(batch, func(r *Record) error {
		if len(r.Key) < 4 {
			return fmt.Errorf("%w: control record key of %d bytes", ErrInvalidBatch, len(r.Key))
		}
		kind := binary.BigEndian.Uint16(r.Key[2:])
		m.Commit, ok = kind == 1, kind <= 1
		if len(r.Value) >= 6 {
			m.CoordinatorEpoch = int32(binary.BigEndian.Uint32(r.Value[2:]))
		}
		return nil
	})
	return m, ok, err
}
