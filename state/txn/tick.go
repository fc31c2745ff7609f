package txn

import "time"

// Tick lets time pass: transactions that took too long are aborted, failed
// markers are tried again, forgotten ids expire.
func (c *Coordinator) Tick(now time.Time) {
	if c.failed {
		return
	}
	for _, t := range c.sorted() {
		switch {
		case t.state == Ongoing && now.Sub(t.started) > t.timeout:
			c.prepare(now, t, PrepareAbort, false)
		case t.state.preparing() && t.retry:
			c.writeMarkers(t)
		case t.state != Ongoing && !t.state.preparing() && now.Sub(t.updated) > c.opts.IDRetention:
			delete(c.txns, t.id)
			c.append(encodeTombstone(t.id), func(bool) {})
		}
	}
}
