package broker

import (
	"time"

	"github.com/millrace/millrace/state/group"
)

// GroupLag is how far a consumer group is behind in one partition.
type GroupLag struct {
	Group, Topic   string
	Partition      int32
	Committed, End int64
	Records        int64         // not consumed yet
	Age            time.Duration // of the first record not consumed, by its timestamp; 0 if all are consumed
}

// Lag lists how far every group is behind wherever it has committed. It reads a batch header for each partition with a lag, so call it
// at the pace of scraping.
func (b *Broker) Lag() []GroupLag {
	var out []GroupLag
	b.groups.do(func(_ time.Time, c *group.Coordinator) {
		for _, l := range c.List() {
			_, offsets := c.Fetch(l.Group, nil, false)
			for _, o := range offsets {
				if o.Offset >= 0 {
					out = append(out, GroupLag{Group: l.Group, Topic: o.Topic, Partition: o.Partition, Committed: o.Offset})
				}
			}
		}
	})
	now := b.opts.Now()
	n := 0
	for _, g := range out {
		p, err := b.lookup(g.Topic, g.Partition)
		if err != nil {
			continue // deleted since
		}
		w := p.log.Watermarks()
		g.End = w.HighWatermark
		g.Records = max(g.End-max(g.Committed, w.Start), 0)
		if g.Records > 0 {
			if ms, ok := p.log.TimestampAt(max(g.Committed, w.Start)); ok {
				g.Age = max(now.Sub(time.UnixMilli(ms)), 0)
			}
		}
		out[n] = g
		n++
	}
	return out[:n]
}

// count is the number of groups.
func (s *groupService) count() (n int) {
	s.do(func(_ time.Time, c *group.Coordinator) { n = len(c.List()) })
	return n
}
