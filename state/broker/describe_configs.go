package broker

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// settingSource is where a value comes from, in the protocol's numbers.
func settingSource(own bool) kmsg.ConfigSource {
	if own {
		return kmsg.ConfigSourceDynamicTopicConfig
	}
	return kmsg.ConfigSourceDefaultConfig
}

// handleDescribeConfigs lists the settings of topics and of this broker.
func handleDescribeConfigs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeConfigsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	resp.Resources = []kmsg.DescribeConfigsResponseResource{}
	for i := range req.Resources {
		q := &req.Resources[i]
		rr := kmsg.NewDescribeConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = q.ResourceType, q.ResourceName
		rr.Configs = []kmsg.DescribeConfigsResponseResourceConfig{}
		if rr.ErrorCode = r.config(kmsg.ACLOperationDescribeConfigs, q.ResourceType, q.ResourceName); rr.ErrorCode != errNone {
			rr.ErrorMessage = refusedMessage(rr.ErrorCode)
			resp.Resources = append(resp.Resources, rr)
			continue
		}
		switch q.ResourceType {
		case kmsg.ConfigResourceTypeTopic:
			b.describeTopicConfig(req, i, &rr)
		case kmsg.ConfigResourceTypeBroker:
			b.describeBrokerConfig(q, &rr)
		default:
			rr.ErrorCode = errInvalidRequest
			rr.ErrorMessage = kmsg.StringPtr(fmt.Sprintf("resource type %d has no settings here", q.ResourceType))
		}
		resp.Resources = append(resp.Resources, rr)
	}
	return ready(resp)
}

// describeTopicConfig lists the settings of the topic that is resource i of the request.
func (b *Broker) describeTopicConfig(req *kmsg.DescribeConfigsRequest, i int, rr *kmsg.DescribeConfigsResponseResource) {
	q := &req.Resources[i]
	config, ok := b.topicConfig(q.ResourceName)
	if !ok {
		rr.ErrorCode = errUnknownTopicOrPartition
		return
	}
	for i := range topicSettings {
		s := &topicSettings[i]
		if q.ConfigNames != nil && !slices.Contains(q.ConfigNames, s.name) {
			continue
		}
		v, own := b.settingValue(s, config)
		c := configEntry(s.name, v)
		c.Source, c.IsDefault, c.ConfigType = settingSource(own), !own, kmsg.ConfigType(s.kind)
		if req.IncludeDocumentation {
			c.Documentation = &s.doc
		}
		if req.IncludeSynonyms && own {
			syn := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
			syn.Name, syn.Value, syn.Source = s.name, &v, c.Source
			c.ConfigSynonyms = append(c.ConfigSynonyms, syn)
		}
		rr.Configs = append(rr.Configs, c)
	}
}

func configEntry(name, value string) kmsg.DescribeConfigsResponseResourceConfig {
	c := kmsg.NewDescribeConfigsResponseResourceConfig()
	c.Name, c.Value = name, &value
	c.ConfigSynonyms = []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{}
	return c
}

// describeBrokerConfig lists what tools look for; all of it is fixed while the broker runs.
func (b *Broker) describeBrokerConfig(q *kmsg.DescribeConfigsRequestResource, rr *kmsg.DescribeConfigsResponseResource) {
	entries := []struct{ name, value string }{
		{"auto.create.topics.enable", strconv.FormatBool(b.opts.AutoCreateTopics)},
		{"broker.id", strconv.Itoa(int(b.opts.NodeID))},
		{"default.replication.factor", "1"},
		{"message.max.bytes", strconv.Itoa(defaultMaxMessageBytes)},
		{"min.insync.replicas", "1"},
		{"node.id", strconv.Itoa(int(b.opts.NodeID))},
		{"num.partitions", strconv.Itoa(b.opts.DefaultPartitions)},
		{"socket.request.max.bytes", strconv.Itoa(b.opts.MaxRequestBytes)},
	}
	for _, e := range entries {
		if q.ConfigNames != nil && !slices.Contains(q.ConfigNames, e.name) {
			continue
		}
		c := configEntry(e.name, e.value)
		c.ReadOnly, c.Source, c.ConfigType = true, kmsg.ConfigSourceStaticBrokerConfig, kmsg.ConfigTypeString
		rr.Configs = append(rr.Configs, c)
	}
}
