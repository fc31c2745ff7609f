package metric

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/state/broker"
)

func TestBrokerMetrics(t *testing.T) {
	b, err := broker.Open(broker.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(context.Background())
	if err := b.CreateTopic("orders", 1, nil); err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addr().String()), kgo.DefaultProduceTopic("orders"), kgo.ConsumeTopics("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	old := &kgo.Record{Value: []byte("x"), Timestamp: time.Now().Add(-time.Hour)}
	for range 5 {
		if err := c.ProduceSync(ctx, old).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	c.PollFetches(ctx)
	var offsets kadm.Offsets
	offsets.AddOffset("orders", 0, 2, -1)
	if err := kadm.NewClient(c).CommitAllOffsets(ctx, "billing", offsets); err != nil {
		t.Fatal(err)
	}
	text := scrape(t, Source{Broker: func() *broker.Broker { return b }})
	for _, want := range []string{
		`kafka_server_brokertopicmetrics_messagesin_total{topic="orders"} 5`,
		`kafka_log_log_logendoffset{partition="0",topic="orders"} 5`,
		`kafka_consumergroup_lag{consumergroup="billing",partition="0",topic="orders"} 3`,
		`kafka_consumergroup_lag_seconds{consumergroup="billing",partition="0",topic="orders"} 36`,
		`kafka_network_requestmetrics_requests_total{request="Produce"} 5`,
		`millrace_broker_request_seconds_count{request="Produce"} 5`,
		`kafka_server_socket_server_metrics_connection_count{listener="PLAINTEXT"} `,
		`kafka_controller_kafkacontroller_activecontrollercount 1`,
		`go_goroutines `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, `bytesout_total{topic="orders"} 0`) {
		t.Error("bytes read are not counted")
	}
}

func scrape(t *testing.T, s Source) string {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(s).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body.String())
	}
	return w.Body.String()
}

func TestWithoutBroker(t *testing.T) {
	if text := scrape(t, Source{Broker: func() *broker.Broker { return nil }}); !strings.Contains(text, "go_goroutines") {
		t.Error(text)
	}
}

// TestList compares METRICS.md with the tables.
func TestList(t *testing.T) {
	page, err := os.ReadFile("METRICS.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{requestSecondsName: "Time from a request being read to its answer having left."}
	for _, f := range brokerFamilies {
		want[f.name] = f.help
	}
	for _, f := range lagFamilies {
		want[f.name] = f.help
	}
	for name, help := range want {
		if !strings.Contains(string(page), "| `"+name+"` |") || !strings.Contains(string(page), help) {
			t.Errorf("METRICS.md lacks %s: %s", name, help)
		}
	}
	if n := strings.Count(string(page), "\n| `"); n != len(want) {
		t.Errorf("METRICS.md has %d metrics, the tables %d", n, len(want))
	}
}
