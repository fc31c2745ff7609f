package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// handleDescribeCluster names the one node there is.
func handleDescribeCluster(b *Broker, r *request) reply {
	resp := r.body.ResponseKind().(*kmsg.DescribeClusterResponse)
	resp.ClusterID, resp.ControllerID, resp.EndpointType = b.ClusterID(), b.opts.NodeID, 1
	node := kmsg.NewDescribeClusterResponseBroker()
	node.NodeID, node.Host, node.Port = b.opts.NodeID, r.conn.listener.at.host, r.conn.listener.at.port
	asked := r.body.(*kmsg.DescribeClusterRequest).IncludeClusterAuthorizedOperations
	resp.ClusterAuthorizedOperations = r.operations(asked, kmsg.ACLResourceTypeCluster, auth.ClusterName)
	resp.Brokers = append(resp.Brokers, node)
	return ready(resp)
}
