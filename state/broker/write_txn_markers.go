package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

// handleWriteTxnMarkers ends transactions in single partitions, past their coordinator. Between brokers it is how a transaction ends;
// from a tool it is the way out of a transaction that nobody ends, and needs the right to alter the cluster.
func handleWriteTxnMarkers(b *Broker, r *request) reply {
	req := r.body.(*kmsg.WriteTxnMarkersRequest)
	resp := req.ResponseKind().(*kmsg.WriteTxnMarkersResponse)
	refuse := r.cluster(kmsg.ACLOperationClusterAction)
	if refuse != errNone {
		refuse = r.cluster(kmsg.ACLOperationAlter)
	}
	resp.Markers = make([]kmsg.WriteTxnMarkersResponseMarker, len(req.Markers))
	var tickets []ticket
	var codes []*int16 // parallel to tickets
	for i, m := range req.Markers {
		rm := &resp.Markers[i]
		rm.ProducerID, rm.Topics = m.ProducerID, make([]kmsg.WriteTxnMarkersResponseMarkerTopic, len(m.Topics))
		marker := log.Marker{ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, Commit: m.Committed, CoordinatorEpoch: m.CoordinatorEpoch}
		for j, t := range m.Topics {
			rt := &rm.Topics[j]
			rt.Topic, rt.Partitions = t.Topic, make([]kmsg.WriteTxnMarkersResponseMarkerTopicPartition, len(t.Partitions))
			for k, idx := range t.Partitions {
				rp := &rt.Partitions[k]
				if rp.Partition, rp.ErrorCode = idx, refuse; refuse != errNone {
					continue
				}
				tk, err := b.appendForeignMarker(t.Topic, idx, marker)
				if rp.ErrorCode = errorCode(err); err == nil {
					tickets, codes = append(tickets, tk), append(codes, &rp.ErrorCode)
				}
			}
		}
	}
	return later(func(ctx context.Context) kmsg.Response {
		for i, t := range tickets {
			*codes[i] = errorCode(t.wait(ctx))
		}
		return resp
	})
}

// appendForeignMarker writes a marker for a client. The coordinators' own topics are not its business.
func (b *Broker) appendForeignMarker(topic string, idx int32, m log.Marker) (ticket, error) {
	if t, _ := b.findTopic(topic, topicID{}); t != nil && t.internal {
		return ticket{}, ErrInvalidTopic
	}
	return b.appendControl(topicPartition{topic, idx}, m)
}
