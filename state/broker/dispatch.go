package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Request keys the connection itself has to know.
const (
	keyProduce     int16 = 0
	keyFetch       int16 = 1
	keyAPIVersions int16 = 18
)

// featureTransactionVersion is the level of transaction.version announced to clients; 2 turns on KIP-890 (implicit partitions, an
// epoch per transaction). 0 announces nothing.
const featureTransactionVersion int16 = 2

// handler serves one request. It runs on the connection's reader goroutine, in the order the client sent its requests, and may
// block on local appends only. Whatever needs waiting goes into the reply's later part.
type handler func(b *Broker, r *request) reply

// reply is a handler's answer.
type reply struct {
	// resp is the answer if later is nil; both nil means no answer is sent (Produce with acks=0).
	resp kmsg.Response
	// later runs on the connection's writer goroutine when all earlier answers have left. It may block until ctx ends, which is when
	// the broker closes.
	later func(ctx context.Context) kmsg.Response
}

func ready(resp kmsg.Response) reply { return reply{resp: resp} }

func later(fn func(ctx context.Context) kmsg.Response) reply { return reply{later: fn} }

// requestSpec is a line of the dispatch table.
type requestSpec struct {
	key      int16
	name     string
	min, max int16 // versions served and advertised
	handle   handler
}

// dispatchTable lists every request served; ApiVersions advertises exactly this. Versions are those of Kafka 4.2 as far as the codec
// knows them. Produce versions 0 to 2 are advertised and refused, since old librdkafka takes their absence for a broker without
// compression.
var dispatchTable = []requestSpec{
	{0, "Produce", 0, 13, handleProduce},
	{1, "Fetch", 4, 18, handleFetch},
	{2, "ListOffsets", 1, 10, handleListOffsets},
	{3, "Metadata", 0, 13, handleMetadata},
	{8, "OffsetCommit", 2, 10, handleOffsetCommit},
	{9, "OffsetFetch", 1, 10, handleOffsetFetch},
	{10, "FindCoordinator", 0, 6, handleFindCoordinator},
	{11, "JoinGroup", 0, 9, handleJoinGroup},
	{12, "Heartbeat", 0, 4, handleHeartbeat},
	{13, "LeaveGroup", 0, 5, handleLeaveGroup},
	{14, "SyncGroup", 0, 5, handleSyncGroup},
	{15, "DescribeGroups", 0, 6, handleDescribeGroups},
	{16, "ListGroups", 0, 5, handleListGroups},
	{18, "ApiVersions", 0, 4, handleAPIVersions},
	{19, "CreateTopics", 2, 7, handleCreateTopics},
	{20, "DeleteTopics", 1, 6, handleDeleteTopics},
	{21, "DeleteRecords", 0, 2, handleDeleteRecords},
	{22, "InitProducerId", 0, 5, handleInitProducerID},
	{23, "OffsetForLeaderEpoch", 2, 4, handleOffsetForLeaderEpoch},
	{24, "AddPartitionsToTxn", 0, 5, handleAddPartitionsToTxn},
	{25, "AddOffsetsToTxn", 0, 4, handleAddOffsetsToTxn},
	{26, "EndTxn", 0, 5, handleEndTxn},
	{28, "TxnOffsetCommit", 0, 5, handleTxnOffsetCommit},
	{32, "DescribeConfigs", 1, 4, handleDescribeConfigs},
	{33, "AlterConfigs", 0, 2, handleAlterConfigs},
	{35, "DescribeLogDirs", 1, 4, handleDescribeLogDirs},
	{37, "CreatePartitions", 0, 3, handleCreatePartitions},
	{42, "DeleteGroups", 0, 2, handleDeleteGroups},
	{44, "IncrementalAlterConfigs", 0, 1, handleIncrementalAlterConfigs},
	{47, "OffsetDelete", 0, 0, handleOffsetDelete},
	{60, "DescribeCluster", 0, 2, handleDescribeCluster},
	{61, "DescribeProducers", 0, 0, handleDescribeProducers},
	{65, "DescribeTransactions", 0, 0, handleDescribeTransactions},
	{66, "ListTransactions", 0, 2, handleListTransactions},
	{75, "DescribeTopicPartitions", 0, 0, handleDescribeTopicPartitions},
}

// served is dispatchTable and requestsByKey its index. Both are filled by init because ApiVersions, which is in the table, reads them.
var (
	served        []requestSpec
	requestsByKey = map[int16]*requestSpec{}
)

func init() {
	served = dispatchTable
	for i := range served {
		requestsByKey[served[i].key] = &served[i]
	}
}

func findRequest(key int16) *requestSpec { return requestsByKey[key] }
