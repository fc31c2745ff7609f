package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

// Special timestamps of ListOffsets.
const (
	tsLatest        = -1
	tsEarliest      = -2
	tsMax           = -3 // the record with the largest timestamp
	tsEarliestLocal = -4 // nothing is tiered here, so the same as earliest
	tsLatestTiered  = -5 // nothing is tiered here, so unknown
)

// handleListOffsets finds offsets by position or time. Searching by time reads the disk, so it runs off the reader goroutine.
func handleListOffsets(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ListOffsetsRequest)
	return later(func(context.Context) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		iso := log.ReadVisible
		if req.IsolationLevel == 1 {
			iso = log.ReadCommitted
		}
		resp.Topics = make([]kmsg.ListOffsetsResponseTopic, 0, len(req.Topics))
		for i := range req.Topics {
			t := &req.Topics[i]
			rt := kmsg.NewListOffsetsResponseTopic()
			rt.Topic = t.Topic
			rt.Partitions = make([]kmsg.ListOffsetsResponseTopicPartition, 0, len(t.Partitions))
			for j := range t.Partitions {
				rt.Partitions = append(rt.Partitions, b.listOffset(r, t.Topic, &t.Partitions[j], iso))
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp
	})
}

type listedOffset = kmsg.ListOffsetsResponseTopicPartition

func (b *Broker) listOffset(r *request, topic string, q *kmsg.ListOffsetsRequestTopicPartition, iso log.Isolation) listedOffset {
	rp := kmsg.NewListOffsetsResponseTopicPartition()
	rp.Partition, rp.Offset, rp.Timestamp, rp.LeaderEpoch = q.Partition, -1, -1, -1
	if rp.ErrorCode = r.topic(kmsg.ACLOperationDescribe, topic); rp.ErrorCode != errNone {
		return rp
	}
	p, err := b.lookup(topic, q.Partition)
	if err != nil {
		rp.ErrorCode = errorCode(err)
		return rp
	}
	if q.CurrentLeaderEpoch > leaderEpoch {
		rp.ErrorCode = errUnknownLeaderEpoch
		return rp
	}
	w := p.log.Watermarks()
	found := log.TimestampOffset{Offset: -1, TimestampMs: -1, LeaderEpoch: -1}
	switch {
	case q.Timestamp == tsLatest && iso == log.ReadCommitted:
		found.Offset, found.LeaderEpoch = w.Stable, leaderEpoch
	case q.Timestamp == tsLatest:
		found.Offset, found.LeaderEpoch = w.HighWatermark, leaderEpoch
	case q.Timestamp == tsEarliest || q.Timestamp == tsEarliestLocal:
		found.Offset, found.LeaderEpoch = w.Start, leaderEpoch
	case q.Timestamp == tsMax:
		found, err = p.log.OffsetOfMaxTime(iso)
	case q.Timestamp == tsLatestTiered:
	case q.Timestamp >= 0:
		found, err = p.log.OffsetForTime(q.Timestamp, iso)
	default:
		rp.ErrorCode = errInvalidRequest
	}
	if err != nil {
		rp.ErrorCode = errorCode(err)
		return rp
	}
	rp.Offset, rp.Timestamp, rp.LeaderEpoch = found.Offset, found.TimestampMs, found.LeaderEpoch
	return rp
}
