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
// epoch per transaction). featureMetadataVersion is the level of Kafka 4.0's metadata, which tools print.
const (
	featureTransactionVersion int16 = 2
	featureMetadataVersion    int16 = 25
)

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
	// last closes the connection once the answer has left.
	last bool
}

func ready(resp kmsg.Response) reply { return reply{resp: resp} }

func later(fn func(ctx context.Context) kmsg.Response) reply { return reply{later: fn} }

// requestSpec is a line of the dispatch table.
type requestSpec struct {
	key      int16
	name     string
	min, max int16 // versions served and advertised
	handle   handler
	// needs is what the sender must be allowed for a request that names one of everything, once authorization is on. The handlers ask
	// for it, resource by resource; TestAuthorization holds them to this table.
	needs rights
}

// dispatchTable lists every request served; ApiVersions advertises exactly this. Versions are those of Kafka 4.2 as far as the codec
// knows them. Produce versions 0 to 2 are advertised and refused, since old librdkafka takes their absence for a broker without
// compression.
var dispatchTable = []requestSpec{
	{0, "Produce", 0, 13, handleProduce, rights{topicWrite, txnWrite}},
	{1, "Fetch", 4, 18, handleFetch, rights{topicRead}},
	{2, "ListOffsets", 1, 10, handleListOffsets, rights{topicDescribe}},
	{3, "Metadata", 0, 13, handleMetadata, rights{topicDescribe}},
	{8, "OffsetCommit", 2, 10, handleOffsetCommit, rights{groupRead, topicRead}},
	{9, "OffsetFetch", 1, 10, handleOffsetFetch, rights{groupDescribe, topicDescribe}},
	{10, "FindCoordinator", 0, 6, handleFindCoordinator, rights{groupDescribe}},
	{11, "JoinGroup", 0, 9, handleJoinGroup, rights{groupRead}},
	{12, "Heartbeat", 0, 4, handleHeartbeat, rights{groupRead}},
	{13, "LeaveGroup", 0, 5, handleLeaveGroup, rights{groupRead}},
	{14, "SyncGroup", 0, 5, handleSyncGroup, rights{groupRead}},
	{15, "DescribeGroups", 0, 6, handleDescribeGroups, rights{groupDescribe}},
	{16, "ListGroups", 0, 5, handleListGroups, rights{groupDescribe}},
	{17, "SaslHandshake", 0, 1, handleSASLHandshake, rights{}},
	{18, "ApiVersions", 0, 4, handleAPIVersions, rights{}},
	{19, "CreateTopics", 2, 7, handleCreateTopics, rights{topicCreate}},
	{20, "DeleteTopics", 1, 6, handleDeleteTopics, rights{topicDelete}},
	{21, "DeleteRecords", 0, 2, handleDeleteRecords, rights{topicDelete}},
	{22, "InitProducerId", 0, 5, handleInitProducerID, rights{txnWrite}},
	{23, "OffsetForLeaderEpoch", 2, 4, handleOffsetForLeaderEpoch, rights{topicDescribe}},
	{24, "AddPartitionsToTxn", 0, 5, handleAddPartitionsToTxn, rights{txnWrite, topicWrite}},
	{25, "AddOffsetsToTxn", 0, 4, handleAddOffsetsToTxn, rights{txnWrite, groupRead}},
	{26, "EndTxn", 0, 5, handleEndTxn, rights{txnWrite}},
	{27, "WriteTxnMarkers", 1, 2, handleWriteTxnMarkers, rights{clusterAction}},
	{28, "TxnOffsetCommit", 0, 5, handleTxnOffsetCommit, rights{txnWrite, groupRead, topicRead}},
	{29, "DescribeAcls", 1, 3, handleDescribeACLs, rights{clusterDescribe}},
	{30, "CreateAcls", 1, 3, handleCreateACLs, rights{clusterAlter}},
	{31, "DeleteAcls", 1, 3, handleDeleteACLs, rights{clusterAlter}},
	{32, "DescribeConfigs", 1, 4, handleDescribeConfigs, rights{topicDescribeConfigs}},
	{33, "AlterConfigs", 0, 2, handleAlterConfigs, rights{topicAlterConfigs}},
	{35, "DescribeLogDirs", 1, 4, handleDescribeLogDirs, rights{clusterDescribe}},
	{36, "SaslAuthenticate", 0, 2, handleSASLAuthenticate, rights{}},
	{37, "CreatePartitions", 0, 3, handleCreatePartitions, rights{topicAlter}},
	{42, "DeleteGroups", 0, 2, handleDeleteGroups, rights{groupDelete}},
	{43, "ElectLeaders", 0, 2, handleElectLeaders, rights{clusterAlter}},
	{44, "IncrementalAlterConfigs", 0, 1, handleIncrementalAlterConfigs, rights{topicAlterConfigs}},
	{45, "AlterPartitionReassignments", 0, 1, handleAlterPartitionReassignments, rights{clusterAlter}},
	{46, "ListPartitionReassignments", 0, 0, handleListPartitionReassignments, rights{clusterDescribe}},
	{47, "OffsetDelete", 0, 0, handleOffsetDelete, rights{groupDelete, topicRead}},
	{48, "DescribeClientQuotas", 0, 1, handleDescribeClientQuotas, rights{clusterDescribeConfigs}},
	{49, "AlterClientQuotas", 0, 1, handleAlterClientQuotas, rights{clusterAlterConfigs}},
	{50, "DescribeUserScramCredentials", 0, 0, handleDescribeUserScramCredentials, rights{clusterDescribe}},
	{51, "AlterUserScramCredentials", 0, 0, handleAlterUserScramCredentials, rights{clusterAlter}},
	{57, "UpdateFeatures", 0, 2, handleUpdateFeatures, rights{clusterAlter}},
	{60, "DescribeCluster", 0, 2, handleDescribeCluster, rights{}},
	{61, "DescribeProducers", 0, 0, handleDescribeProducers, rights{topicRead}},
	{65, "DescribeTransactions", 0, 0, handleDescribeTransactions, rights{txnDescribe}},
	{66, "ListTransactions", 0, 2, handleListTransactions, rights{txnDescribe}},
	{68, "ConsumerGroupHeartbeat", 0, 1, handleConsumerGroupHeartbeat, rights{groupRead, topicDescribe}},
	{69, "ConsumerGroupDescribe", 0, 1, handleConsumerGroupDescribe, rights{groupDescribe}},
	{74, "ListConfigResources", 0, 1, handleListConfigResources, rights{clusterDescribeConfigs}},
	{75, "DescribeTopicPartitions", 0, 0, handleDescribeTopicPartitions, rights{topicDescribe}},
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
