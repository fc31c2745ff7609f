package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleCreatePartitions raises partition counts.
func handleCreatePartitions(b *Broker, r *request) reply {
	req := r.body.(*kmsg.CreatePartitionsRequest)
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	resp.Topics = []kmsg.CreatePartitionsResponseTopic{}
	for i := range req.Topics {
		q := &req.Topics[i]
		rt := kmsg.NewCreatePartitionsResponseTopic()
		rt.Topic = q.Topic
		if rt.ErrorCode = r.topic(kmsg.ACLOperationAlter, q.Topic); rt.ErrorCode != errNone {
			rt.ErrorMessage = refusedMessage(rt.ErrorCode)
			resp.Topics = append(resp.Topics, rt)
			continue
		}
		if _, parts := b.findTopic(q.Topic, topicID{}); !req.ValidateOnly {
			if rt.ErrorCode = r.mutate(max(int(q.Count)-len(parts), 0), req.Version >= 3); rt.ErrorCode != errNone {
				resp.Topics = append(resp.Topics, rt)
				continue
			}
		}
		err := b.createPartitions(q, req.ValidateOnly)
		rt.ErrorCode, rt.ErrorMessage = errorCode(err), errorMessage(err)
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}

func (b *Broker) createPartitions(q *kmsg.CreatePartitionsRequestTopic, validateOnly bool) error {
	if !validateOnly {
		return b.AddPartitions(q.Topic, int(q.Count))
	}
	t, parts := b.findTopic(q.Topic, topicID{})
	if t == nil {
		return fmt.Errorf("%w: %s", ErrUnknownTopic, q.Topic)
	}
	if int(q.Count) <= len(parts) || q.Count > maxTopicPartitions {
		return fmt.Errorf("%w: topic has %d, cannot change to %d", ErrInvalidPartitions, len(parts), q.Count)
	}
	return nil
}
