package admin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Position says where in each partition: an end, an offset, a distance from the end, or a time.
type Position struct {
	kind  positionKind
	value int64 // offset, distance or milliseconds
}

type positionKind int8

const (
	atStart positionKind = iota
	atEnd
	atOffset
	beforeEnd
	atTime
)

// Start is the first record there is.
var Start = Position{kind: atStart}

// timeForms are accepted behind @, besides milliseconds or seconds since 1970 and a negative duration.
var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"}

// secondsBelow tells seconds from milliseconds since 1970, as other tools do by the number of digits.
const secondsBelow = 100_000_000_000

// ParsePosition reads start, end, an offset, -N (the last N records of each partition) or @TIME. Times without a zone are UTC.
func ParsePosition(s string, now time.Time) (Position, error) {
	switch s {
	case "start", "beginning", "earliest":
		return Start, nil
	case "end", "latest":
		return Position{kind: atEnd}, nil
	}
	if at, ok := strings.CutPrefix(s, "@"); ok {
		ms, err := parseTime(at, now)
		return Position{atTime, ms}, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return Position{}, fmt.Errorf("%w: '%s' is no position: start, end, an offset, -10 for the last ten, or @TIME", ErrUsage, s)
	case n < 0:
		return Position{beforeEnd, -n}, nil
	}
	return Position{atOffset, n}, nil
}

func parseTime(s string, now time.Time) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		if n < secondsBelow {
			n *= 1000
		}
		return n, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d < 0 {
		return now.Add(d).UnixMilli(), nil
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UnixMilli(), nil
		}
	}
	return 0, fmt.Errorf("%w: '@%s' is no time: 2026-01-31T12:00:00Z, milliseconds since 1970, or -1h", ErrUsage, s)
}

// window is what a partition holds.
type window struct{ start, end int64 }

// windows lists start and end of the partitions of a topic; partition -1 means all.
func (c *Client) windows(ctx context.Context, topic string, partition int32) (map[int32]window, error) {
	starts, err := c.adm.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, explain("listing offsets of "+topic, err, "")
	}
	ends, err := c.adm.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, explain("listing offsets of "+topic, err, "")
	}
	out := map[int32]window{}
	for p, s := range starts[topic] {
		if partition < 0 || p == partition {
			out[p] = window{s.Offset, ends[topic][p].Offset}
		}
	}
	if len(out) == 0 {
		return nil, explain(fmt.Sprintf("listing offsets of %s", topic), errNoPartition, fmt.Sprintf("it has no partition %d", partition))
	}
	return out, nil
}

var errNoPartition = fmt.Errorf("%w: no such partition", ErrUsage)

// resolve turns a position into offsets, each within what its partition holds.
func (c *Client) resolve(ctx context.Context, topic string, partition int32, pos Position) (map[int32]int64, map[int32]window, error) {
	ws, err := c.windows(ctx, topic, partition)
	if err != nil {
		return nil, nil, err
	}
	var times kadm.ListedOffsets
	if pos.kind == atTime {
		if times, err = c.adm.ListOffsetsAfterMilli(ctx, pos.value, topic); err == nil {
			err = times.Error()
		}
		if err != nil {
			return nil, nil, explain("listing offsets of "+topic, err, "")
		}
	}
	out := make(map[int32]int64, len(ws))
	for p, w := range ws {
		offset := w.start
		switch pos.kind {
		case atEnd:
			offset = w.end
		case atOffset:
			offset = pos.value
		case beforeEnd:
			offset = w.end - pos.value
		case atTime:
			if offset = times[topic][p].Offset; offset < 0 {
				offset = w.end
			}
		}
		out[p] = min(max(offset, w.start), w.end)
	}
	return out, ws, nil
}
