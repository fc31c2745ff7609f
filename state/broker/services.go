package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// services are the coordinators that live in a broker. Each has a field here and a line in serviceTable; their code is in
// group_*.go and txn_*.go.
type services struct {
	// txns is nil while the broker has no transaction coordinator: transactional requests are then refused with error 15.
	txns txnCoordinator
	// transactions is the same one, for its own requests.
	transactions *txnService
	groups       *groupService
}

// service is started after the topics are open and stopped before they are closed.
type service struct {
	name  string
	start func(b *Broker) error
	stop  func(b *Broker, ctx context.Context)
}

// serviceTable lists the services in the order they start; they stop in reverse.
var serviceTable = []service{
	{"group coordinator", startGroups, stopGroups},
	{"transaction coordinator", startTxns, stopTxns}, // settles offsets of groups
}

// topicPartition names one partition.
type topicPartition struct {
	topic     string
	partition int32
}

// txnCoordinator is what produce and InitProducerId ask of the transaction coordinator.
type txnCoordinator interface {
	// admitPartitions is asked before a transactional batch is appended to partitions in which the producer has no transaction open.
	// With implicit (Produce v12 and later, KIP-890) the partitions join the transaction; otherwise they must have joined before.
	// It returns one error code for each partition. It runs on the connection's reader and may block on the coordinator's log.
	admitPartitions(ctx context.Context, p txnProducer, parts []topicPartition, implicit bool) []int16
	// initProducerID answers an InitProducerId request that names a transactional id.
	initProducerID(ctx context.Context, req *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse
}

// txnProducer identifies the sender of a transactional batch.
type txnProducer struct {
	txnID string
	id    int64
	epoch int16
}
