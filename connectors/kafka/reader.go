package kafka

import (
	"context"
	"errors"
	"strconv"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

// maxRejected bounds the rejected records of one Read.
const maxRejected = 256

// reader reads one partition.
type reader struct {
	src     *source
	part    partition
	queue   *queue
	decoder rowDecoder
	headers bool // some column wants the record's headers

	pos      position      // behind the last record delivered or rejected
	current  []*kgo.Record // taken from the queue, not delivered yet
	told     bool          // Idle was returned and no record has come since
	rejected []connectors.Rejected
	meta     format.Meta
}

func newReader(s *source, p partition, pos position, d rowDecoder) *reader {
	r := &reader{src: s, part: p, pos: pos, decoder: d}
	r.meta.Topic, r.meta.Partition = p.topic, p.id
	for _, c := range s.cfg.Columns {
		r.headers = r.headers || c.MetadataKey == format.MetaHeaders
	}
	return r
}

// Read implements connectors.Reader.
func (r *reader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	before := dst.N
	for {
		if r.ended() {
			return connectors.End, nil
		}
		if dst.N >= vector.MaxRows || len(r.rejected) >= maxRejected {
			return connectors.More, nil
		}
		if len(r.current) == 0 {
			r.current = r.queue.take()
		}
		if len(r.current) > 0 {
			r.told = false
			r.decode(dst)
			continue
		}
		end, _, failed, empty := r.queue.state()
		if !empty {
			continue
		}
		some := dst.N > before || len(r.rejected) > 0
		if failed.err != nil && !some {
			if err := r.recover(ctx, failed); err != nil {
				return connectors.More, err
			}
			continue
		}
		if r.pos.next >= end && !r.told {
			r.told = true
			return connectors.Idle, nil
		}
		if some {
			return connectors.More, nil
		}
		select {
		case <-ctx.Done():
			return connectors.More, ctx.Err()
		case <-r.queue.notify:
		}
	}
}

// ended tells whether the bound is reached.
func (r *reader) ended() bool { return r.pos.bound != noBound && r.pos.next >= r.pos.bound }

// decode appends rows of the current records until they or the room in dst are used up.
func (r *reader) decode(dst *vector.Batch) {
	i := 0
	for ; i < len(r.current) && dst.N < vector.MaxRows && len(r.rejected) < maxRejected; i++ {
		rec := r.current[i]
		if rec.Offset < r.pos.next {
			continue // the head of a batch in whose middle reading began
		}
		if r.pos.bound != noBound && rec.Offset >= r.pos.bound {
			r.pos.next = r.pos.bound
			r.current = nil
			return
		}
		if !rec.Attrs.IsControl() {
			r.fillMeta(rec)
			if err := r.decoder.decode(rec, &r.meta, dst); err != nil {
				r.reject(rec, err)
			}
		}
		r.pos.next, r.pos.epoch = rec.Offset+1, rec.LeaderEpoch
	}
	r.current = r.current[i:]
}

func (r *reader) fillMeta(rec *kgo.Record) {
	m := &r.meta
	m.Offset, m.Key = rec.Offset, rec.Key
	m.Timestamp = rec.Timestamp.UnixMilli()
	m.TimestampType = "CreateTime"
	if rec.Attrs.TimestampType() == 1 {
		m.TimestampType = "LogAppendTime"
	}
	if r.headers {
		m.Headers = m.Headers[:0]
		for _, h := range rec.Headers {
			m.Headers = append(m.Headers, format.Header{Key: h.Key, Value: h.Value})
		}
	}
}

func (r *reader) reject(rec *kgo.Record, err *diag.Error) {
	raw := append([]byte(nil), rec.Value...) // the value is part of a whole fetch, which the copy lets go
	r.rejected = append(r.rejected, connectors.Rejected{Raw: raw, Position: r.part.String() + "@" + strconv.FormatInt(rec.Offset, 10), Err: err})
}

// recover decides what becomes of a partition that cannot be fetched any further.
func (r *reader) recover(ctx context.Context, f fetchError) error {
	switch {
	case f.lost:
		first, end, err := r.src.extent(ctx, r.part)
		if err != nil {
			return err
		}
		to := min(max(r.pos.next, first), end)
		if f.resume >= first && f.resume < to {
			to = f.resume // where the log that was read and the log that is there part
		}
		if to != r.pos.next {
			if err := r.src.lossAround(r.part, r.pos.next, to); err != nil {
				return err
			}
		}
		r.pos.next, r.pos.epoch = to, -1
		r.queue.dispatch.restart(r.queue, r.pos)
		return nil
	case errors.Is(f.err, kerr.UnknownTopicOrPartition), errors.Is(f.err, kerr.UnknownTopicID):
		return diag.New(diag.UnknownTopic, -1, "%s does not exist any more", r.part).Wrap(f.err).
			WithHint("the topic was deleted while '%s' was being read", r.src.cfg.Relation)
	}
	return r.src.unavailable(f.err)
}

// lossAround is loss for a log that may also have become shorter than what was read.
func (s *source) lossAround(p partition, from, to int64) error {
	if to >= from {
		return s.loss(p, from, to)
	}
	if s.opts.skipLoss {
		s.health.log.Warn("kafka: the log has lost records that were read already", "relation", s.cfg.Relation, "partition", p.String(),
			"from", to, "to", from-1)
		return nil
	}
	return diag.New(diag.SourceUnavailable, -1, "%s was read to offset %d, but its log now ends at %d: the broker has lost records or the topic was made anew",
		p, from, to).WithHint("to go on at offset %d, set on_data_loss = 'continue'", to)
}

// Rejected implements connectors.Reader.
func (r *reader) Rejected() []connectors.Rejected {
	out := r.rejected
	r.rejected = nil
	return out
}

// Position implements connectors.Reader.
func (r *reader) Position() connectors.Position { return r.pos.encode() }

// Lag implements connectors.Reader: records up to the high watermark that the broker told last, markers of transactions included.
func (r *reader) Lag() int64 {
	_, high, _, _ := r.queue.state()
	return max(0, high-r.pos.next)
}

// Close implements connectors.Reader.
func (r *reader) Close() error {
	r.queue.dispatch.release(r.queue)
	r.current = nil
	return nil
}
