package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/quota"
	"github.com/millrace/millrace/state/broker/session"
	"github.com/millrace/millrace/state/log"
)

// Epochs of requests that begin and end a session; the others count up from 1.
const (
	sessionOpen = 0
	sessionEnd  = -1
)

// Limits of a fetch.
const (
	// maxFetchBytes bounds the records of one answer, but for a first batch that is larger.
	maxFetchBytes = 64 << 20
	// maxFetchWait bounds a long poll.
	maxFetchWait = time.Minute
)

// fetchPart is one partition asked for.
type fetchPart struct {
	index    int32
	log      *log.Log // nil if err is set
	offset   int64
	maxBytes int
	err      int16
	diverged *divergence // the client read what is not in this log
	round    int         // its place in the session's round

	// Set by plan, when the answer is made.
	marks   log.Watermarks
	upTo    int64 // first offset the reader may not see
	records bool  // there are some to send
}

// divergence is where the log of the client and ours part (KIP-595).
type divergence struct {
	epoch int32
	end   int64
}

// fetchTopic is one topic asked for; it is written back by the name or the id it was asked with.
type fetchTopic struct {
	name  string
	id    topicID
	count *topicCounters // nil if there is no such topic
	parts []fetchPart
}

// handleFetch answers when enough bytes are there or the wait is over.
func handleFetch(b *Broker, r *request) reply {
	req := r.body.(*kmsg.FetchRequest)
	f := &fetchReply{
		FetchResponse: req.ResponseKind().(*kmsg.FetchResponse),
		maxBytes:      maxFetchBytes,
		minBytes:      int64(req.MinBytes),
	}
	if req.Version >= 3 {
		f.maxBytes = min(int(req.MaxBytes), maxFetchBytes)
	}
	if from := r.sender(); !r.conn.listener.trusted {
		if burst, ok := b.quotas.Burst(quota.Fetch, from.user, from.id); ok {
			f.maxBytes = max(1, min(f.maxBytes, int(min(burst, maxFetchBytes))))
		}
	}
	if req.IsolationLevel == 1 {
		f.isolation = log.ReadCommitted
	}
	items := b.fetchItems(req, f)
	if f.ErrorCode != errNone {
		return ready(f)
	}
	b.resolveFetch(r, f, items)
	if f.check() || req.MaxWaitMillis <= 0 {
		return ready(f)
	}
	wait := min(time.Duration(req.MaxWaitMillis)*time.Millisecond, maxFetchWait)
	return later(func(ctx context.Context) kmsg.Response {
		f.wait(ctx, wait)
		return f
	})
}

// fetchItems lists the partitions to fetch: those of the request, or of its session. It sets session and error of the answer.
func (b *Broker) fetchItems(req *kmsg.FetchRequest, f *fetchReply) []session.Item {
	items := make([]session.Item, 0, len(req.Topics))
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			p := &t.Partitions[j]
			items = append(items, session.Item{
				Key: session.Key{Topic: t.Topic, TopicID: t.TopicID, Partition: p.Partition},
				Want: session.Want{
					FetchOffset: p.FetchOffset, MaxBytes: p.PartitionMaxBytes,
					LeaderEpoch: p.CurrentLeaderEpoch, LastFetchedEpoch: p.LastFetchedEpoch,
				},
			})
		}
	}
	now, byID := b.opts.Now(), req.Version >= 13
	switch {
	case req.Version < 7:
		return items
	case req.SessionEpoch == sessionOpen || req.SessionEpoch == sessionEnd:
		b.sessions.Remove(req.SessionID)
		if req.SessionEpoch == sessionOpen {
			f.round = b.sessions.Open(now, byID, items)
		}
	default:
		c := session.Change{ByID: byID, Items: items}
		for _, t := range req.ForgottenTopics {
			for _, p := range t.Partitions {
				c.Forgotten = append(c.Forgotten, session.Key{Topic: t.Topic, TopicID: t.TopicID, Partition: p})
			}
		}
		var code session.Error
		if f.round, code = b.sessions.Continue(now, req.SessionID, req.SessionEpoch, c); code != session.None {
			f.ErrorCode = int16(code)
			return nil
		}
		items = items[:0]
	}
	if f.round == nil {
		return items
	}
	f.SessionID = f.round.ID()
	items = items[:0]
	for i := range f.round.Len() {
		items = append(items, f.round.Item(i))
	}
	return items
}

// resolveFetch finds the logs of the items. Neighbours of one topic go together, as they are written in the answer.
func (b *Broker) resolveFetch(r *request, f *fetchReply, items []session.Item) {
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && items[to].Topic == items[from].Topic && items[to].TopicID == items[from].TopicID {
			to++
		}
		k := items[from].Key
		ft := fetchTopic{name: k.Topic, id: k.TopicID, parts: make([]fetchPart, 0, to-from)}
		top, parts := b.findTopic(k.Topic, k.TopicID)
		if top != nil {
			ft.count = &top.count
		}
		refuse := errNone
		if top != nil || k.Topic != "" {
			refuse = r.topic(kmsg.ACLOperationRead, topicName(top, k.Topic))
		}
		for i := from; i < to; i++ {
			it := &items[i]
			fp := fetchPart{index: it.Partition, offset: it.FetchOffset, maxBytes: int(it.MaxBytes), round: i}
			switch idx := int(it.Partition); {
			case refuse != errNone:
				fp.err = refuse
			case top == nil && f.Version >= 13:
				fp.err = errUnknownTopicID
			case idx < 0 || idx >= len(parts):
				fp.err = errUnknownTopicOrPartition
			case it.LeaderEpoch > leaderEpoch:
				fp.err = errUnknownLeaderEpoch
			default:
				fp.log = parts[idx].log
				fp.checkDivergence(it.LastFetchedEpoch)
			}
			ft.parts = append(ft.parts, fp)
		}
		f.topics = append(f.topics, ft)
		from = to
	}
}

// checkDivergence compares the end of the epoch the client fetched last with its position.
func (p *fetchPart) checkDivergence(lastFetched int32) {
	if lastFetched < 0 {
		return
	}
	epoch, end := p.log.EpochEnd(lastFetched)
	if epoch < 0 && lastFetched == leaderEpoch { // the log is empty, but this is the epoch we lead in
		epoch, end = leaderEpoch, p.log.EndOffset()
	}
	switch {
	case end < 0:
		p.err = errOffsetOutOfRange
	case epoch < lastFetched || end < p.offset:
		p.diverged = &divergence{epoch, end}
	}
}

// fetchReply is a Fetch response that reads the logs while it is encoded: the bytes of a batch go from the page cache into the
// connection's buffer and nowhere else. The embedded response supplies version and header; AppendTo is ours.
type fetchReply struct {
	*kmsg.FetchResponse
	topics    []fetchTopic
	isolation log.Isolation
	maxBytes  int
	minBytes  int64
	round     *session.Round // nil without a session
	planned   bool
	size      int // set by plan: how large the answer will be
}

// check reports whether the answer can go out now: enough bytes, or an error to tell.
func (f *fetchReply) check() bool {
	if f.minBytes <= 0 || len(f.topics) == 0 {
		return true
	}
	var have int64
	for i := range f.topics {
		for j := range f.topics[i].parts {
			p := &f.topics[i].parts[j]
			if p.err != errNone || p.diverged != nil {
				return true
			}
			if w := p.log.Watermarks(); p.offset < w.Start || p.offset > w.End || p.log.Err() != nil {
				return true
			}
			have += p.log.Available(p.offset, f.isolation, f.minBytes-have)
			if have >= f.minBytes {
				return true
			}
		}
	}
	return false
}

// wait blocks until check holds, the time is over, or the broker closes.
func (f *fetchReply) wait(ctx context.Context, d time.Duration) {
	w := log.NewWatcher()
	for i := range f.topics {
		for j := range f.topics[i].parts {
			l := f.topics[i].parts[j].log
			l.Watch(w)
			defer l.Unwatch(w)
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for !f.check() {
		select {
		case <-w.C():
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// sizeHint is how large a buffer the answer needs, so that it is taken from the pool once and not grown by copying.
func (f *fetchReply) sizeHint() int {
	f.plan()
	return f.size
}

// plan takes the watermarks, decides which partitions get records, and drops those a session need not mention. It runs once, when
// the answer is made.
func (f *fetchReply) plan() {
	if f.planned {
		return
	}
	f.planned = true
	if f.round != nil && f.round.Superseded() {
		f.ErrorCode, f.SessionID, f.topics = int16(session.InvalidEpoch), 0, nil
	}
	left, total := int64(f.maxBytes), int64(0)
	f.size = 64
	topics := f.topics[:0]
	for _, t := range f.topics {
		parts := t.parts[:0]
		for i := range t.parts {
			p := &t.parts[i]
			n := p.plan(f.isolation, left, total == 0)
			left, total = left-n, total+n
			if f.round == nil || f.round.Note(p.round, session.Answer{
				HighWatermark: p.marks.HighWatermark, Start: p.marks.Start,
				Records: p.records, Told: p.diverged != nil, Failed: p.err != errNone,
			}) {
				parts = append(parts, *p)
			}
		}
		if t.parts = parts; len(parts) > 0 || f.round == nil {
			topics = append(topics, t)
			f.size += 64 + len(t.name) + 80*len(parts)
		}
	}
	f.topics = topics
	f.size += int(total)
}

// plan settles one partition: error, watermarks, and about how many bytes of records it will get of those left in the answer.
func (p *fetchPart) plan(iso log.Isolation, left int64, first bool) int64 {
	p.marks = log.Watermarks{Start: -1, Stable: -1, HighWatermark: -1}
	if p.err != errNone {
		return 0
	}
	p.marks = p.log.Watermarks()
	p.upTo = p.marks.HighWatermark
	if iso == log.ReadCommitted {
		p.upTo = p.marks.Stable
	}
	switch err := p.log.Err(); {
	case err != nil:
		p.err = errorCode(err)
	case p.diverged != nil:
	case p.offset < p.marks.Start || p.offset > p.marks.HighWatermark && p.offset > p.marks.End:
		p.err = errOffsetOutOfRange
	case p.offset < p.upTo && (left > 0 || first):
		p.records = true
		return p.log.Available(p.offset, iso, max(1, min(int64(p.maxBytes), left)))
	}
	return 0
}
