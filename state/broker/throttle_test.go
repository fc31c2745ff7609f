package broker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/quota"
)

// limitFor sets a limit durably.
func limitFor(t testing.TB, b *Broker, e quota.Entity, k quota.Kind, v float64) {
	t.Helper()
	if err := b.quotas.change(b.ctx, e, false, func(l *quota.Limits) error { l[k] = v; return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestProduceQuota: a client over its rate is told to wait, and its next request stays unread until then.
func TestProduceQuota(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	limitFor(t, b, quota.Entity{Client: quota.Named("raw")}, quota.Produce, 1000)
	c := dialAddr(t, b.Addr().String())
	produceBytes := func(n int) int32 {
		req := sample(b, keyProduce, 9).(*kmsg.ProduceRequest)
		req.TransactionID = nil
		req.Topics[0].Partitions[0].Records = rawBatch(n)
		resp := ask[*kmsg.ProduceResponse](c, req)
		if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
			t.Fatal("error", code)
		}
		return resp.ThrottleMillis
	}
	if ms := produceBytes(5000); ms != 0 {
		t.Errorf("held back %d ms within the limit", ms)
	}
	begin := time.Now()
	ms := produceBytes(5300)
	if ms < 100 || ms > 1000 {
		t.Errorf("held back %d ms, want some 400", ms)
	}
	if time.Since(begin) > time.Duration(ms)*time.Millisecond {
		t.Error("the answer itself was held back")
	}
	ask[*kmsg.MetadataResponse](c, kmsg.NewPtrMetadataRequest())
	if d := time.Since(begin); d < time.Duration(ms)*time.Millisecond*9/10 {
		t.Errorf("the next request was served after %v, want %d ms", d, ms)
	}
	if b.Metrics().Throttled == 0 {
		t.Error("not counted")
	}
	quick := dialRaw(t, b) // the process itself
	ask[*kmsg.MetadataResponse](quick, kmsg.NewPtrMetadataRequest())
}

func rawBatch(n int) []byte { return batchOf(make([]byte, n)) }

// TestFetchQuota: the rate of a consumer stays near its limit.
func TestFetchQuota(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	_, parts := b.findTopic("t", topicID{})
	for range 120 {
		appendBytes(t, parts[0], 10_000)
	}
	limitFor(t, b, quota.Entity{Client: quota.Others()}, quota.Fetch, 100_000) // and 1 MB at once
	c := client(t, b, overTCP, kgo.ConsumeTopics("t"), kgo.FetchMaxPartitionBytes(50_000))
	begin := time.Now()
	consume(t, c, 115)
	if d := time.Since(begin); d < 400*time.Millisecond {
		t.Errorf("1.15 MB at 100 KB/s after 1 MB took %v", d)
	}
}

// TestQuotaAnswers: limits that make no sense are refused, filters choose.
func TestQuotaAnswers(t *testing.T) {
	b := openBroker(t, t.TempDir())
	alter := func(entity map[string]*string, key string, value float64, remove bool) int16 {
		e := kmsg.AlterClientQuotasRequestEntry{Ops: []kmsg.AlterClientQuotasRequestEntryOp{{Key: key, Value: value, Remove: remove}}}
		for kind, name := range entity {
			e.Entity = append(e.Entity, kmsg.AlterClientQuotasRequestEntryEntity{Type: kind, Name: name})
		}
		req := &kmsg.AlterClientQuotasRequest{Version: 1, Entries: []kmsg.AlterClientQuotasRequestEntry{e}}
		return answerOf(t, b, &memoryListener, "", req).(*kmsg.AlterClientQuotasResponse).Entries[0].ErrorCode
	}
	ann, cli := kmsg.StringPtr("ann"), kmsg.StringPtr("cli")
	for i, c := range []struct {
		entity map[string]*string
		key    string
		value  float64
		code   int16
	}{
		{map[string]*string{"user": ann}, "producer_byte_rate", 1000, 0},
		{map[string]*string{"user": ann, "client-id": cli}, "consumer_byte_rate", 2000, 0},
		{map[string]*string{"user": nil}, "request_percentage", 50, 0},
		{map[string]*string{"ip": kmsg.StringPtr("10.0.0.1")}, "connection_creation_rate", 5, 0},
		{map[string]*string{"user": ann}, "connection_creation_rate", 5, errInvalidRequest},
		{map[string]*string{"user": ann}, "producer_byte_rate", -1, errInvalidRequest},
		{map[string]*string{"user": ann}, "nonsense", 1, errInvalidRequest},
		{map[string]*string{"group": ann}, "producer_byte_rate", 1, errInvalidRequest},
		{map[string]*string{}, "producer_byte_rate", 1, errInvalidRequest},
	} {
		if code := alter(c.entity, c.key, c.value, false); code != c.code {
			t.Errorf("case %d: error %d, want %d", i, code, c.code)
		}
	}
	find := func(strict bool, comps ...kmsg.DescribeClientQuotasRequestComponent) int {
		req := &kmsg.DescribeClientQuotasRequest{Version: 1, Strict: strict, Components: comps}
		return len(answerOf(t, b, &memoryListener, "", req).(*kmsg.DescribeClientQuotasResponse).Entries)
	}
	exact := func(kind string, name *string) kmsg.DescribeClientQuotasRequestComponent {
		return kmsg.DescribeClientQuotasRequestComponent{EntityType: kind, Match: name}
	}
	for i, c := range []struct{ got, want int }{
		{find(false), 4},
		{find(false, exact("user", ann)), 2},
		{find(true, exact("user", ann)), 1},
		{find(true, exact("user", ann), exact("client-id", cli)), 1},
		{find(false, kmsg.DescribeClientQuotasRequestComponent{EntityType: "user", MatchType: kmsg.QuotasMatchTypeDefault}), 1},
		{find(false, kmsg.DescribeClientQuotasRequestComponent{EntityType: "user", MatchType: kmsg.QuotasMatchTypeAny}), 3},
	} {
		if c.got != c.want {
			t.Errorf("filter %d: %d entities, want %d", i, c.got, c.want)
		}
	}
	if alter(map[string]*string{"user": ann}, "producer_byte_rate", 0, true) != 0 || find(true, exact("user", ann)) != 0 {
		t.Error("a removed limit is still there")
	}
}

// TestMutationQuota: new clients are refused while they are over the rate of changes, old ones held back.
func TestMutationQuota(t *testing.T) {
	b := openBroker(t, t.TempDir())
	limitFor(t, b, quota.Entity{User: quota.Others()}, quota.Mutation, 1)
	create := func(v int16, name string, parts int32) (int16, int32) {
		req := sample(b, 19, v).(*kmsg.CreateTopicsRequest)
		req.ValidateOnly, req.Topics[0].Topic, req.Topics[0].NumPartitions = false, name, parts
		resp := ask[*kmsg.CreateTopicsResponse](dialAddr(t, b.Addr().String()), req)
		return resp.Topics[0].ErrorCode, resp.ThrottleMillis
	}
	for i, step := range []struct {
		version int16
		parts   int32
		code    int16
		waits   bool
	}{{7, 12, 0, true}, {7, 1, errThrottlingQuota, true}, {5, 1, 0, true}} {
		if code, ms := create(step.version, fmt.Sprint("m", i), step.parts); code != step.code || (ms > 0) != step.waits {
			t.Errorf("step %d: error %d, held back %d ms", i, code, ms)
		}
	}
}

// TestConnectionLimits: each refusal has its line in the log, and a place comes free again.
func TestConnectionLimits(t *testing.T) {
	logged := &logText{}
	b, err := Open(Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", MaxConnsPerIP: 2, Logger: slog.New(slog.NewTextHandler(logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	served := func() bool {
		c := dialAddr(t, b.Addr().String())
		c.send(kmsg.NewPtrApiVersionsRequest())
		return c.receive(0, kmsg.NewPtrApiVersionsRequest().ResponseKind(), false) == nil
	}
	first, second, third := served(), served(), served()
	if !first || !second || third {
		t.Error("the limit per address is not kept")
	}
	if !strings.Contains(logged.String(), "limit MaxConnsPerIP is 2") {
		t.Errorf("the log:\n%s", logged)
	}
	limitFor(t, b, quota.Entity{IP: quota.Named("127.0.0.1")}, quota.Connect, 0.01)
	b.connMu.Lock()
	clear(b.connsFrom)
	b.connMu.Unlock()
	if served() {
		t.Error("the rate of new connections is not kept")
	}
	if !strings.Contains(logged.String(), "too many new connections") {
		t.Errorf("the log:\n%s", logged)
	}
}
