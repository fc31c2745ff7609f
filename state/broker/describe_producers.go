package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleDescribeProducers lists the producers a partition remembers; tools use it to find hanging transactions.
func handleDescribeProducers(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeProducersRequest)
	resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	resp.Topics = []kmsg.DescribeProducersResponseTopic{}
	for i := range req.Topics {
		rt := kmsg.NewDescribeProducersResponseTopic()
		rt.Topic, rt.Partitions = req.Topics[i].Topic, []kmsg.DescribeProducersResponseTopicPartition{}
		for _, idx := range req.Topics[i].Partitions {
			rt.Partitions = append(rt.Partitions, b.describeProducers(r, rt.Topic, idx))
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return ready(resp)
}

func (b *Broker) describeProducers(r *request, topic string, idx int32) kmsg.DescribeProducersResponseTopicPartition {
	rp := kmsg.NewDescribeProducersResponseTopicPartition()
	rp.Partition, rp.ActiveProducers = idx, []kmsg.DescribeProducersResponseTopicPartitionActiveProducer{}
	if rp.ErrorCode = r.topic(kmsg.ACLOperationRead, topic); rp.ErrorCode != errNone {
		rp.ErrorMessage = refusedMessage(rp.ErrorCode)
		return rp
	}
	p, err := b.lookup(topic, idx)
	if err != nil {
		rp.ErrorCode, rp.ErrorMessage = errorCode(err), errorMessage(err)
		return rp
	}
	for _, info := range p.log.Producers() {
		a := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		a.ProducerID, a.ProducerEpoch, a.LastSequence = info.ID, int32(info.Epoch), info.LastSequence
		a.LastTimestamp, a.CoordinatorEpoch, a.CurrentTxnStartOffset = info.LastTimestampMs, info.CoordinatorEpoch, info.TxnFirstOffset
		rp.ActiveProducers = append(rp.ActiveProducers, a)
	}
	return rp
}
