package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace/millrace/connectors"
)

// noBound is the bound of a split without an end.
const noBound int64 = -1

// positionVersion is the first byte of an encoded position.
const positionVersion = 1

// position is where a split goes on: version (1) | uvarint next | varint epoch | varint bound.
type position struct {
	next  int64 // offset of the next record; >= 0
	epoch int32 // leader epoch of the record before it; -1: unknown
	bound int64 // first offset not to be read, fixed when the job began; noBound: none
}

func (p position) encode() connectors.Position {
	b := make([]byte, 1, 16)
	b[0] = positionVersion
	b = binary.AppendUvarint(b, uint64(p.next))
	b = binary.AppendVarint(b, int64(p.epoch))
	return binary.AppendVarint(b, p.bound)
}

var errPosition = errors.New("malformed position")

func decodePosition(b connectors.Position) (position, error) {
	if len(b) == 0 || b[0] != positionVersion {
		return position{}, errPosition
	}
	b = b[1:]
	next, n := binary.Uvarint(b)
	if n <= 0 || next > 1<<62 {
		return position{}, errPosition
	}
	b = b[n:]
	epoch, n := binary.Varint(b)
	if n <= 0 || epoch < -1 || epoch > 1<<31-1 {
		return position{}, errPosition
	}
	b = b[n:]
	bound, n := binary.Varint(b)
	if n <= 0 || n != len(b) || bound < noBound {
		return position{}, errPosition
	}
	return position{next: int64(next), epoch: int32(epoch), bound: bound}, nil
}

// partition names one partition of a topic.
type partition struct {
	topic string
	id    int32
}

// split is the partition's stable name: topic-3.
func (p partition) split() connectors.Split {
	return connectors.Split{ID: p.topic + "-" + strconv.Itoa(int(p.id))}
}

// String is how messages name it: topic[3].
func (p partition) String() string { return p.topic + "[" + strconv.Itoa(int(p.id)) + "]" }

func parseSplit(id string) (partition, error) {
	i := strings.LastIndexByte(id, '-')
	if i <= 0 {
		return partition{}, fmt.Errorf("malformed split '%s'", id)
	}
	n, err := strconv.ParseInt(id[i+1:], 10, 32)
	if err != nil || n < 0 {
		return partition{}, fmt.Errorf("malformed split '%s'", id)
	}
	return partition{id[:i], int32(n)}, nil
}
