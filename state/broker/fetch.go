package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
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
}

// fetchTopic is one topic asked for; it is written back by the name or the id it was asked with.
type fetchTopic struct {
	name  string
	id    topicID
	parts []fetchPart
}

// handleFetch answers when enough bytes are there or the wait is over. Fetch sessions are not kept: answering session id 0 tells the
// client to send the full list each time, which the protocol allows.
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
	if req.IsolationLevel == 1 {
		f.isolation = log.ReadCommitted
	}
	if req.SessionID != 0 {
		f.ErrorCode = errFetchSessionNotFound
		return ready(f)
	}
	f.topics = make([]fetchTopic, len(req.Topics))
	for i := range req.Topics {
		f.topics[i] = b.fetchTopic(req, &req.Topics[i])
	}
	if f.check() || req.MaxWaitMillis <= 0 {
		return ready(f)
	}
	wait := min(time.Duration(req.MaxWaitMillis)*time.Millisecond, maxFetchWait)
	return later(func(ctx context.Context) kmsg.Response {
		f.wait(ctx, wait)
		return f
	})
}

func (b *Broker) fetchTopic(req *kmsg.FetchRequest, t *kmsg.FetchRequestTopic) fetchTopic {
	ft := fetchTopic{name: t.Topic, id: t.TopicID, parts: make([]fetchPart, len(t.Partitions))}
	top, parts := b.findTopic(t.Topic, t.TopicID)
	for i := range t.Partitions {
		p := &t.Partitions[i]
		fp := fetchPart{index: p.Partition, offset: p.FetchOffset, maxBytes: int(p.PartitionMaxBytes)}
		switch idx := int(p.Partition); {
		case top == nil && req.Version >= 13:
			fp.err = errUnknownTopicID
		case idx < 0 || idx >= len(parts):
			fp.err = errUnknownTopicOrPartition
		case p.CurrentLeaderEpoch > leaderEpoch:
			fp.err = errUnknownLeaderEpoch
		default:
			fp.log = parts[idx].log
		}
		ft.parts[i] = fp
	}
	return ft
}

// fetchReply is a Fetch response that reads the logs while it is encoded: the bytes of a batch go from the page cache into the
// connection's buffer and nowhere else. The embedded response supplies version and header; AppendTo is ours.
type fetchReply struct {
	*kmsg.FetchResponse
	topics    []fetchTopic
	isolation log.Isolation
	maxBytes  int
	minBytes  int64
}

// check reports whether the answer can go out now: enough bytes, or an error to tell.
func (f *fetchReply) check() bool {
	if f.minBytes <= 0 {
		return true
	}
	var have int64
	for i := range f.topics {
		for j := range f.topics[i].parts {
			p := &f.topics[i].parts[j]
			if p.err != errNone {
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
	size, total := 64, int64(0)
	for i := range f.topics {
		size += 64
		for j := range f.topics[i].parts {
			p := &f.topics[i].parts[j]
			size += 64
			if p.err == errNone && total < int64(f.maxBytes) {
				total += p.log.Available(p.offset, f.isolation, min(int64(p.maxBytes), int64(f.maxBytes)-total))
			}
		}
	}
	return size + int(total)
}
