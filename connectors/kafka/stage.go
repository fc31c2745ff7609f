package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// A stage is a run of records, each:
//
//	flags (1)
//	[partition uvarint]         flagPartition
//	[milliseconds varint]       flagTimestamp
//	[length uvarint, key]       flagKey
//	[count uvarint, {length uvarint, name, length uvarint, value}]  flagHeaders
//	[length uint32 LE, value]   unless flagTombstone
//
// The value's length has a fixed width so that the value can be encoded in place behind it.
const (
	flagPartition = 1 << iota
	flagTimestamp
	flagKey
	flagHeaders
	flagTombstone
)

// maxHeaders bounds the headers of one record.
const maxHeaders = 1000

var errStage = errors.New("malformed stage")

// stager encodes rows into stages.
type stager struct {
	encoder                       format.Encoder
	upsert                        bool
	partition, timestamp, headers int // metadata columns; -1: none
	key                           []byte
}

func newStager(cfg connectors.SinkConfig, key []int) (*stager, error) {
	e, err := format.NewEncoder(formatOf(cfg.Options), cfg.Columns, key, cfg.Options)
	s := &stager{encoder: e, upsert: cfg.Options.Bool("upsert"), partition: -1, timestamp: -1, headers: -1}
	for i, c := range cfg.Columns {
		switch c.MetadataKey {
		case format.MetaPartition:
			s.partition = i
		case format.MetaTimestamp:
			s.timestamp = i
		case format.MetaHeaders:
			s.headers = i
		}
	}
	return s, err
}

// encode appends the counting rows of b. In an upsert topic -U rows have no record and -D rows are tombstones.
func (s *stager) encode(stage []byte, b *vector.Batch) (_ []byte, err error) {
	start := len(stage)
	for k := range b.Rows() {
		row := b.Row(k)
		change := b.Change(row)
		if s.upsert && change == vector.UpdateBefore {
			continue
		}
		if stage, err = s.encodeRow(stage, b, row, s.upsert && change == vector.Delete); err != nil {
			return stage[:start], err
		}
	}
	return stage, nil
}

func (s *stager) encodeRow(stage []byte, b *vector.Batch, row int, tombstone bool) (_ []byte, err error) {
	at := len(stage)
	stage = append(stage, 0)
	if s.has(b, s.partition, row) {
		if p := b.Cols[s.partition].I64[row]; p >= 0 && p < 1<<31 {
			stage[at] |= flagPartition
			stage = binary.AppendUvarint(stage, uint64(p))
		}
	}
	if s.has(b, s.timestamp, row) {
		stage[at] |= flagTimestamp
		ms := b.Cols[s.timestamp].I64[row]
		if b.Cols[s.timestamp].Type.Kind.IsTemporal() {
			ms = types.FloorDiv(ms, types.Millisecond)
		}
		stage = binary.AppendVarint(stage, ms)
	}
	key, hasKey := s.encoder.Key(s.key[:0], b, row)
	s.key = key
	if hasKey {
		stage[at] |= flagKey
		stage = appendBytes(stage, key)
	} else if s.upsert {
		return stage, fmt.Errorf("a row without key cannot go to an upsert topic")
	}
	if s.has(b, s.headers, row) {
		stage[at] |= flagHeaders
		if stage, err = appendHeaders(stage, b.Cols[s.headers].Bytes(row)); err != nil {
			return stage, err
		}
	}
	if tombstone {
		stage[at] |= flagTombstone
		return stage, nil
	}
	value := len(stage) + 4
	stage = append(stage, 0, 0, 0, 0)
	if stage, err = s.encoder.Encode(stage, b, row); err != nil {
		return stage, err
	}
	binary.LittleEndian.PutUint32(stage[value-4:], uint32(len(stage)-value))
	return stage, nil
}

func (s *stager) has(b *vector.Batch, column, row int) bool {
	return column >= 0 && !b.Cols[column].IsNull(row)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// appendHeaders turns a JSON object into headers in the order of their names; values that are no strings keep their JSON text.
func appendHeaders(stage, object []byte) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil || len(fields) > maxHeaders {
		return stage, fmt.Errorf("headers must be a JSON object of at most %d fields, not %.40q", maxHeaders, object)
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	stage = binary.AppendUvarint(stage, uint64(len(names)))
	for _, name := range names {
		value := []byte(fields[name])
		var text string
		if json.Unmarshal(value, &text) == nil {
			value = []byte(text)
		}
		stage = appendBytes(appendBytes(stage, []byte(name)), value)
	}
	return stage, nil
}

// slabRecords is how many records are allocated at once.
const slabRecords = 256

// decodeStage lists the records of a stage for a topic.
func decodeStage(stage []byte, topic string) ([]*kgo.Record, error) {
	r := stageReader{connectors.StageReader{Rest: stage}}
	var records []*kgo.Record
	var slab []kgo.Record
	for len(r.Rest) > 0 {
		if len(slab) == 0 {
			slab = make([]kgo.Record, slabRecords)
		}
		rec := &slab[0]
		slab = slab[1:]
		r.record(rec)
		if r.Bad {
			return nil, fmt.Errorf("record %d: %w", len(records), errStage)
		}
		rec.Topic = topic
		records = append(records, rec)
	}
	return records, nil
}

// stageReader reads the records of a stage. Keys and values alias it.
type stageReader struct{ connectors.StageReader }

func (r *stageReader) record(rec *kgo.Record) {
	rec.Partition = -1
	flags := r.Rest[0]
	r.Rest = r.Rest[1:]
	if flags&flagPartition != 0 {
		rec.Partition = int32(r.Uvarint())
	}
	if flags&flagTimestamp != 0 {
		rec.Timestamp = time.UnixMilli(r.Varint())
	}
	if flags&flagKey != 0 {
		rec.Key = r.Bytes(r.Uvarint())
	}
	if flags&flagHeaders != 0 {
		n := r.Uvarint()
		r.Bad = r.Bad || n > maxHeaders
		for ; n > 0 && !r.Bad; n-- {
			name := r.Bytes(r.Uvarint())
			rec.Headers = append(rec.Headers, kgo.RecordHeader{Key: string(name), Value: r.Bytes(r.Uvarint())})
		}
	}
	if flags&flagTombstone != 0 {
		return
	}
	length := r.Bytes(4)
	if !r.Bad {
		rec.Value = r.Bytes(uint64(binary.LittleEndian.Uint32(length)))
	}
}
