package broker

import (
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// Codes of refusals, by the type of resource.
const (
	errTopicAuthorization   int16 = 29
	errGroupAuthorization   int16 = 30
	errClusterAuthorization int16 = 31
	errTxnIDAuthorization   int16 = 53
)

// access is one thing a request asks for.
type access struct {
	resource kmsg.ACLResourceType
	op       kmsg.ACLOperation
}

// rights are what a request asks for.
type rights []access

// The rights that requests need, by name.
var (
	topicRead            = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationRead}
	topicWrite           = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationWrite}
	topicCreate          = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationCreate}
	topicDelete          = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDelete}
	topicAlter           = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationAlter}
	topicDescribe        = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDescribe}
	topicDescribeConfigs = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationDescribeConfigs}
	topicAlterConfigs    = access{kmsg.ACLResourceTypeTopic, kmsg.ACLOperationAlterConfigs}

	groupRead     = access{kmsg.ACLResourceTypeGroup, kmsg.ACLOperationRead}
	groupDescribe = access{kmsg.ACLResourceTypeGroup, kmsg.ACLOperationDescribe}
	groupDelete   = access{kmsg.ACLResourceTypeGroup, kmsg.ACLOperationDelete}

	txnWrite    = access{kmsg.ACLResourceTypeTransactionalId, kmsg.ACLOperationWrite}
	txnDescribe = access{kmsg.ACLResourceTypeTransactionalId, kmsg.ACLOperationDescribe}

	clusterAction          = access{kmsg.ACLResourceTypeCluster, kmsg.ACLOperationClusterAction}
	clusterAlter           = access{kmsg.ACLResourceTypeCluster, kmsg.ACLOperationAlter}
	clusterDescribe        = access{kmsg.ACLResourceTypeCluster, kmsg.ACLOperationDescribe}
	clusterDescribeConfigs = access{kmsg.ACLResourceTypeCluster, kmsg.ACLOperationDescribeConfigs}
	clusterAlterConfigs    = access{kmsg.ACLResourceTypeCluster, kmsg.ACLOperationAlterConfigs}
)

// allowed decides whether the sender may do op to a resource. Without authorization, and for the process itself, all is allowed.
func (r *request) allowed(resource kmsg.ACLResourceType, op kmsg.ACLOperation, name string) bool {
	a := r.conn.broker.security.authorizer
	return a == nil || r.conn.listener.trusted || a.Allowed(&auth.Action{Principal: r.who, Host: r.address(), Operation: op, Resource: resource, Name: name})
}

// allowedSomewhere decides whether the sender may do op to any resource of the type.
func (r *request) allowedSomewhere(resource kmsg.ACLResourceType, op kmsg.ACLOperation) bool {
	a := r.conn.broker.security.authorizer
	return a == nil || r.conn.listener.trusted || a.AllowedSomewhere(&auth.Action{Principal: r.who, Host: r.address(), Operation: op, Resource: resource})
}

// topic returns errNone, or the refusal if the sender may not do op to the topic. group, cluster and txnID are alike.
func (r *request) topic(op kmsg.ACLOperation, name string) int16 {
	return refusal(r.allowed(kmsg.ACLResourceTypeTopic, op, name), errTopicAuthorization)
}

func (r *request) group(op kmsg.ACLOperation, name string) int16 {
	return refusal(r.allowed(kmsg.ACLResourceTypeGroup, op, name), errGroupAuthorization)
}

func (r *request) cluster(op kmsg.ACLOperation) int16 {
	return refusal(r.allowed(kmsg.ACLResourceTypeCluster, op, auth.ClusterName), errClusterAuthorization)
}

func (r *request) txnID(op kmsg.ACLOperation, id string) int16 {
	return refusal(r.allowed(kmsg.ACLResourceTypeTransactionalId, op, id), errTxnIDAuthorization)
}

func refusal(ok bool, code int16) int16 {
	if ok {
		return errNone
	}
	return code
}

// refusedMessage is the text beside a code of refusal, nil for success.
func refusedMessage(code int16) *string {
	if code == errNone {
		return nil
	}
	return kmsg.StringPtr("not authorized")
}

// operations is the bit set of what the sender may do to a resource (KIP-430), or "not asked for".
func (r *request) operations(asked bool, resource kmsg.ACLResourceType, name string) int32 {
	const notAsked = -1 << 31
	if !asked {
		return notAsked
	}
	var bits int32
	for _, op := range auth.Operations(resource) {
		if op < 31 && r.allowed(resource, op, name) {
			bits |= 1 << op
		}
	}
	return bits
}

// address is the client's address as rules name it, without the port.
func (r *request) address() string { return r.conn.host }

func hostOf(addr net.Addr) string {
	if h, _, err := net.SplitHostPort(addr.String()); err == nil {
		return h
	}
	return addr.String()
}
