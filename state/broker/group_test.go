package broker

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// node is a broker that can be crashed and opened again on its data.
type node struct {
	t   *testing.T
	dir string
	mu  sync.RWMutex // held by the test while brokers change; clients that dial wait
	b   *Broker      // written by the test's goroutine only, under mu
}

func startNode(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir()}
	n.open()
	t.Cleanup(func() { n.b.Close(context.Background()) })
	return n
}

func (n *node) open() {
	n.t.Helper()
	b, err := Open(Options{DataDir: n.dir})
	if err != nil {
		n.t.Fatal(err)
	}
	n.b = b
}

func (n *node) restart() {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := n.b.Close(ctx); err != nil {
		n.t.Fatal(err)
	}
	n.open()
}

func (n *node) topic(name string, partitions int) {
	n.t.Helper()
	if err := n.b.CreateTopic(name, partitions, nil); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.b.Dial(ctx)
}

// client connects to whatever broker the node runs at the moment.
func (n *node) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(InternalAddr),
		kgo.Dialer(n.dial),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(cl.CloseAllowingRebalance)
	return cl
}

// produce writes records "from" to "to"-1 round robin over the partitions.
func (n *node) produce(topic string, partitions, from, to int) {
	n.t.Helper()
	cl := n.client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer cl.Close()
	var recs []*kgo.Record
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: fmt.Append(nil, i)})
	}
	if err := cl.ProduceSync(testContext(n.t), recs...).FirstErr(); err != nil {
		n.t.Fatal(err)
	}
}

// poll reads until want records came, and returns their values.
func poll(ctx context.Context, t *testing.T, cl *kgo.Client, want int) []string {
	t.Helper()
	var got []string
	for len(got) < want {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), want, err)
		}
		fs.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return got
}

func TestGroupConsumesAndRemembersOffsets(t *testing.T) {
	n := startNode(t)
	n.topic("t", 4)
	n.produce("t", 4, 0, 100)
	ctx := testContext(t)
	cl := n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit())
	poll(ctx, t, cl, 100)
	if err := cl.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	cl.Close()

	n.restart()
	n.produce("t", 4, 100, 110)
	cl = n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit())
	for _, v := range poll(ctx, t, cl, 10) {
		if len(v) != 3 {
			t.Fatalf("read %s again, its offset was committed", v)
		}
	}
}

// TestGroupRebalances checks that two members share the partitions, that each record goes to one of them, and that the second takes
// over what the first leaves; with every way to balance that kgo knows.
func TestGroupRebalances(t *testing.T) {
	for _, balancer := range []kgo.GroupBalancer{kgo.RangeBalancer(), kgo.CooperativeStickyBalancer()} {
		t.Run(balancer.ProtocolName(), func(t *testing.T) { testRebalance(t, balancer) })
	}
}

// assignments records how many partitions each client has.
type assignments struct {
	mu      sync.Mutex
	changed chan struct{}
	have    map[string]int
}

func (a *assignments) add(who string, m map[string][]int32, sign int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, ps := range m {
		a.have[who] += sign * len(ps)
	}
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

func (a *assignments) wait(ctx context.Context, t *testing.T, want map[string]int) {
	t.Helper()
	for {
		a.mu.Lock()
		ok := true
		for who, n := range want {
			ok = ok && a.have[who] == n
		}
		have := fmt.Sprint(a.have)
		a.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-a.changed:
		case <-ctx.Done():
			t.Fatalf("assignment %v, want %v", have, want)
		}
	}
}

func testRebalance(t *testing.T, balancer kgo.GroupBalancer) {
	n := startNode(t)
	n.topic("t", 4)
	ctx := testContext(t)
	as := &assignments{changed: make(chan struct{}, 1), have: map[string]int{}}
	member := func(name string) *kgo.Client {
		cl := n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.Balancers(balancer),
			kgo.HeartbeatInterval(50*time.Millisecond),
			kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { as.add(name, m, 1) }),
			kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { as.add(name, m, -1) }),
			kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, m map[string][]int32) { as.add(name, m, -1) }))
		return cl
	}
	ann := member("ann")
	as.wait(ctx, t, map[string]int{"ann": 4})
	bob := member("bob")
	as.wait(ctx, t, map[string]int{"ann": 2, "bob": 2})
	n.produce("t", 4, 0, 40)
	a, b := poll(ctx, t, ann, 20), poll(ctx, t, bob, 20)
	seen := map[string]bool{}
	for _, v := range append(a, b...) {
		seen[v] = true
	}
	if len(seen) != 40 {
		t.Fatalf("%d different records, want 40", len(seen))
	}
	ann.Close()
	as.wait(ctx, t, map[string]int{"bob": 4})
}

// TestGroupAdmin checks what the tools show of a group, and that it goes when told to.
func TestGroupAdmin(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	n.produce("t", 1, 0, 5)
	ctx := testContext(t)
	cl := n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(), kgo.ClientID("me"))
	poll(ctx, t, cl, 5)
	if err := cl.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	adm := kadm.NewClient(n.client())
	groups, err := adm.DescribeGroups(ctx, "g", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	if g := groups["g"]; g.State != "Stable" || len(g.Members) != 1 || g.Members[0].ClientID != "me" {
		t.Fatalf("described %+v", g)
	}
	if g := groups["nobody"]; g.State != "Dead" {
		t.Fatalf("described %+v", g)
	}
	if resp, err := adm.DeleteGroup(ctx, "g"); err == nil && resp.Err != kerr.NonEmptyGroup {
		t.Fatalf("deleting a group in use: %v", resp.Err)
	}
	cl.Close()
	offsets, err := adm.FetchOffsets(ctx, "g")
	if err != nil || offsets["t"][0].At != 5 {
		t.Fatalf("offsets %v, %v", offsets, err)
	}
	if resp, err := adm.DeleteGroup(ctx, "g"); err != nil || resp.Err != nil {
		t.Fatalf("deleting: %v %v", resp, err)
	}
	if list, err := adm.ListGroups(ctx); err != nil || len(list) != 0 {
		t.Fatalf("groups left: %v %v", list, err)
	}
}

// TestGroupSurvivesRestart checks that a restart does not cost a member its place, and hence no rebalance.
func TestGroupSurvivesRestart(t *testing.T) {
	n := startNode(t)
	n.topic("t", 1)
	n.produce("t", 1, 0, 5)
	ctx := testContext(t)
	cl := n.client(kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(20*time.Millisecond))
	poll(ctx, t, cl, 5)
	id, generation := cl.GroupMetadata()
	n.restart()
	n.produce("t", 1, 5, 10)
	poll(ctx, t, cl, 5)
	if err := cl.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	if id2, generation2 := cl.GroupMetadata(); id2 != id || generation2 != generation {
		t.Fatalf("was %s in generation %d, now %s in %d", id, generation, id2, generation2)
	}
}
