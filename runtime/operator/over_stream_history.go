package operator

import (
	"math"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/vector"
)

// advance emits the rows of a partition whose frames have ended, in order, and forgets what no frame reaches back to.
func (x *OverStream) advance(gid int32) error {
	part := &x.parts[gid]
	for part.pending != noEntry && x.ready(&x.entries[part.pending]) {
		e := part.pending
		for _, c := range x.calls {
			if !c.framed() {
				continue
			}
			if err := c.move(x, &x.entries[e]); err != nil {
				return err
			}
		}
		if err := x.emitRow(e); err != nil {
			return err
		}
		x.entries[e].done = true
		part.pending = x.entries[e].next
		x.dirty.mark(gid)
	}
	x.trim(gid)
	if x.fades() {
		x.release(gid)
	}
	return nil
}

// ready tells whether all frames of a row have ended.
func (x *OverStream) ready(p *overEntry) bool {
	if !x.ahead || x.progress == MaxTime {
		return true
	}
	for _, c := range x.calls {
		if !c.reached(x, p) {
			return false
		}
	}
	return true
}

func (x *OverStream) emitRow(e int32) error {
	b, err := x.load(&x.added, e)
	if err != nil {
		return err
	}
	n, cols := len(b.Cols), x.emit.batch.Cols
	for i, v := range b.Cols {
		cols[i].AppendFrom(v, 0)
	}
	for i, c := range x.calls {
		if err := c.emit(x, e, cols[n+i]); err != nil {
			return err
		}
	}
	return x.emit.end(vector.Insert)
}

// trim discards the entries that are emitted and that no call reads any more.
func (x *OverStream) trim(gid int32) {
	part := &x.parts[gid]
	keep := int64(math.MaxInt64)
	if part.pending != noEntry {
		keep = x.entries[part.pending].place
	}
	for _, c := range x.calls {
		keep = min(keep, c.needs(x, gid))
	}
	for part.head != noEntry && x.entries[part.head].place < keep {
		next := x.entries[part.head].next
		x.discard(part.head)
		part.head = next
		x.dirty.mark(gid)
	}
	if part.head == noEntry {
		part.tail = noEntry
	}
}

// queues tells whether passed rows are queued.
func (x *OverStream) queues() bool { return x.ahead || x.fades() }

// fades tells whether the watermark alone can end the use of a row: all frames that keep rows count time.
func (x *OverStream) fades() bool { return x.bounded && !x.byRows }

// live returns the entry that is queued at i, nil when it is gone.
func (x *OverStream) live(i int) *overEntry {
	r := x.passed[i]
	if p := &x.entries[r.entry]; p.seq == r.seq {
		return p
	}
	return nil
}

// reach emits the rows whose frames end where the watermark is, in partitions that need not have new rows. At the end of all input these
// are all.
func (x *OverStream) reach() error {
	if x.progress == MaxTime {
		return x.finish()
	}
	if !x.reaches {
		return nil
	}
	at := &x.cursors[passReach]
	for ; *at < len(x.passed); *at++ {
		p := x.live(*at)
		if p == nil || p.done {
			continue
		}
		for _, c := range x.calls {
			if c.frame.Unit == FrameRange && c.ahead() && !c.passed(x, p) {
				return nil
			}
		}
		if err := x.advance(p.gid); err != nil {
			return err
		}
	}
	return nil
}

func (x *OverStream) finish() error {
	if !x.ahead {
		return nil
	}
	for i := x.cursors[passHeld]; i < len(x.passed); i++ {
		if p := x.live(i); p != nil && !p.done {
			if err := x.advance(p.gid); err != nil {
				return err
			}
		}
	}
	return nil
}

// fade takes rows out of the frames that no later row will see.
func (x *OverStream) fade() error {
	if !x.fades() || x.clock.now == MaxTime {
		return nil
	}
	at := &x.cursors[passFaded]
	for ; *at < len(x.passed); *at++ {
		p := x.live(*at)
		if p == nil {
			continue
		}
		if x.parts[p.gid].pending != noEntry {
			return nil
		}
		gid, now := p.gid, x.clock.now+(p.key-p.time)
		for _, c := range x.calls {
			if !c.growing && c.framed() && p.key >= c.limit(now, &c.frame.Start) {
				return nil
			}
		}
		for _, c := range x.calls {
			if c.growing || !c.framed() {
				continue
			}
			if err := c.leave(x, &c.by[gid], c.limit(now, &c.frame.Start)); err != nil {
				return err
			}
		}
		x.trim(gid)
		x.release(gid)
	}
	return nil
}

// release forgets a partition without rows, unless its numbers or accumulators go on.
func (x *OverStream) release(gid int32) {
	part := &x.parts[gid]
	if part.members > 0 || x.remembers {
		return
	}
	if part.saved {
		key := x.table.Key(gid)
		x.dropped[tablePartitions].add(row.KeyGroup(x.table.Hash(gid)), func(dst []byte) []byte { return append(dst, key...) })
	}
	*part = overPart{head: noEntry, tail: noEntry, pending: noEntry}
	for _, c := range x.calls {
		c.clear(gid)
	}
	x.table.Release(gid)
}

// held is the watermark of the output when that of the input is t: it stands still before the first row that waits for rows behind it.
func (x *OverStream) held(t int64) int64 {
	if x.ahead {
		at := &x.cursors[passHeld]
		for *at < len(x.passed) {
			if p := x.live(*at); p != nil && !p.done {
				t = min(t, p.time-1)
				break
			}
			*at++
		}
	}
	x.shorten()
	return t
}

// shorten drops the queued rows that all cursors in use have left behind, when they are the greater part.
func (x *OverStream) shorten() {
	n := len(x.passed)
	for i, used := range [passCursors]bool{x.ahead, x.reaches, x.fades()} {
		if used {
			n = min(n, x.cursors[i])
		}
	}
	if n == 0 || n < len(x.passed)/2 {
		return
	}
	x.passed = x.passed[:copy(x.passed, x.passed[n:])]
	for i := range x.cursors {
		x.cursors[i] = max(x.cursors[i]-n, 0)
	}
}
