package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/group"
)

// topicByNameOrID finds the name of a topic that a request names, or since some version identifies.
func (b *Broker) topicByNameOrID(name string, id topicID, useID bool) (string, int16) {
	if !useID {
		return name, errNone
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if t := b.byID[id]; t != nil {
		return t.name, errNone
	}
	return "", errUnknownTopicID
}

// topicID is the id of a topic, all zero if there is none of that name.
func (b *Broker) topicID(name string) topicID {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if t := b.topics[name]; t != nil {
		return t.id
	}
	return topicID{}
}

// offsetsCommit is a commit being built: accepted partitions with where their codes go.
type offsetsCommit struct {
	offsets []group.CommitOffset
	codes   []*int16 // parallel to offsets
	refused int      // partitions that do not exist
}

// add takes a partition if it exists; else it sets the code at once.
func (o *offsetsCommit) add(b *Broker, c group.CommitOffset, code *int16) {
	if _, err := b.lookup(c.Topic, c.Partition); err != nil {
		*code = errUnknownTopicOrPartition
		o.refused++
		return
	}
	o.offsets = append(o.offsets, c)
	o.codes = append(o.codes, code)
}

// finish sets the codes from the coordinator's answer.
func (o *offsetsCommit) finish(a group.CommitReply, ok bool) {
	if !ok {
		a = group.CommitReply{Code: group.CoordinatorNotAvailable}
	}
	for i, code := range o.codes {
		*code = int16(a.Code)
		if a.Code == group.None && a.Codes != nil {
			*code = int16(a.Codes[i])
		}
	}
}

func handleOffsetCommit(b *Broker, r *request) reply {
	req := r.body.(*kmsg.OffsetCommitRequest)
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	resp.Topics = make([]kmsg.OffsetCommitResponseTopic, len(req.Topics))
	var oc offsetsCommit
	refuse := r.group(kmsg.ACLOperationRead, req.Group)
	for i, t := range req.Topics {
		rt := &resp.Topics[i]
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		rt.Partitions = make([]kmsg.OffsetCommitResponseTopicPartition, len(t.Partitions))
		name, code := b.topicByNameOrID(t.Topic, t.TopicID, req.Version >= 10)
		if code == errNone {
			code = r.topic(kmsg.ACLOperationRead, name)
		}
		if refuse != errNone {
			code = refuse
		}
		for k, p := range t.Partitions {
			rp := &rt.Partitions[k]
			rp.Partition, rp.ErrorCode = p.Partition, code
			if code == errNone {
				oc.add(b, group.CommitOffset{
					TopicPartition: group.TopicPartition{Topic: name, Partition: p.Partition},
					Offset:         p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: text(p.Metadata),
				}, &rp.ErrorCode)
			}
		}
	}
	cr := group.CommitRequest{
		Group: req.Group, MemberID: req.MemberID, InstanceID: text(req.InstanceID), Generation: req.Generation, Offsets: oc.offsets,
	}
	if refuse != errNone {
		return ready(resp)
	}
	ch := b.groups.ask(func(now time.Time, c *group.Coordinator, tk group.Ticket) { c.Commit(now, tk, cr) })
	return later(func(ctx context.Context) kmsg.Response {
		oc.finish(await[group.Action, group.CommitReply](ctx, ch))
		return resp
	})
}

func handleOffsetFetch(b *Broker, r *request) reply {
	req := r.body.(*kmsg.OffsetFetchRequest)
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	resp.Topics = []kmsg.OffsetFetchResponseTopic{}
	resp.Groups = []kmsg.OffsetFetchResponseGroup{}
	if req.Version < 8 {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = req.Group
		if req.Topics != nil {
			g.Topics = make([]kmsg.OffsetFetchRequestGroupTopic, len(req.Topics))
		}
		for i, t := range req.Topics {
			g.Topics[i].Topic, g.Topics[i].Partitions = t.Topic, t.Partitions
		}
		rg := b.fetchOffsets(r, g, req)
		resp.ErrorCode = rg.ErrorCode
		for _, t := range rg.Topics {
			rt := kmsg.NewOffsetFetchResponseTopic()
			rt.Topic = t.Topic
			rt.Partitions = []kmsg.OffsetFetchResponseTopicPartition{}
			for _, p := range t.Partitions {
				rp := kmsg.NewOffsetFetchResponseTopicPartition()
				rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata, rp.ErrorCode = p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return ready(resp)
	}
	for _, g := range req.Groups {
		resp.Groups = append(resp.Groups, b.fetchOffsets(r, g, req))
	}
	return ready(resp)
}

// fetchOffsets reads the offsets of one group; its Topics nil means all.
func (b *Broker) fetchOffsets(r *request, g kmsg.OffsetFetchRequestGroup, req *kmsg.OffsetFetchRequest) kmsg.OffsetFetchResponseGroup {
	rg := kmsg.NewOffsetFetchResponseGroup()
	rg.Group = g.Group
	rg.Topics = []kmsg.OffsetFetchResponseGroupTopic{}
	if rg.ErrorCode = r.group(kmsg.ACLOperationDescribe, g.Group); rg.ErrorCode != errNone {
		return rg
	}
	var tps []group.TopicPartition
	if g.Topics != nil {
		tps = []group.TopicPartition{}
	}
	for _, t := range g.Topics {
		name, code := b.topicByNameOrID(t.Topic, t.TopicID, req.Version >= 10)
		if code == errNone {
			code = r.topic(kmsg.ACLOperationDescribe, name)
		}
		if code != errNone {
			rg.Topics = append(rg.Topics, unknownOffsets(t, code))
			continue
		}
		for _, p := range t.Partitions {
			tps = append(tps, group.TopicPartition{Topic: name, Partition: p})
		}
	}
	var code group.Code
	var offsets []group.FetchedOffset
	b.groups.do(func(_ time.Time, c *group.Coordinator) {
		if code = c.CheckFetcher(g.Group, text(g.MemberID), g.MemberEpoch); code == group.None {
			code, offsets = c.Fetch(g.Group, tps, req.RequireStable)
		}
	})
	rg.ErrorCode = int16(code)
	index := map[string]int{}
	for _, o := range offsets {
		if g.Topics == nil && r.topic(kmsg.ACLOperationDescribe, o.Topic) != errNone {
			continue
		}
		i, ok := index[o.Topic]
		if !ok {
			i = len(rg.Topics)
			index[o.Topic] = i
			rt := kmsg.NewOffsetFetchResponseGroupTopic()
			rt.Topic, rt.TopicID = o.Topic, b.topicID(o.Topic)
			rg.Topics = append(rg.Topics, rt)
		}
		rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
		rp.Partition, rp.Offset, rp.LeaderEpoch, rp.ErrorCode = o.Partition, o.Offset, o.LeaderEpoch, int16(o.Code)
		rp.Metadata = kmsg.StringPtr(o.Metadata)
		rg.Topics[i].Partitions = append(rg.Topics[i].Partitions, rp)
	}
	return rg
}

func unknownOffsets(t kmsg.OffsetFetchRequestGroupTopic, code int16) kmsg.OffsetFetchResponseGroupTopic {
	rt := kmsg.NewOffsetFetchResponseGroupTopic()
	rt.Topic, rt.TopicID = t.Topic, t.TopicID
	for _, p := range t.Partitions {
		rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
		rp.Partition, rp.Offset, rp.LeaderEpoch, rp.ErrorCode = p, -1, -1, code
		rt.Partitions = append(rt.Partitions, rp)
	}
	return rt
}

func handleOffsetDelete(b *Broker, r *request) reply {
	req := r.body.(*kmsg.OffsetDeleteRequest)
	resp := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	resp.Topics = make([]kmsg.OffsetDeleteResponseTopic, len(req.Topics))
	if resp.ErrorCode = r.group(kmsg.ACLOperationDelete, req.Group); resp.ErrorCode != errNone {
		resp.Topics = []kmsg.OffsetDeleteResponseTopic{}
		return ready(resp)
	}
	var tps []group.TopicPartition
	var codes []*int16
	for i, t := range req.Topics {
		rt := &resp.Topics[i]
		rt.Topic = t.Topic
		rt.Partitions = make([]kmsg.OffsetDeleteResponseTopicPartition, len(t.Partitions))
		for k, p := range t.Partitions {
			rt.Partitions[k].Partition = p.Partition
			if code := r.topic(kmsg.ACLOperationRead, t.Topic); code != errNone {
				rt.Partitions[k].ErrorCode = code
				continue
			}
			tps = append(tps, group.TopicPartition{Topic: t.Topic, Partition: p.Partition})
			codes = append(codes, &rt.Partitions[k].ErrorCode)
		}
	}
	ch := b.groups.ask(func(_ time.Time, c *group.Coordinator, tk group.Ticket) { c.DeleteOffsets(tk, req.Group, tps) })
	return later(func(ctx context.Context) kmsg.Response {
		a, ok := await[group.Action, group.CommitReply](ctx, ch)
		if !ok {
			a.Code = group.CoordinatorNotAvailable
		}
		resp.ErrorCode = int16(a.Code)
		for i := range a.Codes {
			*codes[i] = int16(a.Codes[i])
		}
		return resp
	})
}
