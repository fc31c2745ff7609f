package broker

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// clientScript runs a script of testdata with the broker's address under `KAFKA_CLIENTS language script ...` (.ci/services/clients.sh).
func clientScript(t *testing.T, b *Broker, language, script string, args ...string) string {
	t.Helper()
	runner := os.Getenv("KAFKA_CLIENTS")
	if runner == "" {
		t.Skip("KAFKA_CLIENTS does not name the script that runs other languages' clients")
	}
	return runTool(t, "", runner, append([]string{language, filepath.Join("testdata", script), b.Addr().String()}, args...)...)
}

func TestConfluentKafka(t *testing.T) {
	for _, protocol := range []string{"classic", "consumer"} {
		t.Run(protocol, func(t *testing.T) { confluentKafka(t, protocol) })
	}
}

func confluentKafka(t *testing.T, protocol string) {
	b := interopBroker(t, 1)
	wantText(t, "parts", clientScript(t, b, "python", "confluent.py", protocol), "topics ok\nproduce ok\noffsets ok\ngroups ok\ntransactions ok")
	got := consume(t, client(t, b, overTCP, kgo.ConsumeTopics("out"), kgo.FetchIsolationLevel(kgo.ReadCommitted())), 51)
	if last := got[50]; string(last.Value) != "of the second" {
		t.Errorf("the last committed record is %q", last.Value)
	}
}

func TestKafkaJS(t *testing.T) {
	b := interopBroker(t, 1)
	wantText(t, "parts", clientScript(t, b, "node", "kafkajs.js"), "topics ok\nproduce ok\ngroups ok\ntransactions ok")
	got := consume(t, client(t, b, overTCP, kgo.ConsumeTopics("t")), 200)
	if r := got[150]; string(r.Key) != "k50" || string(r.Value) != "1.50" || len(r.Headers) != 1 {
		t.Errorf("as another client reads it: %+v", r)
	}
}
