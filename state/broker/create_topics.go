package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleCreateTopics creates topics one by one; each has its own outcome.
func handleCreateTopics(b *Broker, r *request) reply {
	req := r.body.(*kmsg.CreateTopicsRequest)
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	resp.Topics = []kmsg.CreateTopicsResponseTopic{}
	seen := map[string]int{}
	for i := range req.Topics {
		seen[req.Topics[i].Topic]++
	}
	for i := range req.Topics {
		q := &req.Topics[i]
		if n := seen[q.Topic]; n == 0 {
			continue // answered with its first mention
		} else if n > 1 {
			seen[q.Topic] = 0
			resp.Topics = append(resp.Topics, createdTopic(q.Topic, errInvalidRequest, "topic is named twice in the request"))
			continue
		}
		if code := r.mayCreate(q.Topic); code != errNone {
			resp.Topics = append(resp.Topics, createdTopic(q.Topic, code, "not authorized"))
			continue
		}
		if n := max(int(q.NumPartitions), len(q.ReplicaAssignment), 1); !req.ValidateOnly {
			if code := r.mutate(n, req.Version >= 6); code != errNone {
				resp.Topics = append(resp.Topics, createdTopic(q.Topic, code, "too many changes of topics"))
				continue
			}
		}
		rt := b.createRequested(q, req.ValidateOnly)
		if code := r.topic(kmsg.ACLOperationDescribeConfigs, q.Topic); code != errNone && rt.ErrorCode == errNone {
			rt.ConfigErrorCode, rt.Configs, rt.NumPartitions, rt.ReplicationFactor = code, []kmsg.CreateTopicsResponseTopicConfig{}, -1, -1
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}

func createdTopic(name string, code int16, message string) kmsg.CreateTopicsResponseTopic {
	rt := kmsg.NewCreateTopicsResponseTopic()
	rt.Topic, rt.ErrorCode, rt.NumPartitions, rt.ReplicationFactor = name, code, -1, -1
	rt.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
	if code != errNone {
		rt.ErrorMessage = &message
	}
	return rt
}

func (b *Broker) createRequested(q *kmsg.CreateTopicsRequestTopic, validateOnly bool) kmsg.CreateTopicsResponseTopic {
	rec := topicRecord{Name: q.Topic, Partitions: int(q.NumPartitions), Config: map[string]string{}}
	if code, msg := b.checkPlacement(q, &rec); code != errNone {
		return createdTopic(q.Topic, code, msg)
	}
	for _, c := range q.Configs {
		if c.Value != nil {
			rec.Config[c.Name] = *c.Value
		}
	}
	var err error
	if validateOnly {
		b.adminMu.Lock()
		err = b.checkNewTopic(&rec)
		b.adminMu.Unlock()
	} else {
		err = b.createTopic(rec)
	}
	if err != nil {
		return createdTopic(q.Topic, errorCode(err), err.Error())
	}
	rt := createdTopic(q.Topic, errNone, "")
	rt.NumPartitions, rt.ReplicationFactor = int32(rec.Partitions), 1
	if t, parts := b.findTopic(q.Topic, topicID{}); t != nil && !validateOnly {
		rt.TopicID, rt.NumPartitions = t.id, int32(len(parts))
	}
	for i := range topicSettings {
		s := &topicSettings[i]
		c := kmsg.NewCreateTopicsResponseTopicConfig()
		v, own := b.settingValue(s, rec.Config)
		c.Name, c.Value, c.Source = s.name, &v, int8(settingSource(own))
		rt.Configs = append(rt.Configs, c)
	}
	return rt
}

// checkPlacement settles partition and replica counts: this node is the only place there is.
func (b *Broker) checkPlacement(q *kmsg.CreateTopicsRequestTopic, rec *topicRecord) (int16, string) {
	if len(q.ReplicaAssignment) > 0 {
		if q.NumPartitions != -1 || q.ReplicationFactor != -1 {
			return errInvalidRequest, "with a replica assignment, partitions and replication factor must be -1"
		}
		for i, a := range q.ReplicaAssignment {
			if int(a.Partition) != i || len(a.Replicas) != 1 || a.Replicas[0] != b.opts.NodeID {
				return errInvalidReplicaAssign, fmt.Sprintf("partitions must be numbered from 0 and placed on node %d alone", b.opts.NodeID)
			}
		}
		rec.Partitions = len(q.ReplicaAssignment)
		return errNone, ""
	}
	if q.ReplicationFactor != -1 && q.ReplicationFactor != 1 {
		return errInvalidReplication, fmt.Sprintf("replication factor %d: this broker runs alone, only 1 is possible", q.ReplicationFactor)
	}
	switch q.NumPartitions {
	case -1:
		rec.Partitions = b.opts.DefaultPartitions
	case 0:
		return errInvalidPartitions, "number of partitions must be larger than 0"
	}
	return errNone, ""
}
