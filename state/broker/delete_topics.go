package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleDeleteTopics deletes topics by name or, from version 6, by id.
func handleDeleteTopics(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DeleteTopicsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	resp.Topics = []kmsg.DeleteTopicsResponseTopic{}
	for _, name := range req.TopicNames {
		resp.Topics = append(resp.Topics, b.deleteRequested(name, topicID{}))
	}
	for i := range req.Topics {
		q := &req.Topics[i]
		if q.Topic != nil {
			resp.Topics = append(resp.Topics, b.deleteRequested(*q.Topic, topicID{}))
		} else {
			resp.Topics = append(resp.Topics, b.deleteRequested("", q.TopicID))
		}
	}
	return ready(resp)
}

func (b *Broker) deleteRequested(name string, id topicID) kmsg.DeleteTopicsResponseTopic {
	rt := kmsg.NewDeleteTopicsResponseTopic()
	rt.TopicID = id
	if name != "" {
		rt.Topic = &name
	}
	t, _ := b.findTopic(name, id)
	if t == nil {
		rt.ErrorCode = errUnknownTopicOrPartition
		if name == "" {
			rt.ErrorCode = errUnknownTopicID
		}
		return rt
	}
	rt.Topic, rt.TopicID = &t.name, t.id
	err := b.DeleteTopic(t.name)
	rt.ErrorCode, rt.ErrorMessage = errorCode(err), errorMessage(err)
	return rt
}
