package broker

import (
	"errors"
	"sort"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// handleMetadata describes the node and topics, creating missing topics if client and broker both allow it.
func handleMetadata(b *Broker, r *request) reply {
	req := r.body.(*kmsg.MetadataRequest)
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	node := kmsg.NewMetadataResponseBroker()
	node.NodeID, node.Host, node.Port = b.opts.NodeID, r.conn.listener.at.host, r.conn.listener.at.port
	resp.Brokers = append(resp.Brokers, node)
	resp.ClusterID = kmsg.StringPtr(b.ClusterID())
	resp.ControllerID = b.opts.NodeID
	resp.Topics = []kmsg.MetadataResponseTopic{}
	resp.AuthorizedOperations = r.operations(req.IncludeClusterAuthorizedOperations, kmsg.ACLResourceTypeCluster, auth.ClusterName)
	if req.Topics == nil || (req.Version == 0 && len(req.Topics) == 0) {
		for _, name := range b.topicNames() {
			if t, parts := b.findTopic(name, topicID{}); t != nil && r.topic(kmsg.ACLOperationDescribe, name) == errNone {
				resp.Topics = append(resp.Topics, r.describeTopic(t, parts))
			}
		}
		return ready(resp)
	}
	create := b.opts.AutoCreateTopics && (req.Version < 4 || req.AllowAutoTopicCreation)
	for i := range req.Topics {
		resp.Topics = append(resp.Topics, b.metadataTopic(r, &req.Topics[i], create))
	}
	return ready(resp)
}

func (b *Broker) metadataTopic(r *request, q *kmsg.MetadataRequestTopic, create bool) kmsg.MetadataResponseTopic {
	rt := kmsg.NewMetadataResponseTopic()
	rt.Topic, rt.TopicID, rt.Partitions = q.Topic, q.TopicID, []kmsg.MetadataResponseTopicPartition{}
	if q.Topic == nil {
		if t, parts := b.findTopic("", q.TopicID); t != nil {
			if rt.ErrorCode = r.topic(kmsg.ACLOperationDescribe, t.name); rt.ErrorCode != errNone {
				return rt
			}
			return r.describeTopic(t, parts)
		}
		rt.ErrorCode = errUnknownTopicID
		return rt
	}
	if rt.ErrorCode = r.topic(kmsg.ACLOperationDescribe, *q.Topic); rt.ErrorCode != errNone {
		return rt
	}
	t, parts := b.findTopic(*q.Topic, topicID{})
	if t == nil && create && !reservedTopic(*q.Topic) {
		if rt.ErrorCode = r.mayCreate(*q.Topic); rt.ErrorCode != errNone {
			return rt
		}
		if err := b.CreateTopic(*q.Topic, 0, nil); err != nil && !errors.Is(err, ErrTopicExists) {
			rt.ErrorCode = errorCode(err)
			return rt
		}
		t, parts = b.findTopic(*q.Topic, topicID{})
	}
	if t != nil {
		return r.describeTopic(t, parts)
	}
	rt.ErrorCode = errUnknownTopicOrPartition
	if err := checkTopicName(*q.Topic); err != nil {
		rt.ErrorCode = errInvalidTopic
	}
	return rt
}

// reservedTopic reports names that never come into being by being asked for: those of the broker's own topics begin like this.
func reservedTopic(name string) bool { return strings.HasPrefix(name, "__") }

// mayCreate returns errNone, or the refusal if the sender may not create a topic of that name.
func (r *request) mayCreate(name string) int16 {
	if r.cluster(kmsg.ACLOperationCreate) == errNone {
		return errNone
	}
	return r.topic(kmsg.ACLOperationCreate, name)
}

// describeTopic answers for one topic, to a request of any kind of Metadata.
func (r *request) describeTopic(t *topic, parts []*partition) kmsg.MetadataResponseTopic {
	b := r.conn.broker
	rt := kmsg.NewMetadataResponseTopic()
	req := r.body.(*kmsg.MetadataRequest)
	rt.AuthorizedOperations = r.operations(req.IncludeTopicAuthorizedOperations, kmsg.ACLResourceTypeTopic, t.name)
	rt.Topic, rt.TopicID, rt.IsInternal = kmsg.StringPtr(t.name), t.id, t.internal
	rt.Partitions = make([]kmsg.MetadataResponseTopicPartition, 0, len(parts))
	self := []int32{b.opts.NodeID}
	for _, p := range parts {
		rp := kmsg.NewMetadataResponseTopicPartition()
		rp.Partition, rp.Leader, rp.LeaderEpoch = p.index, b.opts.NodeID, leaderEpoch
		rp.Replicas, rp.ISR, rp.OfflineReplicas = self, self, []int32{}
		rt.Partitions = append(rt.Partitions, rp)
	}
	return rt
}

// topicName is the name of a topic that was found, or the one it was asked for by.
func topicName(t *topic, asked string) string {
	if t != nil {
		return t.name
	}
	return asked
}

// findTopic finds a topic by name, or by id if name is empty. The partitions are those at the time of the call.
func (b *Broker) findTopic(name string, id topicID) (*topic, []*partition) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t := b.topics[name]
	if name == "" {
		t = b.byID[id]
	}
	if t == nil {
		return nil, nil
	}
	return t, t.partitions
}

// topicConfig returns the explicitly set configuration of a topic, and whether it exists. The map must not be changed.
func (b *Broker) topicConfig(name string) (map[string]string, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t := b.topics[name]
	if t == nil {
		return nil, false
	}
	return t.config, true
}

func (b *Broker) topicNames() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	names := make([]string, 0, len(b.topics))
	for name := range b.topics {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
