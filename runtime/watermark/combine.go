package watermark

import "github.com/millrace/millrace/runtime/operator"

// Combine is the watermark of several inputs: the minimum over those that are active. An idle input (read to its end, for now) does not hold
// it; when none is active it is the maximum of what they had, for nothing is on its way. It never goes back.
type Combine struct {
	inputs []input
	now    int64
}

type input struct {
	time        int64
	idle, ended bool
}

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
	c.inputs = append(c.inputs, input{time: t})
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

// Idle marks input i idle.
func (c *Combine) Idle(i int) bool {
	c.inputs[i].idle = true
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
	low, idle, ended := int64(operator.MaxTime), int64(operator.MinTime), int64(operator.MinTime)
	active, live := false, false
	for _, in := range c.inputs {
		switch {
		case in.ended || in.time == operator.MaxTime: // about to end
			ended = max(ended, in.time)
		case in.idle:
			live = true
			idle = max(idle, in.time)
		default:
			active, live = true, true
			low = min(low, in.time)
		}
	}
	t := low
	switch {
	case !live:
		t = ended
	case !active:
		t = idle // not that of ended inputs, which is the end of time: an idle input may bring rows again
	}
	if t <= c.now {
		return false
	}
	c.now = t
	return true
}
