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
		resp.Topics = append(resp.Topics, b.deleteRequested(r, name, topicID{}))
	}
	for i := range req.Topics {
		q := &req.Topics[i]
		if q.Topic != nil {
			resp.Topics = append(resp.Topics, b.deleteRequested(r, *q.Topic, topicID{}))
		} else {
			resp.Topics = append(resp.Topics, b.deleteRequested(r, "", q.TopicID))
		}
	}
	return ready(resp)
}

func (b *Broker) deleteRequested(r *request, name string, id topicID) kmsg.DeleteTopicsResponseTopic {
	rt := kmsg.NewDeleteTopicsResponseTopic()
	rt.TopicID = id
	if name != "" {
		rt.Topic = &name
	}
	t, parts := b.findTopic(name, id)
	if t != nil || name != "" {
		if rt.ErrorCode = r.topic(kmsg.ACLOperationDelete, topicName(t, name)); rt.ErrorCode != errNone {
			if t != nil && r.topic(kmsg.ACLOperationDescribe, t.name) == errNone {
				rt.Topic = &t.name // an id alone tells its name to those only who may know it
			}
			return rt
		}
	}
	if t == nil {
		rt.ErrorCode = errUnknownTopicOrPartition
		if name == "" {
			rt.ErrorCode = errUnknownTopicID
		}
		return rt
	}
	rt.Topic, rt.TopicID = &t.name, t.id
	if rt.ErrorCode = r.mutate(len(parts), r.body.GetVersion() >= 5); rt.ErrorCode != errNone {
		return rt
	}
	err := b.DeleteTopic(t.name)
	rt.ErrorCode, rt.ErrorMessage = errorCode(err), errorMessage(err)
	return rt
}
