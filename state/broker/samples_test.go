package broker

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
	"github.com/millrace/millrace/state/log"
)

// sample makes a request that names one of everything it can: topic "t", group "g", transactional id "x". nil: there is no sample for
// the key, which fails the tests that need one for each.
func sample(b *Broker, key, version int16) kmsg.Request {
	top, _ := b.findTopic("t", topicID{})
	var id topicID
	if top != nil {
		id = top.id
	}
	make, ok := samples[key]
	if !ok {
		return nil
	}
	req := make(id, version)
	req.SetVersion(version)
	return req
}

var joins atomic.Int64

var samples = map[int16]func(id topicID, v int16) kmsg.Request{
	0: func(id topicID, v int16) kmsg.Request {
		r := kmsg.NewPtrProduceRequest()
		r.Acks, r.TimeoutMillis, r.TransactionID = -1, 1000, kmsg.StringPtr("x")
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("v")}}, log.BatchOptions{ProducerID: 99, Transactional: true})
		t := kmsg.NewProduceRequestTopic()
		t.Topic, t.TopicID, t.Partitions = "t", id, append(t.Partitions, p)
		r.Topics = append(r.Topics, t)
		return r
	},
	1: func(id topicID, v int16) kmsg.Request {
		r := sessionFetch(v, 0, sessionEnd, &topic{name: "t", id: id}, 0)
		r.MinBytes = 0
		return r
	},
	2: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrListOffsetsRequest()
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Timestamp = -1
		r.Topics = append(r.Topics, kmsg.ListOffsetsRequestTopic{Topic: "t", Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}})
		return r
	},
	3: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrMetadataRequest()
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr("t")
		r.Topics = append(r.Topics, t)
		return r
	},
	8: func(id topicID, _ int16) kmsg.Request {
		r := kmsg.NewPtrOffsetCommitRequest()
		r.Group, r.Generation = "g", -1
		r.Topics = append(r.Topics, kmsg.OffsetCommitRequestTopic{Topic: "t", TopicID: id, Partitions: []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}})
		return r
	},
	9: func(id topicID, _ int16) kmsg.Request {
		r := kmsg.NewPtrOffsetFetchRequest()
		r.Group = "g"
		r.Topics = append(r.Topics, kmsg.OffsetFetchRequestTopic{Topic: "t", Partitions: []int32{0}})
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group, g.Topics = "g", []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", TopicID: id, Partitions: []int32{0}}}
		r.Groups = append(r.Groups, g)
		return r
	},
	10: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrFindCoordinatorRequest()
		r.CoordinatorKey, r.CoordinatorKeys = "g", []string{"g"}
		return r
	},
	11: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrJoinGroupRequest()
		r.Group, r.SessionTimeoutMillis, r.RebalanceTimeoutMillis, r.ProtocolType = fmt.Sprint("g", joins.Add(1)), 10_000, 10, "consumer" // a group of its own, or it waits for the last member
		r.Protocols = append(r.Protocols, kmsg.JoinGroupRequestProtocol{Name: "range", Metadata: []byte{}})
		return r
	},
	12: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrHeartbeatRequest()
		r.Group = "g"
		return r
	},
	13: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrLeaveGroupRequest()
		r.Group, r.Members = "g", []kmsg.LeaveGroupRequestMember{{MemberID: "m"}}
		return r
	},
	14: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrSyncGroupRequest()
		r.Group = "g"
		return r
	},
	15: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrDescribeGroupsRequest()
		r.Groups = []string{"g"}
		return r
	},
	16: func(topicID, int16) kmsg.Request { return kmsg.NewPtrListGroupsRequest() },
	17: func(topicID, int16) kmsg.Request { return &kmsg.SASLHandshakeRequest{Mechanism: auth.Plain} },
	18: func(topicID, int16) kmsg.Request { return kmsg.NewPtrApiVersionsRequest() },
	19: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrCreateTopicsRequest()
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = "new", 1, 1
		r.Topics, r.ValidateOnly = append(r.Topics, t), true
		return r
	},
	20: func(_ topicID, v int16) kmsg.Request {
		r := kmsg.NewPtrDeleteTopicsRequest()
		r.TopicNames = []string{"gone"}
		r.Topics = append(r.Topics, kmsg.DeleteTopicsRequestTopic{Topic: kmsg.StringPtr("gone")})
		if v >= 6 {
			r.TopicNames = nil
		} else {
			r.Topics = nil
		}
		return r
	},
	21: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrDeleteRecordsRequest()
		r.Topics = append(r.Topics, kmsg.DeleteRecordsRequestTopic{Topic: "t", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{}}})
		return r
	},
	22: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrInitProducerIDRequest()
		r.TransactionalID, r.TransactionTimeoutMillis = kmsg.StringPtr("x"), 1000
		return r
	},
	23: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrOffsetForLeaderEpochRequest()
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		r.Topics = append(r.Topics, kmsg.OffsetForLeaderEpochRequestTopic{Topic: "t", Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{p}})
		return r
	},
	24: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrAddPartitionsToTxnRequest()
		r.TransactionalID = "x"
		r.Topics = append(r.Topics, kmsg.AddPartitionsToTxnRequestTopic{Topic: "t", Partitions: []int32{0}})
		r.Transactions = append(r.Transactions, kmsg.AddPartitionsToTxnRequestTransaction{
			TransactionalID: "x", Topics: []kmsg.AddPartitionsToTxnRequestTransactionTopic{{Topic: "t", Partitions: []int32{0}}},
		})
		return r
	},
	25: func(topicID, int16) kmsg.Request {
		return &kmsg.AddOffsetsToTxnRequest{TransactionalID: "x", Group: "g"}
	},
	26: func(topicID, int16) kmsg.Request { return &kmsg.EndTxnRequest{TransactionalID: "x"} },
	27: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrWriteTxnMarkersRequest()
		r.Markers = append(r.Markers, kmsg.WriteTxnMarkersRequestMarker{ProducerID: 77, Topics: []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: "t", Partitions: []int32{0}}}})
		return r
	},
	28: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrTxnOffsetCommitRequest()
		r.TransactionalID, r.Group, r.Generation = "x", "g", -1
		r.Topics = append(r.Topics, kmsg.TxnOffsetCommitRequestTopic{Topic: "t", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{kmsg.NewTxnOffsetCommitRequestTopicPartition()}})
		return r
	},
	29: func(topicID, int16) kmsg.Request {
		return &kmsg.DescribeACLsRequest{ResourceType: 1, ResourcePatternType: 1, Operation: 1, PermissionType: 1}
	},
	30: func(topicID, int16) kmsg.Request {
		return &kmsg.CreateACLsRequest{Creations: []kmsg.CreateACLsRequestCreation{{
			ResourceType: 2, ResourceName: "other", ResourcePatternType: 3, Principal: "User:z", Host: "*", Operation: 3, PermissionType: 3,
		}}}
	},
	31: func(topicID, int16) kmsg.Request {
		return &kmsg.DeleteACLsRequest{Filters: []kmsg.DeleteACLsRequestFilter{{ResourceType: 2, ResourceName: kmsg.StringPtr("other"), ResourcePatternType: 3, Operation: 1, PermissionType: 1}}}
	},
	32: func(topicID, int16) kmsg.Request {
		return &kmsg.DescribeConfigsRequest{Resources: []kmsg.DescribeConfigsRequestResource{{ResourceType: 2, ResourceName: "t"}}}
	},
	33: func(topicID, int16) kmsg.Request {
		return &kmsg.AlterConfigsRequest{Resources: []kmsg.AlterConfigsRequestResource{{ResourceType: 2, ResourceName: "t"}}}
	},
	35: func(topicID, int16) kmsg.Request { return kmsg.NewPtrDescribeLogDirsRequest() },
	36: func(topicID, int16) kmsg.Request { return &kmsg.SASLAuthenticateRequest{} },
	37: func(topicID, int16) kmsg.Request {
		return &kmsg.CreatePartitionsRequest{ValidateOnly: true, Topics: []kmsg.CreatePartitionsRequestTopic{{Topic: "t", Count: 5}}}
	},
	42: func(topicID, int16) kmsg.Request { return &kmsg.DeleteGroupsRequest{Groups: []string{"gone"}} },
	43: func(topicID, int16) kmsg.Request {
		return &kmsg.ElectLeadersRequest{Topics: []kmsg.ElectLeadersRequestTopic{{Topic: "t", Partitions: []int32{0, 9}}}}
	},
	44: func(topicID, int16) kmsg.Request {
		return &kmsg.IncrementalAlterConfigsRequest{Resources: []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: 2, ResourceName: "t"}}}
	},
	45: func(topicID, int16) kmsg.Request {
		return &kmsg.AlterPartitionAssignmentsRequest{Topics: []kmsg.AlterPartitionAssignmentsRequestTopic{{
			Topic: "t", Partitions: []kmsg.AlterPartitionAssignmentsRequestTopicPartition{{Replicas: []int32{0}}, {Replicas: []int32{1, 2}}, {}, {Partition: 9}},
		}}}
	},
	46: func(topicID, int16) kmsg.Request { return kmsg.NewPtrListPartitionReassignmentsRequest() },
	47: func(topicID, int16) kmsg.Request {
		return &kmsg.OffsetDeleteRequest{Group: "g", Topics: []kmsg.OffsetDeleteRequestTopic{{Topic: "t", Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{}}}}}
	},
	48: func(topicID, int16) kmsg.Request { return kmsg.NewPtrDescribeClientQuotasRequest() },
	49: func(topicID, int16) kmsg.Request {
		return &kmsg.AlterClientQuotasRequest{Entries: []kmsg.AlterClientQuotasRequestEntry{{
			Entity: []kmsg.AlterClientQuotasRequestEntryEntity{{Type: "user", Name: kmsg.StringPtr("z")}},
			Ops:    []kmsg.AlterClientQuotasRequestEntryOp{{Key: "producer_byte_rate", Value: 1e9}},
		}}}
	},
	50: func(topicID, int16) kmsg.Request { return kmsg.NewPtrDescribeUserSCRAMCredentialsRequest() },
	51: func(topicID, int16) kmsg.Request {
		return &kmsg.AlterUserSCRAMCredentialsRequest{Upsertions: []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{{
			Name: "z", Mechanism: 1, Iterations: 4096, Salt: []byte("salt"), SaltedPassword: make([]byte, 32),
		}}}
	},
	57: func(topicID, int16) kmsg.Request {
		return &kmsg.UpdateFeaturesRequest{FeatureUpdates: []kmsg.UpdateFeaturesRequestFeatureUpdate{{Feature: "transaction.version", MaxVersionLevel: 2}}}
	},
	60: func(topicID, int16) kmsg.Request { return kmsg.NewPtrDescribeClusterRequest() },
	61: func(topicID, int16) kmsg.Request {
		return &kmsg.DescribeProducersRequest{Topics: []kmsg.DescribeProducersRequestTopic{{Topic: "t", Partitions: []int32{0}}}}
	},
	65: func(topicID, int16) kmsg.Request {
		return &kmsg.DescribeTransactionsRequest{TransactionalIDs: []string{"x"}}
	},
	66: func(topicID, int16) kmsg.Request { return kmsg.NewPtrListTransactionsRequest() },
	68: func(_ topicID, v int16) kmsg.Request {
		r := kmsg.NewPtrConsumerGroupHeartbeatRequest()
		r.Group, r.RebalanceTimeoutMillis = fmt.Sprintf("c%d", joins.Add(1)), 1000
		r.MemberID, r.SubscribedTopicNames, r.Topics = "m", []string{"t"}, []kmsg.ConsumerGroupHeartbeatRequestTopic{}
		return r
	},
	69: func(topicID, int16) kmsg.Request {
		r := kmsg.NewPtrConsumerGroupDescribeRequest()
		r.Groups = []string{"none"}
		return r
	},
	74: func(topicID, int16) kmsg.Request { return kmsg.NewPtrListConfigResourcesRequest() },
	75: func(topicID, int16) kmsg.Request {
		return &kmsg.DescribeTopicPartitionsRequest{ResponsePartitionLimit: 100, Topics: []kmsg.DescribeTopicPartitionsRequestTopic{{Topic: "t"}}}
	},
}

// answerOf runs a handler as a connection of who would.
func answerOf(t testing.TB, b *Broker, l *listener, who auth.Principal, req kmsg.Request) kmsg.Response {
	t.Helper()
	client, server := newPipe()
	t.Cleanup(func() { client.Close() })
	c := &conn{broker: b, net: server, listener: l, host: "10.0.0.1"}
	c.id.who, c.id.known = who, true
	s := findRequest(req.Key())
	rep := s.handle(b, &request{conn: c, who: who, body: req})
	if rep.later != nil {
		return rep.later(b.ctx)
	}
	if rep.resp == nil {
		t.Fatalf("no answer to %s version %d", s.name, req.GetVersion())
	}
	return rep.resp
}
