package txn

// producerIDs hands out producer ids from durable blocks.
//
// Invariants: next ≤ end; every id below end is reserved durably, none at or
// above end has ever been handed out.
type producerIDs struct {
	next, end int64
	waiting   []func(ok bool)
	reserving bool
}

// withProducerID runs f as soon as takeProducerID will succeed; ok is false if
// no block could be reserved.
func (c *Coordinator) withProducerID(f func(ok bool)) {
	if c.pids.next < c.pids.end {
		f(true)
		return
	}
	c.pids.waiting = append(c.pids.waiting, f)
	c.reserve()
}

// reserve makes the next block durable.
func (c *Coordinator) reserve() {
	if c.pids.reserving {
		return
	}
	c.pids.reserving = true
	end := c.pids.end + c.opts.ProducerIDBlock
	c.append(encodeBlock(end), func(ok bool) {
		c.pids.reserving = false
		if ok {
			c.pids.end = end
		}
		waiting := c.pids.waiting
		c.pids.waiting = nil
		for _, f := range waiting {
			if ok {
				c.withProducerID(f)
			} else {
				f(false)
			}
		}
	})
}

// takeProducerID is for use inside withProducerID.
func (c *Coordinator) takeProducerID() int64 {
	id := c.pids.next
	c.pids.next++
	return id
}
