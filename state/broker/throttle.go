package broker

import (
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/quota"
)

// errThrottlingQuota refuses a change of topics by a client that is over its rate of changes (KIP-599).
const errThrottlingQuota int16 = 89

// sender is whom limits are about.
type sender struct{ user, id string }

func (r *request) sender() sender { return sender{r.who.Name(), r.clientID} }

// chargeRequest takes a request from its sender's allowance: the bytes it writes and the time it took. It returns how long the sender
// is to be held back.
func (c *conn) chargeRequest(r *request, size int64, spent time.Duration) time.Duration {
	if c.listener.trusted || !c.id.known {
		return 0
	}
	q, now, from := c.broker.quotas, c.broker.opts.Now(), r.sender()
	wait := q.Charge(now, quota.Request, from.user, from.id, spent.Seconds())
	if r.body.Key() == keyProduce {
		wait = max(wait, q.Charge(now, quota.Produce, from.user, from.id, float64(size)))
	}
	return max(wait, r.throttle)
}

// chargeFetch takes the answer to a fetch from its receiver's allowance. How large it is shows only in the frame that is about to leave,
// so the time to wait is put in there.
func (c *conn) chargeFetch(p pending, f *fetchReply, frame []byte) {
	if c.listener.trusted {
		return
	}
	wait := c.broker.quotas.Charge(c.broker.opts.Now(), quota.Fetch, p.from.user, p.from.id, float64(len(frame)))
	if wait <= p.throttle {
		return
	}
	c.holdBack(f, wait)
	at := 8 // size and correlation id
	if f.IsFlexible() {
		at++ // tags of the header
	}
	binary.BigEndian.PutUint32(frame[at:], uint32(f.ThrottleMillis))
}

// holdBack tells the client to wait and keeps its next requests unread for as long (KIP-219): clients that do not wait by themselves
// are made to.
func (c *conn) holdBack(resp kmsg.Response, wait time.Duration) {
	if wait <= 0 {
		return
	}
	c.broker.count.throttled.Add(1)
	if t, ok := resp.(kmsg.SetThrottleResponse); ok {
		t.SetThrottle(int32(max(wait.Milliseconds(), 1)))
	}
	c.mute(wait)
}

// mute keeps the connection's requests unread for a while from now, or longer if it is muted already.
func (c *conn) mute(wait time.Duration) {
	until := time.Now().Add(wait).UnixNano()
	for {
		now := c.mutedUntil.Load()
		if now >= until || c.mutedUntil.CompareAndSwap(now, until) {
			return
		}
	}
}

// awaitUnmuted blocks while the connection is muted. false: the broker is closing.
func (c *conn) awaitUnmuted() bool {
	for {
		until := c.mutedUntil.Load()
		wait := time.Until(time.Unix(0, until))
		if until == 0 || wait <= 0 {
			return true
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-c.broker.ctx.Done():
			t.Stop()
			return false
		}
	}
}

// mutate takes n created or deleted partitions from the sender's allowance. Clients of strict versions know the error and are refused
// while they are over it; others are only held back.
func (r *request) mutate(n int, strict bool) int16 {
	b, from := r.conn.broker, r.sender()
	if r.conn.listener.trusted {
		return errNone
	}
	wait := b.quotas.Charge(b.opts.Now(), quota.Mutation, from.user, from.id, 0)
	if wait > 0 && strict {
		r.throttle = max(r.throttle, wait)
		return errThrottlingQuota
	}
	r.throttle = max(r.throttle, b.quotas.Charge(b.opts.Now(), quota.Mutation, from.user, from.id, float64(n)))
	return errNone
}
