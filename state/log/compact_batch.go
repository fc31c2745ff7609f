package log

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// attrDeleteHorizon says that the first timestamp is the time from which on tombstones of the batch, or the marker in it, may go.
// Timestamps of the records are differences to it, so readers that do not know the bit still get them right (KIP-534).
const attrDeleteHorizon = 0x40

// rawRecord is one record with only as much decoded as compaction needs. All slices alias the batch.
type rawRecord struct {
	whole       []byte // with its length
	attributes  byte
	tsDelta     int64
	offsetDelta int64
	rest        []byte // from the offset delta on
	key         []byte
	hasKey      bool
	tombstone   bool // key without a value
}

// eachRaw calls fn for every record of an unfolded batch body. r is reused.
func eachRaw(body []byte, h *Header, fn func(r *rawRecord) error) error {
	var r rawRecord
	for i := int32(0); i < h.NumRecords; i++ {
		n, w := binary.Varint(body)
		if w <= 0 || n < 1 || n > int64(len(body)-w) {
			return fmt.Errorf("%w: record %d of batch at offset %d", ErrShortBatch, i, h.BaseOffset)
		}
		end := w + int(n)
		r.whole, r.attributes = body[:end], body[w]
		d := recordReader{b: body[w+1 : end]}
		r.tsDelta = d.varint()
		r.rest = d.b
		r.offsetDelta = d.varint()
		keyLen, key := d.nullable()
		valueLen, _ := d.nullable()
		if d.bad || r.offsetDelta < 0 || r.offsetDelta > int64(h.LastOffsetDelta) {
			return fmt.Errorf("%w: record %d of batch at offset %d", ErrInvalidBatch, i, h.BaseOffset)
		}
		r.key, r.hasKey = key, keyLen >= 0
		r.tombstone = r.hasKey && valueLen < 0
		if err := fn(&r); err != nil {
			return err
		}
		body = body[end:]
	}
	return nil
}

// nullable reads a length and that many bytes; a negative length is null.
func (d *recordReader) nullable() (int64, []byte) {
	n := d.varint()
	if n < 0 || d.bad {
		return n, nil
	}
	if n > int64(len(d.b)) {
		d.bad, d.b = true, nil
		return 0, nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return n, v
}

// requireKeys refuses a batch with a record that has no key, or that cannot be read.
func requireKeys(batch []byte, h *Header) error {
	body, err := decompress(h.Compression(), batch[HeaderSize:])
	if err != nil {
		return fmt.Errorf("%w: unfolding records: %w", ErrInvalidBatch, err)
	}
	return eachRaw(body, h, func(r *rawRecord) error {
		if !r.hasKey {
			return fmt.Errorf("%w: a compacted topic takes no record without a key", ErrInvalidBatch)
		}
		return nil
	})
}

// batchHorizon is the delete horizon of a batch, 0 if it has none.
func batchHorizon(h *Header) int64 {
	if h.Attributes&attrDeleteHorizon == 0 {
		return 0
	}
	return h.FirstTimestamp
}

// filter decides what stays of a batch: the batch itself, a shorter one, or nil. keepEmpty asks for at least the header, so that the
// segment's last offset stays known. The result may alias batch.
func (c *compaction) filter(h *Header, batch []byte, keepEmpty bool) ([]byte, error) {
	switch {
	case h.BaseOffset >= c.mapEnd: // not in the map: for a later pass
		c.keepTxn(h)
		return batch, nil
	case h.NumRecords == 0:
		return c.empty(h, batch, keepEmpty), nil
	case h.Control():
		return c.filterMarker(h, batch, keepEmpty)
	}
	return c.filterData(h, batch, keepEmpty)
}

// keepTxn notes that data of the batch's transaction stay, and so must its marker.
func (c *compaction) keepTxn(h *Header) {
	if h.Transactional() && !h.Control() && h.NumRecords > 0 {
		c.holds[h.ProducerID] = true
	}
}

// empty gives the header of a batch without records if somebody needs it, else nil.
func (c *compaction) empty(h *Header, batch []byte, keepEmpty bool) []byte {
	last, known := c.lastBatch[h.ProducerID]
	if !keepEmpty && (h.Control() || !h.HasProducer() || !known || last != h.LastOffset()) {
		return nil
	}
	if h.NumRecords == 0 {
		return batch
	}
	return reframe(h, batch, h.Attributes&^(attrCompressionMask|attrDeleteHorizon), nil, reframed{first: h.FirstTimestamp, max: h.MaxTimestamp})
}

// filterMarker keeps a marker while data of its transaction are there, and delete.retention longer, since a reader that saw the data
// must get to see the marker. The entry in the list of aborted transactions goes one pass before the marker of an abort: with the
// entry but without the marker, readers would skip what the producer committed later.
func (c *compaction) filterMarker(h *Header, batch []byte, keepEmpty bool) ([]byte, error) {
	m, isMarker, err := parseMarker(batch)
	if err != nil || !isMarker {
		return batch, nil
	}
	held := c.holds[m.ProducerID]
	delete(c.holds, m.ProducerID)
	if held {
		return batch, nil
	}
	horizon := batchHorizon(h)
	if horizon == 0 {
		horizon = c.now + c.opts.DeleteRetention.Milliseconds()
		c.noteHorizon(horizon)
		return withHorizon(h, batch, horizon)
	}
	for _, a := range c.aborted[m.ProducerID] {
		if a.Last == h.BaseOffset {
			c.done = append(c.done, a)
			c.noteHorizon(horizon)
			return batch, nil
		}
	}
	if c.now < horizon {
		c.noteHorizon(horizon)
		return batch, nil
	}
	c.stats.Dropped++
	return c.empty(h, batch, keepEmpty), nil
}

func (c *compaction) noteHorizon(ms int64) {
	if ms = max(ms, 1); c.horizon == 0 || ms < c.horizon {
		c.horizon = ms
	}
}

// withHorizon gives a batch a delete horizon, moving the timestamps of its records to the new base.
func withHorizon(h *Header, batch []byte, horizon int64) ([]byte, error) {
	body, err := decompress(h.Compression(), batch[HeaderSize:])
	if err != nil {
		return batch, nil
	}
	out := reframed{first: horizon, max: h.MaxTimestamp}
	err = eachRaw(body, h, func(r *rawRecord) error {
		out.add(r, h.FirstTimestamp)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out.batch(h, batch, h.Attributes|attrDeleteHorizon)
}

// filterData drops the records of a data batch that are replaced, aborted, deleted, or tombstones whose time has come.
func (c *compaction) filterData(h *Header, batch []byte, keepEmpty bool) ([]byte, error) {
	if c.isAborted(h) {
		c.stats.Dropped += int64(h.NumRecords)
		return c.empty(h, batch, keepEmpty), nil
	}
	body, err := decompress(h.Compression(), batch[HeaderSize:])
	if err != nil {
		c.keepTxn(h)
		return batch, nil // unreadable here, perhaps not for its reader
	}
	tombstones, kept, err := c.survey(h, body)
	if err != nil {
		return nil, err
	}
	c.stats.Dropped += int64(h.NumRecords) - int64(kept)
	if kept == 0 {
		return c.empty(h, batch, keepEmpty), nil
	}
	c.keepTxn(h)
	horizon, attrs := batchHorizon(h), h.Attributes
	first := h.FirstTimestamp
	if tombstones > 0 {
		if horizon == 0 {
			first, attrs = c.now+c.opts.DeleteRetention.Milliseconds(), attrs|attrDeleteHorizon
		}
		c.noteHorizon(first)
	}
	if kept == int(h.NumRecords) && attrs == h.Attributes {
		return batch, nil
	}
	out := reframed{first: first, max: -1}
	if h.Attributes&attrLogAppendTime != 0 {
		out.max = h.MaxTimestamp
	}
	i := 0
	err = eachRaw(body, h, func(r *rawRecord) error {
		if c.verdicts[i] {
			out.add(r, h.FirstTimestamp)
		}
		i++
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out.batch(h, batch, attrs)
}

// survey decides about each record, into c.verdicts, and counts those that stay and the tombstones among them.
func (c *compaction) survey(h *Header, body []byte) (tombstones, kept int, err error) {
	c.verdicts = c.verdicts[:0]
	err = eachRaw(body, h, func(r *rawRecord) error {
		keep := c.keeps(h, r)
		c.verdicts = append(c.verdicts, keep)
		if keep {
			kept++
			if r.tombstone {
				tombstones++
			}
		}
		return nil
	})
	return tombstones, kept, err
}

// keeps is the rule for one record of a committed or plain batch.
func (c *compaction) keeps(h *Header, r *rawRecord) bool {
	offset := h.BaseOffset + r.offsetDelta
	if offset < c.start {
		return false
	}
	if !r.hasKey {
		return true
	}
	if newest, ok := c.keys[hashKey(r.key)]; ok && newest > offset {
		return false
	}
	horizon := batchHorizon(h)
	return !r.tombstone || horizon == 0 || c.now < horizon
}

// reframed gathers the records of a batch that is written anew.
type reframed struct {
	body       []byte
	n          int32
	first, max int64 // first timestamp of the header, newest of the records
}

// add takes a record whose timestamp counts from base.
func (f *reframed) add(r *rawRecord, base int64) {
	ts := base + r.tsDelta
	f.max = max(f.max, ts)
	f.n++
	if base == f.first {
		f.body = append(f.body, r.whole...)
		return
	}
	f.body = binary.AppendVarint(f.body, int64(1+varintLen(ts-f.first)+len(r.rest)))
	f.body = append(f.body, r.attributes)
	f.body = binary.AppendVarint(f.body, ts-f.first)
	f.body = append(f.body, r.rest...)
}

// batch makes the new batch, compressed as the old one was.
func (f *reframed) batch(h *Header, old []byte, attrs int16) ([]byte, error) {
	body, err := compress(h.Compression(), f.body)
	if err != nil {
		return nil, fmt.Errorf("compressing batch at offset %d: %w", h.BaseOffset, err)
	}
	return reframe(h, old, attrs, body, *f), nil
}

// reframe copies the header of old, with other attributes and timestamps, in front of a body. Base offset, last offset delta, epochs,
// producer and sequence stay: they are what offsets and idempotence count by.
func reframe(h *Header, old []byte, attrs int16, body []byte, f reframed) []byte {
	b := make([]byte, HeaderSize, HeaderSize+len(body))
	copy(b, old[:HeaderSize])
	b = append(b, body...)
	be := binary.BigEndian
	be.PutUint32(b[posBatchLength:], uint32(len(b)-frameSize))
	be.PutUint16(b[posAttributes:], uint16(attrs))
	be.PutUint64(b[posFirstTimestamp:], uint64(f.first))
	be.PutUint64(b[posMaxTimestamp:], uint64(f.max))
	be.PutUint32(b[posNumRecords:], uint32(f.n))
	be.PutUint32(b[posCRC:], crc32.Checksum(b[posAttributes:], castagnoli))
	return b
}
