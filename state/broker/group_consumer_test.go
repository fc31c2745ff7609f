package broker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumerGroup describes a group of the consumer protocol.
func consumerGroup(t *testing.T, b *Broker, id string) *kmsg.ConsumerGroupDescribeResponseGroup {
	t.Helper()
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Groups = []string{id}
	resp, err := req.RequestWith(testContext(t), client(t, b, overMemory))
	if err != nil {
		t.Fatal(err)
	}
	return &resp.Groups[0]
}

// TestConsumerProtocol: two members of kgo in a group of the consumer protocol read each record once through joins, a leave and a
// restart of the broker, and their offsets are kept.
func TestConsumerProtocol(t *testing.T) {
	n := startNode(t)
	n.topic("t", 4)
	for p := range int32(4) {
		n.produce("t", 4, int(p)*10, int(p)*10+10)
	}
	member := func() *kgo.Client {
		return n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.ServerSideBalancer())
	}
	a := member()
	seen := map[string]int{}
	poll := func(cl *kgo.Client) int {
		ctx, cancel := context.WithTimeout(testContext(t), 200*time.Millisecond)
		defer cancel()
		fs := cl.PollFetches(ctx)
		fs.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
		return fs.NumRecords()
	}
	for end := time.Now().Add(20 * time.Second); len(seen) < 40 && time.Now().Before(end); {
		poll(a)
	}
	if err := a.CommitUncommittedOffsets(testContext(t)); err != nil {
		t.Fatal(err)
	}
	b := member()
	awaitTrue(t, 30*time.Second, "both have two partitions", func() bool {
		poll(a)
		poll(b)
		g := consumerGroup(t, n.b, "g")
		return g.State == "Stable" && len(g.Members) == 2 && partitionsOf(g, 0) == 2 && partitionsOf(g, 1) == 2
	})
	epoch := consumerGroup(t, n.b, "g").Epoch
	n.restart()
	if g := consumerGroup(t, n.b, "g"); g.State != "Stable" || g.Epoch != epoch || len(g.Members) != 2 {
		t.Errorf("after a restart: %+v", g)
	}
	n.produce("t", 4, 40, 80)
	for end := time.Now().Add(20 * time.Second); len(seen) < 80 && time.Now().Before(end); {
		poll(a)
		poll(b)
	}
	a.CloseAllowingRebalance()
	awaitTrue(t, 30*time.Second, "one has all", func() bool {
		poll(b)
		g := consumerGroup(t, n.b, "g")
		return g.State == "Stable" && len(g.Members) == 1 && partitionsOf(g, 0) == 4
	})
	for i := range 80 {
		if seen[fmt.Sprint(i)] != 1 {
			t.Errorf("record %d was read %d times", i, seen[fmt.Sprint(i)])
		}
	}
}

func partitionsOf(g *kmsg.ConsumerGroupDescribeResponseGroup, member int) (n int) {
	for _, tp := range g.Members[member].Assignment.TopicPartitions {
		n += len(tp.Partitions)
	}
	return n
}
