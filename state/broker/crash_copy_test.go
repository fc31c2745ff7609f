package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// copySession is a member of the copying group. Its transactions time out soon: what a member leaves open keeps the offsets of the
// next one unstable, and so keeps it from its first Begin.
func (r *crashRun) copySession() *kgo.GroupTransactSession {
	s, err := kgo.NewGroupTransactSession(append(r.options(), kgo.TransactionalID("copier"), kgo.ConsumerGroup("copiers"), kgo.ConsumeTopics("plain"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.HeartbeatInterval(50*time.Millisecond),
		kgo.SessionTimeout(6*time.Second), kgo.TransactionTimeout(3*time.Second))...)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// copyRecords copies records as they come; after an error that leaves a transaction open, a new member goes on.
func (r *crashRun) copyRecords(ctx context.Context) {
	s := r.copySession()
	defer func() { s.Close() }()
	for ctx.Err() == nil {
		if _, err := r.copyOnce(ctx, s); err != nil && ctx.Err() == nil {
			r.t.Logf("copying: %v", err)
			s.Close()
			s = r.copySession()
		}
	}
}

// copyOnce copies one fetch in one transaction and returns how many records that were; none when the group moved meanwhile.
func (r *crashRun) copyOnce(ctx context.Context, s *kgo.GroupTransactSession) (int, error) {
	recs := s.PollFetches(ctx).Records()
	if len(recs) == 0 {
		return 0, nil
	}
	if err := s.Begin(); err != nil {
		return 0, err
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out := make([]*kgo.Record, len(recs))
	for i, rec := range recs {
		out[i] = &kgo.Record{Topic: "copy", Partition: rec.Partition, Value: rec.Value}
	}
	err := s.ProduceSync(end, out...).FirstErr()
	done, endErr := s.End(end, kgo.TransactionEndTry(err == nil))
	if endErr != nil {
		return 0, endErr
	}
	if !done {
		return 0, nil
	}
	r.copies++
	return len(recs), nil
}

// copyRest copies what is left, undisturbed, until the group has committed the end of both partitions.
func (r *crashRun) copyRest(adm *kadm.Client) {
	r.disturbed = r.copies
	s := r.copySession()
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for !r.copied(ctx, adm) {
		poll, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		_, err := r.copyOnce(poll, s)
		cancel()
		if err != nil || ctx.Err() != nil {
			r.t.Errorf("copying the rest: %v, %v", err, ctx.Err())
			return
		}
	}
}

// copied tells whether the copying group has committed the ends of "plain".
func (r *crashRun) copied(ctx context.Context, adm *kadm.Client) bool {
	ends, err := adm.ListEndOffsets(ctx, "plain")
	if err != nil || ends.Error() != nil {
		return false
	}
	at, err := adm.FetchOffsets(ctx, "copiers")
	if err != nil {
		return false
	}
	for p := range int32(2) {
		end, _ := ends.Lookup("plain", p)
		if o, ok := at.Lookup("plain", p); !ok || o.At < end.Offset {
			return false
		}
	}
	return true
}

// checkCopy compares the committed part of "copy" with what was sent: the same numbers in the same order, each once.
func (r *crashRun) checkCopy(b *Broker) {
	r.t.Helper()
	cl := client(r.t, b, overTCP, kgo.ConsumeTopics("copy"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	next := [2]int{0, 1}
	for next[0] < r.sent || next[1] < r.sent {
		fs := cl.PollFetches(testContext(r.t))
		if err := fs.Err(); err != nil {
			r.t.Errorf("copied up to %v of %d records: %v", next, r.sent, err)
			return
		}
		fs.EachRecord(func(rec *kgo.Record) {
			if want := fmt.Sprint(next[rec.Partition]); string(rec.Value) != want {
				r.t.Fatalf("copy %d/%d is %s, want %s", rec.Partition, rec.Offset, rec.Value, want)
			}
			next[rec.Partition] += 2
		})
	}
	if r.disturbed == 0 {
		r.t.Error("nothing was copied while the broker was killed")
	}
}
