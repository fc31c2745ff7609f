package broker

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleListConfigResources lists what has settings: topics and this node. Version 0 asks for client metrics, which are not kept.
func handleListConfigResources(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ListConfigResourcesRequest)
	resp := req.ResponseKind().(*kmsg.ListConfigResourcesResponse)
	resp.ConfigResources = []kmsg.ListConfigResourcesResponseConfigResource{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribeConfigs); resp.ErrorCode != errNone || req.Version == 0 {
		return ready(resp)
	}
	add := func(kind kmsg.ConfigResourceType, names ...string) {
		if len(req.ResourceTypes) > 0 && !slices.Contains(req.ResourceTypes, int8(kind)) {
			return
		}
		for _, name := range names {
			c := kmsg.NewListConfigResourcesResponseConfigResource()
			c.Name, c.Type = name, int8(kind)
			resp.ConfigResources = append(resp.ConfigResources, c)
		}
	}
	for _, t := range req.ResourceTypes {
		if !slices.Contains(configResourceTypes, kmsg.ConfigResourceType(t)) {
			resp.ErrorCode = errUnsupportedVersion
			return ready(resp)
		}
	}
	add(kmsg.ConfigResourceTypeTopic, b.topicNames()...)
	add(kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(b.opts.NodeID)))
	return ready(resp)
}

// configResourceTypes are the kinds that may be asked for.
var configResourceTypes = []kmsg.ConfigResourceType{
	kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeBrokerLogger,
	kmsg.ConfigResourceTypeClientMetrics, kmsg.ConfigResourceTypeGroupConfig,
}
