package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/group"
)

// featureGroupVersion is the level of group.version announced to clients; 1 turns on the consumer protocol (KIP-848).
const featureGroupVersion int16 = 1

// topicsChanged tells the group coordinator of the topics there are now. Callers hold no lock.
func (b *Broker) topicsChanged() {
	if s := b.groups; s != nil {
		s.do(func(now time.Time, c *group.Coordinator) { c.SetTopics(now, b.topicMetas()) })
	}
}

func (b *Broker) topicMetas() []group.TopicMeta {
	b.mu.RLock()
	defer b.mu.RUnlock()
	metas := make([]group.TopicMeta, 0, len(b.topics))
	for _, t := range b.topics {
		metas = append(metas, group.TopicMeta{Name: t.name, ID: group.TopicID(t.id), Partitions: int32(len(t.partitions))})
	}
	return metas
}

func handleConsumerGroupHeartbeat(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ConsumerGroupHeartbeatRequest)
	resp := req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
	if resp.ErrorCode = r.group(kmsg.ACLOperationRead, req.Group); resp.ErrorCode != errNone {
		return ready(resp)
	}
	for _, t := range req.SubscribedTopicNames {
		if resp.ErrorCode = r.topic(kmsg.ACLOperationDescribe, t); resp.ErrorCode != errNone {
			return ready(resp)
		}
	}
	h := group.ConsumerHeartbeat{
		Group: req.Group, MemberID: req.MemberID, InstanceID: text(req.InstanceID), RackID: text(req.RackID),
		ClientID: r.clientID, ClientHost: r.host(), Epoch: req.MemberEpoch,
		RebalanceTimeout: time.Duration(req.RebalanceTimeoutMillis) * time.Millisecond,
		Subscribed:       req.SubscribedTopicNames, Pattern: req.SubscribedTopicRegex, Assignor: req.ServerAssignor,
		OwnedTold: req.Topics != nil,
	}
	if h.MemberID == "" && h.Epoch == 0 && req.Version == 0 {
		h.MemberID = newMemberID(r.clientID) // since version 1 members name themselves
	}
	for _, t := range req.Topics {
		h.Owned = append(h.Owned, group.TopicPartitions{Topic: t.TopicID, Partitions: t.Partitions})
	}
	ch := b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) { c.ConsumerHeartbeat(now, tk, h) })
	return later(func(ctx context.Context) kmsg.Response {
		a, ok := await[group.Action, group.ConsumerHeartbeatReply](ctx, ch)
		if !ok {
			a.Response.Code = group.CoordinatorNotAvailable
		}
		fillHeartbeat(resp, a.Response)
		return resp
	})
}

func fillHeartbeat(resp *kmsg.ConsumerGroupHeartbeatResponse, a group.ConsumerHeartbeatResponse) {
	resp.ErrorCode, resp.ErrorMessage = int16(a.Code), textPtr(a.Message)
	resp.MemberID, resp.MemberEpoch = textPtr(a.MemberID), a.Epoch
	resp.HeartbeatIntervalMillis = int32(a.Interval.Milliseconds())
	if !a.Told {
		return
	}
	as := kmsg.NewConsumerGroupHeartbeatResponseAssignment()
	as.Topics = []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic{}
	for _, t := range a.Assigned {
		at := kmsg.NewConsumerGroupHeartbeatResponseAssignmentTopic()
		at.TopicID, at.Partitions = t.Topic, t.Partitions
		as.Topics = append(as.Topics, at)
	}
	resp.Assignment = &as
}

func handleConsumerGroupDescribe(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ConsumerGroupDescribeRequest)
	resp := req.ResponseKind().(*kmsg.ConsumerGroupDescribeResponse)
	resp.Groups = []kmsg.ConsumerGroupDescribeResponseGroup{}
	for _, id := range req.Groups {
		rg := kmsg.NewConsumerGroupDescribeResponseGroup()
		rg.Group, rg.Members = id, []kmsg.ConsumerGroupDescribeResponseGroupMember{}
		if rg.ErrorCode = r.group(kmsg.ACLOperationDescribe, id); rg.ErrorCode == errNone {
			b.describeConsumers(&rg, r)
		}
		rg.AuthorizedOperations = r.operations(req.IncludeAuthorizedOperations, kmsg.ACLResourceTypeGroup, id)
		resp.Groups = append(resp.Groups, rg)
	}
	return ready(resp)
}

// describeConsumers fills in a group. Who may not describe a topic that a member reads is told nothing of the members.
func (b *Broker) describeConsumers(rg *kmsg.ConsumerGroupDescribeResponseGroup, r *request) {
	var d group.ConsumerDescription
	b.groups.do(func(_ time.Time, c *group.Coordinator) { d = c.DescribeConsumers(rg.Group) })
	rg.ErrorCode, rg.ErrorMessage, rg.State = int16(d.Code), textPtr(d.Message), d.State
	rg.Epoch, rg.AssignmentEpoch, rg.AssignorName = d.Epoch, d.TargetEpoch, d.Assignor
	names := map[group.TopicID]string{}
	for _, t := range b.topicMetas() {
		names[t.ID] = t.Name
	}
	for i := range d.Members {
		m := &d.Members[i]
		for _, t := range m.Topics {
			if code := r.topic(kmsg.ACLOperationDescribe, t); code != errNone {
				rg.ErrorCode, rg.Members = code, []kmsg.ConsumerGroupDescribeResponseGroupMember{}
				return
			}
		}
		rm := kmsg.NewConsumerGroupDescribeResponseGroupMember()
		rm.MemberID, rm.InstanceID, rm.RackID, rm.MemberEpoch = m.ID, textPtr(m.InstanceID), textPtr(m.RackID), m.Epoch
		rm.ClientID, rm.ClientHost = m.ClientID, m.ClientHost
		rm.SubscribedTopics, rm.SubscribedTopicRegex = append([]string{}, m.Topics...), textPtr(m.Pattern)
		rm.Assignment, rm.TargetAssignment = assignment(m.Assigned, names), assignment(m.Target, names)
		rm.MemberType = memberTypeConsumer
		rg.Members = append(rg.Members, rm)
	}
}

// memberTypeConsumer says that a member speaks the consumer protocol itself.
const memberTypeConsumer int8 = 1

func assignment(list []group.TopicPartitions, names map[group.TopicID]string) kmsg.Assignment {
	a := kmsg.Assignment{TopicPartitions: []kmsg.AssignmentTopicPartition{}}
	for _, t := range list {
		a.TopicPartitions = append(a.TopicPartitions, kmsg.AssignmentTopicPartition{TopicID: t.Topic, Topic: names[t.Topic], Partitions: t.Partitions})
	}
	return a
}
