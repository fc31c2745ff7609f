package broker

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/log"
)

// sessionFetch is a Fetch request of version v in a session.
func sessionFetch(v int16, id, epoch int32, topic *topic, parts ...int32) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.MinBytes, req.SessionID, req.SessionEpoch = v, 1<<20, 1, id, epoch
	if len(parts) > 0 {
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.TopicID = topic.name, topic.id
		for _, i := range parts {
			rp := kmsg.NewFetchRequestTopicPartition()
			rp.Partition, rp.PartitionMaxBytes = i, 1<<20
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	return req
}

// fetchedPartitions lists the partitions of an answer in order.
func fetchedPartitions(r *kmsg.FetchResponse) (out []int32) {
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			out = append(out, p.Partition)
		}
	}
	return out
}

func appendAsync(t *testing.T, p *partition, o log.BatchOptions) {
	t.Helper()
	batch := log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: []byte("v")}}, o)
	if _, err := p.log.Append(batch, log.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestFetchSession(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 3, map[string]string{"flush.policy": "async"}); err != nil {
		t.Fatal(err)
	}
	top, parts := b.findTopic("t", topicID{})
	for _, v := range []int16{7, 11, 12, 13, 18} {
		c := dialRaw(t, b)
		fetch := func(id, epoch int32, want []int32, wantCode int16, change func(r *kmsg.FetchRequest)) *kmsg.FetchResponse {
			t.Helper()
			req := sessionFetch(v, id, epoch, top)
			if epoch == sessionOpen {
				req = sessionFetch(v, id, epoch, top, 0, 1, 2)
			}
			if change != nil {
				change(req)
			}
			resp := ask[*kmsg.FetchResponse](c, req)
			got := fetchedPartitions(resp)
			if resp.ErrorCode != wantCode || len(got) != len(want) {
				t.Fatalf("version %d, epoch %d: error %d, partitions %v; want %d, %v", v, epoch, resp.ErrorCode, got, wantCode, want)
			}
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("version %d, epoch %d: partitions %v, want %v", v, epoch, got, want)
				}
			}
			return resp
		}
		id := fetch(0, sessionOpen, []int32{0, 1, 2}, 0, nil).SessionID
		if id == 0 {
			t.Fatal("no session")
		}
		atEnd := func(r *kmsg.FetchRequest) { // the client has read all
			*r = *sessionFetch(v, r.SessionID, r.SessionEpoch, top, 0, 1, 2)
			for i := range r.Topics[0].Partitions {
				r.Topics[0].Partitions[i].FetchOffset = parts[i].log.EndOffset()
			}
		}
		fetch(id, 1, nil, 0, atEnd)
		appendAsync(t, parts[1], log.BatchOptions{})
		if r := fetch(id, 2, []int32{1}, 0, nil); len(r.Topics[0].Partitions[0].RecordBatches) == 0 || r.SessionID != id {
			t.Fatalf("version %d: no records, or another session: %+v", v, r)
		}
		fetch(id, 2, nil, 71, nil)
		fetch(id, 3, []int32{1}, 0, func(r *kmsg.FetchRequest) { // 0 is forgotten, so its new record is not told
			appendAsync(t, parts[0], log.BatchOptions{})
			r.ForgottenTopics = []kmsg.FetchRequestForgottenTopic{{Topic: "t", TopicID: top.id, Partitions: []int32{0}}}
		})
		if v < 13 {
			fetch(id, 4, nil, 106, func(r *kmsg.FetchRequest) { r.Version = 13 })
		}
		if r := fetch(id, sessionEnd, []int32{0, 1, 2}, 0, func(r *kmsg.FetchRequest) { *r = *sessionFetch(v, id, sessionEnd, top, 0, 1, 2) }); r.SessionID != 0 {
			t.Error("a session began by ending one")
		}
		fetch(id, 4, nil, 70, nil)
	}
	if s := b.sessions.Stats(); s.Sessions != 0 {
		t.Errorf("%+v", s)
	}
}

// TestFetchDivergence: a client that read beyond the end of an epoch learns where it must go back to.
func TestFetchDivergence(t *testing.T) {
	b := openBroker(t, t.TempDir())
	if err := b.CreateTopic("t", 1, map[string]string{"flush.policy": "async"}); err != nil {
		t.Fatal(err)
	}
	top, parts := b.findTopic("t", topicID{})
	appendAsync(t, parts[0], log.BatchOptions{})
	c := dialRaw(t, b)
	for _, step := range []struct {
		last     int32
		offset   int64
		diverged bool
	}{{-1, 0, false}, {0, 0, false}, {0, 1, false}, {0, 5, true}, {3, 1, true}} {
		req := sessionFetch(13, 0, sessionEnd, top, 0)
		req.Topics[0].Partitions[0].LastFetchedEpoch, req.Topics[0].Partitions[0].FetchOffset = step.last, step.offset
		p := ask[*kmsg.FetchResponse](c, req).Topics[0].Partitions[0]
		if got := p.DivergingEpoch.EndOffset >= 0; p.ErrorCode != 0 || got != step.diverged || (got && (p.DivergingEpoch.Epoch != 0 || p.DivergingEpoch.EndOffset != 1)) {
			t.Errorf("%+v: error %d, diverging %+v", step, p.ErrorCode, p.DivergingEpoch)
		}
	}
}

func batchOf(value []byte) []byte {
	return log.BuildBatch(nil, []log.Record{{TimestampMs: 1, Value: value}}, log.BatchOptions{})
}

func appendBytes(t *testing.T, p *partition, n int) {
	t.Helper()
	if _, err := p.log.Append(batchOf(make([]byte, n)), log.AppendOptions{}); err != nil {
		t.Fatal(err)
	}
}
