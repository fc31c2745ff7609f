package broker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
	"github.com/millrace/millrace/state/log"
)

// rawConn speaks the protocol byte by byte, to send what no client would.
type rawConn struct {
	t    testing.TB
	net  net.Conn
	r    *bufio.Reader
	next int32
}

func dialRaw(t testing.TB, b *Broker) *rawConn {
	t.Helper()
	c, err := b.Dial(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return newRawConn(t, c)
}

func newRawConn(t testing.TB, c net.Conn) *rawConn {
	return &rawConn{t: t, net: c, r: bufio.NewReader(c)}
}

// send writes a request without waiting for its answer.
func (c *rawConn) send(req kmsg.Request) {
	c.t.Helper()
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("raw"))
	if _, err := c.net.Write(f.AppendRequest(nil, req, c.next)); err != nil {
		c.t.Fatal(err)
	}
	c.next++
}

// receive reads the answer with the given correlation id.
func (c *rawConn) receive(correlation int32, resp kmsg.Response, headerTags bool) error {
	var head [8]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return err
	}
	if got := int32(binary.BigEndian.Uint32(head[4:])); got != correlation {
		return fmt.Errorf("answer to %d arrived, want %d", got, correlation)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:])-4)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return err
	}
	if headerTags {
		body = body[1:]
	}
	return resp.ReadFrom(body)
}

// ask sends and receives.
func ask[R kmsg.Response](c *rawConn, req kmsg.Request) R {
	c.t.Helper()
	c.send(req)
	resp := req.ResponseKind()
	if err := c.receive(c.next-1, resp, resp.IsFlexible() && resp.Key() != keyAPIVersions); err != nil {
		c.t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	return resp.(R)
}

// TestEveryVersion sends every request in every version we advertise, empty and full, over a socket and decodes the answer.
func TestEveryVersion(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := dialAddr(t, b.Addr().String())
	for i := range dispatchTable {
		s := &dispatchTable[i]
		for v := s.min; v <= s.max; v++ {
			empty := kmsg.RequestForKey(s.key)
			if s.max > empty.MaxVersion() {
				t.Fatalf("%s: version %d is beyond the codec", s.name, s.max)
			}
			empty.SetVersion(v)
			for _, req := range []kmsg.Request{empty, sample(b, s.key, v)} {
				if p, ok := req.(*kmsg.ProduceRequest); ok {
					p.Acks = 1
				}
				ask[kmsg.Response](c, req)
				if s.key == keySASLHandshake || s.key == keySASLAuthenticate { // refused in the clear, which ends the connection
					c = dialAddr(t, b.Addr().String())
				}
			}
		}
	}
}

// TestFetchEncoding compares our hand-written encoding with the codec's decoder in every version.
func TestFetchEncoding(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 2, map[string]string{"flush.policy": "async"}); err != nil {
		t.Fatal(err)
	}
	top, parts := b.findTopic("t", topicID{})
	small := log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("v")}}, log.BatchOptions{})
	large := log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: make([]byte, 300_000)}}, log.BatchOptions{})
	aborted := log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("a")}}, log.BatchOptions{ProducerID: 4, Transactional: true})
	for _, batch := range [][]byte{small, aborted} {
		if _, err := parts[0].log.Append(batch, log.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := parts[0].log.AppendMarker(log.Marker{ProducerID: 4}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := parts[1].log.Append(large, log.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, b)
	for v := int16(4); v <= 18; v++ {
		for _, iso := range []int8{0, 1} {
			req := kmsg.NewPtrFetchRequest()
			req.Version, req.MaxBytes, req.IsolationLevel, req.MinBytes = v, 1<<20, iso, 1
			rt := kmsg.NewFetchRequestTopic()
			rt.Topic, rt.TopicID = "t", top.id
			for i := range int32(3) { // the third does not exist
				rp := kmsg.NewFetchRequestTopicPartition()
				rp.Partition, rp.PartitionMaxBytes, rp.CurrentLeaderEpoch = i, 1<<20, -1
				rt.Partitions = append(rt.Partitions, rp)
			}
			req.Topics = append(req.Topics, rt)
			resp := ask[*kmsg.FetchResponse](c, req)
			got := resp.Topics[0]
			if (v < 13 && got.Topic != "t") || (v >= 13 && got.TopicID != top.id) || len(got.Partitions) != 3 {
				t.Fatalf("version %d: topic %+v", v, got)
			}
			p0, p1, p2 := got.Partitions[0], got.Partitions[1], got.Partitions[2]
			if p0.ErrorCode != 0 || p0.HighWatermark != 3 || p0.LastStableOffset != 3 || p2.ErrorCode != errUnknownTopicOrPartition {
				t.Fatalf("version %d: %+v %+v", v, p0, p2)
			}
			if len(p0.RecordBatches) < len(small)+len(aborted) || len(p1.RecordBatches) != len(large) || string(p1.RecordBatches) != string(large) {
				t.Fatalf("version %d: %d and %d bytes", v, len(p0.RecordBatches), len(p1.RecordBatches))
			}
			if iso == 1 && (len(p0.AbortedTransactions) != 1 || p0.AbortedTransactions[0].ProducerID != 4 || p0.AbortedTransactions[0].FirstOffset != 1) {
				t.Fatalf("version %d: aborted %+v", v, p0.AbortedTransactions)
			}
			if iso == 0 && p0.AbortedTransactions != nil {
				t.Fatalf("version %d: aborted list is not null", v)
			}
		}
	}
}

func TestFetchAtLeastOneBatch(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 2, map[string]string{"flush.policy": "async"}); err != nil {
		t.Fatal(err)
	}
	_, parts := b.findTopic("t", topicID{})
	batch := log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: make([]byte, 5000)}}, log.BatchOptions{})
	for _, p := range parts {
		if _, err := p.log.Append(batch, log.AppendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.MinBytes = 12, 100, 1
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = "t"
	for i := range int32(2) {
		rp := kmsg.NewFetchRequestTopicPartition()
		rp.Partition, rp.PartitionMaxBytes = i, 100
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	resp := ask[*kmsg.FetchResponse](dialRaw(t, b), req)
	if a, z := resp.Topics[0].Partitions[0].RecordBatches, resp.Topics[0].Partitions[1].RecordBatches; len(a) != len(batch) || len(z) != 0 {
		t.Fatalf("got %d and %d bytes, want one whole batch of %d", len(a), len(z), len(batch))
	}
}

func TestUnknownAPIVersionsVersion(t *testing.T) {
	b := openBroker(t, t.TempDir())
	c := dialRaw(t, b)
	// Version 99 with a body no version of ours could parse.
	if _, err := c.net.Write([]byte{0, 0, 0, 13, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	resp := kmsg.NewPtrApiVersionsResponse() // version 0
	if err := c.receive(7, resp, false); err != nil {
		t.Fatal(err)
	}
	if resp.ErrorCode != errUnsupportedVersion || len(resp.ApiKeys) != 1 || resp.ApiKeys[0].ApiKey != 18 {
		t.Fatalf("%+v", resp)
	}
	c.next = 8
	v3 := kmsg.NewPtrApiVersionsRequest()
	v3.Version = 3
	if resp := ask[*kmsg.ApiVersionsResponse](c, v3); len(resp.ApiKeys) < 18 {
		t.Fatalf("only %d keys", len(resp.ApiKeys))
	}
}

// TestMalformedRequests: each closes its own connection and nothing else.
func TestMalformedRequests(t *testing.T) {
	b := openBroker(t, t.TempDir())
	bystander := dialRaw(t, b)
	for name, bytes := range map[string][]byte{
		"negative size":   {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 1, 0, 0, 0, 0},
		"tiny size":       {0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 0},
		"huge size":       {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9, 0, 0, 0, 0},
		"large metadata":  {0x02, 0, 0, 0, 0, 3, 0, 9, 0, 0, 0, 0},
		"unknown key":     {0, 0, 0, 10, 0x30, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
		"unknown version": {0, 0, 0, 10, 0, 3, 0, 77, 0, 0, 0, 0, 0xff, 0xff},
		"no client id":    {0, 0, 0, 8, 0, 3, 0, 1, 0, 0, 0, 0},
		"long client id":  {0, 0, 0, 10, 0, 3, 0, 1, 0, 0, 0, 0, 0x70, 0},
		"array of 2^31":   {0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff},
	} {
		c := dialRaw(t, b)
		c.net.Write(bytes)
		if n, err := c.r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: read %d, %v; want the connection closed", name, n, err)
		}
	}
	ask[*kmsg.MetadataResponse](bystander, kmsg.NewPtrMetadataRequest())
}

// TestPipelining: answers come in the order of requests, though the first waits for data and the second does not.
func TestPipelining(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, b)
	fetch := kmsg.NewPtrFetchRequest()
	fetch.Version, fetch.MaxWaitMillis, fetch.MinBytes, fetch.MaxBytes = 4, 200, 1, 1000
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic = "t"
	rt.Partitions = append(rt.Partitions, kmsg.NewFetchRequestTopicPartition())
	fetch.Topics = append(fetch.Topics, rt)
	c.send(fetch)
	c.send(kmsg.NewPtrMetadataRequest())
	if err := c.receive(0, fetch.ResponseKind(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.receive(1, kmsg.NewPtrMetadataRequest().ResponseKind(), false); err != nil {
		t.Fatal(err)
	}
}

// TestProduceTwice sends one idempotent batch twice: a client does so when it lost the answer.
func TestProduceTwice(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	c := dialRaw(t, b)
	id := ask[*kmsg.InitProducerIDResponse](c, &kmsg.InitProducerIDRequest{Version: 4, ProducerID: -1, ProducerEpoch: -1})
	send := func(seq int32) kmsg.ProduceResponseTopicPartition {
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks, req.TimeoutMillis = 9, -1, 5000
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Records = log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("v")}},
			log.BatchOptions{Idempotent: true, ProducerID: id.ProducerID, ProducerEpoch: id.ProducerEpoch, BaseSequence: seq})
		rt := kmsg.NewProduceRequestTopic()
		rt.Topic, rt.Partitions = "t", append(rt.Partitions, rp)
		req.Topics = append(req.Topics, rt)
		return ask[*kmsg.ProduceResponse](c, req).Topics[0].Partitions[0]
	}
	for i, step := range []struct {
		seq    int32
		code   int16
		offset int64
	}{{0, 0, 0}, {1, 0, 1}, {0, 0, 0}, {3, errOutOfOrderSequence, -1}, {2, 0, 2}} {
		if got := send(step.seq); got.ErrorCode != step.code || got.BaseOffset != step.offset {
			t.Errorf("step %d: error %d, offset %d; want %+v", i, got.ErrorCode, got.BaseOffset, step)
		}
	}
	if w, _ := b.Watermarks("t", 0); w.HighWatermark != 3 {
		t.Errorf("watermarks %+v", w)
	}
}

// saslListener is one where a client may say who it is.
var saslListener = listener{opts: Listener{Name: "sasl", Protocol: SASLPlaintext, Mechanisms: []string{auth.Plain, auth.ScramSHA256}}}

// FuzzFrame feeds the bytes behind the correlation id of a request to header and body decoding.
func FuzzFrame(f *testing.F) {
	b, err := Open(Options{DataDir: f.TempDir(), Security: Security{ACLs: true, AllowIfNoACL: true}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { b.Close(context.Background()) })
	for _, s := range dispatchTable {
		for _, v := range []int16{s.min, s.max} {
			req := kmsg.RequestForKey(s.key)
			req.SetVersion(v)
			frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("fuzz")).AppendRequest(nil, req, 1)
			f.Add(s.key, v, frame[12:])
			frame = kmsg.NewRequestFormatter(kmsg.FormatterClientID("fuzz")).AppendRequest(nil, sample(b, s.key, v), 1)
			f.Add(s.key, v, frame[12:])
		}
	}
	f.Add(int16(18), int16(99), []byte{1})
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		s := findRequest(key)
		if s == nil || version < s.min || version > s.max {
			return
		}
		req := kmsg.RequestForKey(key)
		req.SetVersion(version)
		_, rest, err := parseHeader(body, req.IsFlexible())
		if err != nil || req.ReadFrom(rest) != nil {
			return
		}
		switch key { // those that only read, so that the broker stays small
		case 1, 2, 3, 17, 18, 23, 29, 32, 35, 36, 46, 48, 50, 57, 60, 61, 65, 66, 74, 75:
			c := &conn{broker: b, listener: &saslListener, host: "h"}
			c.net, _ = newPipe()
			rep := s.handle(b, &request{conn: c, body: req})
			if rep.resp != nil {
				rep.resp.AppendTo(nil)
			}
		}
	})
}
