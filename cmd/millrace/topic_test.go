package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors/kafka/admin"
)

// tool runs commands against one broker.
type tool struct {
	t       *testing.T
	brokers string
}

func newTool(t *testing.T) tool {
	t.Helper()
	return tool{t, startServer(t, t.TempDir()+"/data").kafka}
}

func (s tool) run(stdin string, args ...string) answer {
	s.t.Helper()
	return command(s.t, "", stdin, append(args, "--brokers", s.brokers)...)
}

// object decodes the first line of output.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if lines := a.lines(); len(lines) == 0 || json.Unmarshal([]byte(lines[0]), &m) != nil {
		t.Fatalf("no JSON in %q", a.out)
	}
	return m
}

func wantLines(t *testing.T, a answer, want ...string) {
	t.Helper()
	if got := a.want(t, exitOK).lines(); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestTopicLife(t *testing.T) {
	s := newTool(t)
	s.run("", "topic", "create", "a", "b", "-p", "2", "-c", "cleanup.policy=compact").want(t, exitOK, "created a", "created b")
	s.run("", "topic", "create", "a").want(t, exitError, "exists")
	s.run("", "topic", "create", "a", "--if-not-exists").want(t, exitOK)
	s.run("", "topic", "create", "c", "-c", "retention.ms").want(t, exitUsage, "NAME=VALUE")
	s.run("", "topic", "create", "c", "-c", "no.such=1").want(t, exitError, "no.such")
	s.run("", "topic", "ls").want(t, exitOK, "a", "b")
	if m := s.run("", "topic", "ls", "--json").want(t, exitOK).object(t); m["name"] != "a" || m["partitions"] != 2.0 {
		t.Errorf("listed %v", m)
	}
	s.run("", "topic", "alter", "a").want(t, exitUsage, "nothing to change")
	s.run("", "topic", "alter", "a", "-s", "retention.ms=5000", "-p", "3").want(t, exitOK, "altered a")
	d := s.run("", "topic", "describe", "a", "--json").want(t, exitOK, `"retention.ms","value":"5000"`).object(t)
	if d["partitions"] != 3.0 || len(d["config"].([]any)) != 2 {
		t.Errorf("described %v", d)
	}
	s.run("", "topic", "alter", "a", "-u", "retention.ms").want(t, exitOK)
	s.run("", "topic", "describe", "a", "--all").want(t, exitOK, "604800000 (default)", "compact")
	s.run("", "topic", "alter", "a", "-p", "1").want(t, exitError)
	s.run("no key\n", "topic", "produce", "b").want(t, exitError, "INVALID_RECORD")
	s.run("", "topic", "delete", "b").want(t, exitOK, "deleted b")
	s.run("", "topic", "describe", "b").want(t, exitError, "MR-4104")
	if h := s.run("", "cluster", "health", "--json").want(t, exitOK).object(t); h["healthy"] != true {
		t.Errorf("health %v", h)
	}
}

func TestProduceConsume(t *testing.T) {
	s := newTool(t)
	s.run("", "topic", "create", "t").want(t, exitOK)
	s.run("k1:v1\nk2:v:2\nplain\n", "topic", "produce", "t", "-K", ":", "-z", "lz4", "-H", "h=1").want(t, exitOK, "3 records acknowledged")
	s.run("k1\t\n", "topic", "produce", "t", "-K", `\t`, "-Z").want(t, exitOK)
	wantLines(t, s.run("", "topic", "consume", "t", "-e", "-f", `%t[%p]@%o %k (%K) => %v (%V) %h%%\n`),
		"t[0]@0 k1 (2) => v1 (2) h=1%", "t[0]@1 k2 (2) => v:2 (3) h=1%", "t[0]@2  (-1) => plain (5) h=1%", "t[0]@3 k1 (2) =>  (-1) %")
	wantLines(t, s.run("", "topic", "consume", "t", "-n", "2"), "v1", "v:2")
	wantLines(t, s.run("", "topic", "consume", "t", "-o", "-2", "-n", "1"), "plain")
	wantLines(t, s.run("", "topic", "consume", "t", "-o", "1", "-e", "-n", "1", "-f", `%o`), "1")
	wantLines(t, s.run("", "topic", "consume", "t", "-o", "end", "-e"))
	wantLines(t, s.run("", "topic", "consume", "t", "-o", "@-1h", "-n", "1"), "v1")
	wantLines(t, s.run("", "topic", "consume", "t", "-o", "@2999-01-01", "-e"))
	m := s.run("", "topic", "consume", "t", "-o", "3", "-n", "1", "--json").want(t, exitOK).object(t)
	if v, there := m["value"]; m["key"] != "k1" || v != nil || !there || m["offset"] != 3.0 {
		t.Errorf("as JSON: %v", m)
	}
	if m := s.run("x\n", "topic", "produce", "t", "--json", "-k", "kk", "-p", "0").want(t, exitOK).object(t); m["offset"] != 4.0 || m["key"] != "kk" {
		t.Errorf("acknowledged: %v", m)
	}
	s.run("", "topic", "consume", "t", "-n", "9", "--timeout", "500ms").want(t, exitTimeout, "5 of 9")
	s.run("", "topic", "consume", "t", "-p", "7", "-e").want(t, exitUsage, "no partition 7")
	s.run("", "topic", "consume", "t", "-o", "somewhere").want(t, exitUsage, "no position")
	s.run("", "topic", "consume", "t", "-f", "%q").want(t, exitUsage, "unknown token")
	s.run("", "topic", "consume", "none").want(t, exitError, "MR-4104")
	s.run("x\n", "topic", "produce", "none").want(t, exitError, "MR-4104")
	s.run("", "topic", "trim", "t", "-o", "-1").want(t, exitOK, "4")
	wantLines(t, s.run("", "topic", "consume", "t", "-e"), "x")
	s.run("", "topic", "trim", "t").want(t, exitUsage, "offset")
	command(t, "", "", "topic", "ls", "--brokers", freePort(t)).want(t, exitConnect, "MR-5002")
}

func TestConsumeFollowsAndEndsAtMarkers(t *testing.T) {
	s := newTool(t)
	s.run("", "topic", "create", "t").want(t, exitOK)
	p := begin(t, "", "", "topic", "consume", "t", "--brokers", s.brokers)
	s.run("one\n", "topic", "produce", "t").want(t, exitOK)
	eventually(t, "the record", contains(p.stdout, "one\n"))
	ctx := context.Background()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.brokers), kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := cl.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint("txn", i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := cl.EndTransaction(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	wantLines(t, s.run("", "topic", "consume", "t", "-e"), "one", "txn0")
	wantLines(t, s.run("", "topic", "consume", "t", "-e", "--read-uncommitted"), "one", "txn0", "txn1")
	eventually(t, "the committed record", contains(p.stdout, "txn0\n"))
	if strings.Contains(p.stdout(), "txn1") {
		t.Error("an aborted record was printed")
	}
}

func TestGroups(t *testing.T) {
	s := newTool(t)
	s.run("", "topic", "create", "t", "-p", "2").want(t, exitOK)
	s.run("a\nb\nc\n", "topic", "produce", "t", "-p", "1").want(t, exitOK)
	s.run("", "group", "describe", "g").want(t, exitError, "g")
	wantLines(t, s.run("", "group", "seek", "g", "-t", "t", "--to", "1", "--json", "-p", "1"), `{"topic":"t","partition":1,"from":-1,"to":1}`)
	s.run("", "group", "ls").want(t, exitOK, "g", "Empty")
	d := s.run("", "group", "describe", "g", "--json").want(t, exitOK).object(t)
	p := d["partitions"].([]any)
	last := p[len(p)-1].(map[string]any)
	if age, ok := last["lag_seconds"].(float64); d["lag"].(float64) < 2 || last["lag"] != 2.0 || !ok || age < 0 || age > 600 {
		t.Errorf("described %v", d)
	}
	s.run("", "group", "describe", "g").want(t, exitOK, "LAG", "SECONDS")

	cl, err := kgo.NewClient(kgo.SeedBrokers(s.brokers), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.ClientID("reader"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	var got []string
	for len(got) < 2 && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if fmt.Sprint(got) != "[b c]" {
		t.Errorf("read from the offset that seek set: %v", got)
	}
	s.run("", "group", "describe", "g").want(t, exitOK, "Stable", "reader")
	s.run("", "group", "seek", "g", "-t", "t", "--to", "start").want(t, exitError, "1 members")
	s.run("", "group", "delete", "g").want(t, exitError)
	cl.Close()
	s.run("", "group", "seek", "g", "-t", "t", "--to", "end").want(t, exitOK)
	if d := s.run("", "group", "describe", "g", "--json").want(t, exitOK).object(t); d["lag"] != 0.0 {
		t.Errorf("after seeking to the end: %v", d)
	}
	s.run("", "group", "delete", "g").want(t, exitOK, "deleted g")
	s.run("", "group", "describe", "g").want(t, exitError)
}

func TestRecordFormat(t *testing.T) {
	r := &admin.Record{Topic: "t", Partition: 3, Offset: 7, Time: time.UnixMilli(1500).UTC(), Key: []byte("k"),
		Headers: []admin.Header{{Key: "a", Value: []byte("1")}, {Key: "b"}}}
	for format, want := range map[string]string{
		`%t[%p]@%o %T %k => %v\n`: "t[3]@7 1500 k => \n", `%d %K %S %h`: "1970-01-01T00:00:01.5Z 1 -1 a=1,b=", `100%%\t\\`: "100%\t\\", ``: "",
	} {
		pieces, err := parseRecordFormat(format)
		if got := string(appendRecord(nil, pieces, r)); err != nil || got != want {
			t.Errorf("%q gives %q, %v; want %q", format, got, err, want)
		}
	}
	for _, bad := range []string{"%", "%x", `\q`} {
		if _, err := parseRecordFormat(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
