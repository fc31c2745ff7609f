package checkpoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/millrace/millrace/runtime/task"
)

// recordVersion is the first byte of a commit record.
const recordVersion = 1

// errBadRecord says that a commit record does not decode; the log's CRC was right, so it is a bug or a newer version.
var errBadRecord = errors.New("malformed commit record")

// header is the readable part of a commit record; the blobs follow it in order: stages, then deltas. Layout:
//
//	version(1) | header length(uvarint) | header(JSON) | blob...
type header struct {
	Epoch      uint64            `json:"epoch"`
	Done       bool              `json:"done,omitempty"`
	Splits     []task.Split      `json:"splits,omitempty"`
	Watermarks map[string]int64  `json:"watermarks,omitempty"`
	Delivered  map[string]uint64 `json:"delivered,omitempty"`
	Stages     []stageHeader     `json:"stages,omitempty"`
	Deltas     []int             `json:"deltas,omitempty"` // lengths
}

type stageHeader struct {
	Sink   string `json:"sink"`
	Rows   int64  `json:"rows"`
	Length int    `json:"length"`
}

// Encode gives the bytes of a commit record.
func (c *Commit) Encode() ([]byte, error) {
	h := header{Epoch: c.Epoch, Done: c.Done, Splits: c.Splits, Watermarks: c.Watermarks, Delivered: c.Delivered}
	size := 0
	for _, s := range c.Stages {
		h.Stages = append(h.Stages, stageHeader{s.Sink, s.Rows, len(s.Data)})
		size += len(s.Data)
	}
	for _, d := range c.Deltas {
		h.Deltas = append(h.Deltas, len(d))
		size += len(d)
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding commit record: %w", err)
	}
	out := make([]byte, 0, 1+binary.MaxVarintLen64+len(head)+size)
	out = append(out, recordVersion)
	out = binary.AppendUvarint(out, uint64(len(head)))
	out = append(out, head...)
	for _, s := range c.Stages {
		out = append(out, s.Data...)
	}
	for _, d := range c.Deltas {
		out = append(out, d...)
	}
	return out, nil
}

// Decode reads a commit record. The blobs alias data.
func Decode(data []byte) (*Commit, error) {
	if len(data) == 0 || data[0] != recordVersion {
		return nil, errBadRecord
	}
	n, w := binary.Uvarint(data[1:])
	if w <= 0 || n > uint64(len(data)-1-w) {
		return nil, errBadRecord
	}
	var h header
	if err := json.Unmarshal(data[1+w:1+w+int(n)], &h); err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRecord, err)
	}
	blobs := data[1+w+int(n):]
	take := func(n int) ([]byte, bool) {
		if n < 0 || n > len(blobs) {
			return nil, false
		}
		b := blobs[:n:n]
		blobs = blobs[n:]
		return b, true
	}
	c := &Commit{Epoch: h.Epoch, Done: h.Done, Splits: h.Splits, Watermarks: h.Watermarks, Delivered: h.Delivered}
	for _, s := range h.Stages {
		b, ok := take(s.Length)
		if !ok {
			return nil, errBadRecord
		}
		c.Stages = append(c.Stages, Stage{Sink: s.Sink, Rows: s.Rows, Data: b})
	}
	for _, d := range h.Deltas {
		b, ok := take(d)
		if !ok {
			return nil, errBadRecord
		}
		c.Deltas = append(c.Deltas, b)
	}
	return c, nil
}
