package operator

import (
	"encoding/binary"
	"fmt"
)

// Tables that several operators share the numbers of.
const (
	tableRows  byte = 0    // an operator's main table
	tableClock byte = 0xff // the watermark
)

// clock is an operator's watermark, kept in its state: without it, late rows would open windows again after a restart.
type clock struct {
	now   int64
	saved int64
}

// load reads the watermark back. After rescaling the groups may differ: the latest counts, as windows up to it have fired somewhere.
func (c *clock) load(ctx *Context) error {
	c.now, c.saved = MinTime, MinTime
	return scanState(ctx, tableClock, func(_ uint16, _, value []byte) error {
		if len(value) != 8 {
			return fmt.Errorf("reading watermark: %d bytes, want 8", len(value))
		}
		c.now = max(c.now, int64(binary.BigEndian.Uint64(value)))
		c.saved = c.now
		return nil
	})
}

// save writes the watermark when it has moved: into every key group, so that whatever task owns a group later finds it. MaxTime is not
// written: a restored job whose inputs have more to say after all must not find every window closed.
func (c *clock) save(ctx *Context) {
	if c.now == c.saved || c.now == MaxTime || ctx.State == nil {
		return
	}
	var value [8]byte
	binary.BigEndian.PutUint64(value[:], uint64(c.now))
	for group := ctx.Groups.From; group < ctx.Groups.To; group++ {
		ctx.State.Put(tableClock, group, nil, value[:])
	}
	c.saved = c.now
}

// scanState is State.Scan for operators that may run without state (ad hoc queries).
func scanState(ctx *Context, table byte, fn func(group uint16, key, value []byte) error) error {
	if ctx.State == nil {
		return nil
	}
	return ctx.State.Scan(table, fn)
}
