package watermark

import "github.com/millrace/millrace/runtime/operator"

// Combine is the watermark of several inputs: the minimum over them. An input that says that it is idle (read to its current end) is released
// as far as the others have come by then, and no further: while everything stands still, rows of an idle input may pile up that are
// older than what the others bring next, so it must say again that it is idle before the others go on. Idle inputs do so at short intervals;
// that costs a little delay and loses nothing. An ended input holds nothing. The result never goes back.
type Combine struct {
	inputs []input
	now    int64
}

type input struct {
	time        int64 // its own
	released    int64 // how far it lets the others go
	idle, ended bool
}

// live tells whether rows may come; MaxTime is the last word before the end.
func (in *input) live() bool { return !in.ended && in.time != operator.MaxTime }

// reach is how far the input lets the result go.
func (in *input) reach() int64 { return max(in.time, in.released) }

// NewCombine starts n inputs at time t (operator.MinTime, or what a checkpoint says).
func NewCombine(n int, t int64) *Combine {
	c := &Combine{now: t}
	for range n {
		c.Add(operator.MinTime)
	}
	return c
}

// Add adds an input that stands at t, and returns its number.
func (c *Combine) Add(t int64) int {
	c.inputs = append(c.inputs, input{time: t, released: operator.MinTime})
	return len(c.inputs) - 1
}

// Now returns the combined watermark.
func (c *Combine) Now() int64 { return c.now }

// Input returns the watermark of one input.
func (c *Combine) Input(i int) int64 { return c.inputs[i].time }

// Advance moves input i to t and makes it active; it returns whether the combined watermark moved.
func (c *Combine) Advance(i int, t int64) bool {
	in := &c.inputs[i]
	in.idle = false
	in.time = max(in.time, t)
	return c.recompute()
}

// Idle says that input i is at its current end; it returns whether the combined watermark moved.
func (c *Combine) Idle(i int) bool {
	c.inputs[i].idle = true
	for k := range c.inputs {
		if in := &c.inputs[k]; in.live() {
			c.inputs[i].released = max(c.inputs[i].released, in.reach())
		}
	}
	return c.recompute()
}

// Active marks input i active again.
func (c *Combine) Active(i int) { c.inputs[i].idle = false }

// End marks input i as over; it returns whether the combined watermark moved.
func (c *Combine) End(i int) bool {
	c.inputs[i].ended = true
	return c.recompute()
}

// AllIdle tells whether no input is active.
func (c *Combine) AllIdle() bool {
	for _, in := range c.inputs {
		if !in.idle && !in.ended {
			return false
		}
	}
	return true
}

// AllEnded tells whether every input is over.
func (c *Combine) AllEnded() bool {
	for _, in := range c.inputs {
		if !in.ended {
			return false
		}
	}
	return true
}

func (c *Combine) recompute() bool {
	low, ended, live := int64(operator.MaxTime), int64(operator.MinTime), false
	for k := range c.inputs {
		in := &c.inputs[k]
		if in.live() {
			live = true
			low = min(low, in.reach())
		} else {
			ended = max(ended, in.time)
		}
	}
	t := low
	if !live {
		t = ended
	}
	if t <= c.now {
		return false
	}
	c.now = t
	return true
}
