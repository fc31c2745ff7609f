package opensearch

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/vector"
)

// A stage is a run of items, each:
//
//	kind (1) | length uvarint, id | length uvarint, index | length uvarint, routing | length uint32 LE, document
//
// An item without id gets one from the epoch and its place in the stage, which is durable, hence the same at every delivery.
const (
	kindIndex byte = iota
	kindDelete
)

// maxID is OpenSearch's limit of an id in bytes; longer ones are replaced by their hash.
const maxID = 512

var errStage = errors.New("malformed stage")

// stager encodes rows into stages.
type stager struct {
	encoder format.Encoder
	columns []connectors.Column
	opts    *sinkOptions
	id      []byte // scratch
	index   []byte // scratch
	text    []byte // scratch
}

func newStager(cfg connectors.SinkConfig, opts *sinkOptions) (*stager, error) {
	e, err := format.NewEncoder("json", cfg.Columns, opts.id, cfg.Options)
	return &stager{encoder: e, columns: cfg.Columns, opts: opts}, err
}

// encode appends the counting rows of b; -U rows are left out, as the +U or -D of the same key says all.
func (s *stager) encode(stage []byte, b *vector.Batch) (_ []byte, err error) {
	start := len(stage)
	for k := range b.Rows() {
		row := b.Row(k)
		change := b.Change(row)
		if change == vector.UpdateBefore {
			continue
		}
		kind := kindIndex
		if change == vector.Delete {
			kind = kindDelete
		}
		s.id = s.appendID(s.id[:0], b, row)
		s.index = s.opts.index.append(s.index[:0], b, row)
		s.text = s.text[:0]
		if r := s.opts.routing; r >= 0 && !b.Cols[r].IsNull(row) {
			s.text = format.AppendScalar(s.text, b.Cols[r], row, format.TimeISO)
		}
		stage = appendBytes(append(stage, kind), s.id)
		stage = appendBytes(appendBytes(stage, s.index), s.text)
		at := len(stage) + 4
		stage = append(stage, 0, 0, 0, 0)
		if kind == kindIndex {
			if stage, err = s.appendDocument(stage, b, row); err != nil {
				return stage[:start], err
			}
		}
		binary.LittleEndian.PutUint32(stage[at-4:], uint32(len(stage)-at))
	}
	return stage, nil
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// appendID appends the id of a row: the plain text of its columns, joined by colons. Colons and backslashes inside are escaped when there
// are several columns, so that different keys never give the same id.
func (s *stager) appendID(dst []byte, b *vector.Batch, row int) []byte {
	for i, c := range s.opts.id {
		if i > 0 {
			dst = append(dst, ':')
		}
		v := b.Cols[c]
		if v.IsNull(row) {
			dst = append(dst, `\N`...)
			continue
		}
		s.text = format.AppendScalar(s.text[:0], v, row, format.TimeISO)
		for _, ch := range s.text {
			if len(s.opts.id) > 1 && (ch == ':' || ch == '\\') {
				dst = append(dst, '\\')
			}
			dst = append(dst, ch)
		}
	}
	if len(s.opts.id) > 0 && len(dst) == 0 {
		return append(dst, `\E`...) // an empty id would be refused
	}
	if len(dst) > maxID {
		sum := sha256.Sum256(dst)
		dst = hex.AppendEncode(append(dst[:0], "sha256-"...), sum[:])
	}
	return dst
}

// appendDocument appends the document: the columns, and the geo points made of them.
func (s *stager) appendDocument(stage []byte, b *vector.Batch, row int) ([]byte, error) {
	stage, err := s.encoder.Encode(stage, b, row)
	if err != nil || len(s.opts.geo) == 0 {
		return stage, err
	}
	stage = stage[:len(stage)-1] // the closing brace
	for _, g := range s.opts.geo {
		lat, lon := b.Cols[g.lat], b.Cols[g.lon]
		if lat.IsNull(row) || lon.IsNull(row) {
			continue
		}
		if stage[len(stage)-1] != '{' {
			stage = append(stage, ',')
		}
		stage = format.AppendJSONString(stage, []byte(g.field))
		stage = format.AppendScalar(append(stage, `:{"lat":`...), lat, row, format.TimeISO)
		stage = format.AppendScalar(append(stage, `,"lon":`...), lon, row, format.TimeISO)
		stage = append(stage, '}')
	}
	return append(stage, '}'), nil
}

// item is one change of one document; its slices alias the stage.
type item struct {
	kind    byte
	id      []byte
	index   []byte
	routing []byte
	doc     []byte
	number  int // of the row in the stage
}

// size is about what the item takes in a bulk request.
func (it *item) size() int { return len(it.doc) + len(it.id) + len(it.index) + len(it.routing) + 100 }

// decodeStage lists the items of a stage. Of several changes of one document only the last one stays, because all have the same version.
func decodeStage(stage []byte, sinkID string, epoch uint64) ([]*item, error) {
	sum := sha256.Sum256([]byte(sinkID))
	prefix := hex.EncodeToString(sum[:8]) + "-" + strconv.FormatUint(epoch, 10) + "-"
	var items []*item
	last := map[string]int{}
	r := connectors.StageReader{Rest: stage}
	for n := 0; len(r.Rest) > 0; n++ {
		it := &item{number: n, kind: r.Bytes(1)[0]}
		it.id, it.index, it.routing = r.Bytes(r.Uvarint()), r.Bytes(r.Uvarint()), r.Bytes(r.Uvarint())
		if length := r.Bytes(4); !r.Bad {
			it.doc = r.Bytes(uint64(binary.LittleEndian.Uint32(length)))
		}
		if r.Bad || it.kind > kindDelete {
			return nil, fmt.Errorf("item %d: %w", n, errStage)
		}
		if len(it.id) == 0 {
			it.id = strconv.AppendInt([]byte(prefix), int64(n), 10)
			items = append(items, it)
			continue
		}
		key := string(it.index) + "\x00" + string(it.id)
		if at, seen := last[key]; seen {
			items[at] = it
			continue
		}
		last[key] = len(items)
		items = append(items, it)
	}
	return items, nil
}
