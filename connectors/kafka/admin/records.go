package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace/millrace/connectors/kafka/partitioner"
)

// quietAtEnd ends a bounded read after this long without records: behind the last record a client sees may lie markers and aborted
// records, whose offsets it is never told.
const quietAtEnd = time.Second

// Header is an annotation of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record. A nil Key or Value is a null.
type Record struct {
	Topic      string
	Partition  int32 // of a record to produce: -1 lets the key decide
	Offset     int64
	Time       time.Time
	Key, Value []byte
	Headers    []Header
}

// ConsumeOptions bound a read.
type ConsumeOptions struct {
	Topics      []string
	Partition   int32 // -1: all
	From        Position
	Limit       int64 // records; 0: no limit
	UntilEnd    bool  // stop at what is there when the read begins
	Uncommitted bool  // also records of transactions not committed
}

// Consume calls fn for every record until a bound is met, ctx ends or fn fails. It returns how many records there were.
func (c *Client) Consume(ctx context.Context, o ConsumeOptions, fn func(r *Record) error) (int64, error) {
	from, left := map[string]map[int32]kgo.Offset{}, map[partition]int64{}
	for _, t := range o.Topics {
		offsets, ws, err := c.resolve(ctx, t, o.Partition, o.From)
		if err != nil {
			return 0, err
		}
		from[t] = map[int32]kgo.Offset{}
		for p, at := range offsets {
			from[t][p] = kgo.NewOffset().At(at)
			if at < ws[p].end {
				left[partition{t, p}] = ws[p].end
			}
		}
	}
	if o.UntilEnd && len(left) == 0 {
		return 0, nil
	}
	isolation := kgo.ReadCommitted()
	if o.Uncommitted {
		isolation = kgo.ReadUncommitted()
	}
	cl, err := c.newClient(kgo.ConsumePartitions(from), kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords(), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return 0, err
	}
	defer cl.Close()
	r := reading{o: o, left: left, fn: fn}
	err = r.run(ctx, cl)
	return r.count, err
}

type partition struct {
	topic string
	id    int32
}

// reading is one Consume in progress.
type reading struct {
	o     ConsumeOptions
	left  map[partition]int64 // partitions not read to their end, with it
	fn    func(r *Record) error
	count int64
}

var errEnough = errors.New("limit reached")

func (r *reading) run(ctx context.Context, cl *kgo.Client) error {
	quiet := time.Now()
	for !r.o.UntilEnd || len(r.left) > 0 {
		pollCtx, cancel := context.WithTimeout(ctx, quietAtEnd)
		fs := cl.PollFetches(pollCtx)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, e := range fs.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) {
				return explain(fmt.Sprintf("reading %s[%d]", e.Topic, e.Partition), e.Err, "")
			}
		}
		if fs.NumRecords() > 0 {
			quiet = time.Now()
		} else if r.o.UntilEnd && time.Since(quiet) >= quietAtEnd {
			return nil
		}
		for it := fs.RecordIter(); !it.Done(); {
			if err := r.take(it.Next()); err != nil {
				if errors.Is(err, errEnough) {
					return nil
				}
				return err
			}
		}
	}
	return nil
}

// take hands one record over, unless it is a marker or behind the end.
func (r *reading) take(k *kgo.Record) error {
	p := partition{k.Topic, k.Partition}
	end, open := r.left[p]
	if r.o.UntilEnd && (!open || k.Offset >= end) {
		delete(r.left, p)
		return nil
	}
	if open && k.Offset+1 >= end {
		delete(r.left, p)
	}
	if k.Attrs.IsControl() {
		return nil
	}
	r.count++
	if err := r.fn(fromClient(k)); err != nil {
		return err
	}
	if r.o.Limit > 0 && r.count >= r.o.Limit {
		return errEnough
	}
	return nil
}

func fromClient(k *kgo.Record) *Record {
	r := &Record{Topic: k.Topic, Partition: k.Partition, Offset: k.Offset, Time: k.Timestamp.UTC(), Key: k.Key, Value: k.Value}
	for _, h := range k.Headers {
		r.Headers = append(r.Headers, Header{h.Key, h.Value})
	}
	return r
}

// ProduceOptions configure a producer.
type ProduceOptions struct {
	Topic string
	Codec string          // none, gzip, snappy, lz4, zstd; empty: none
	Done  func(r *Record) // called for each record that is acknowledged, in the order of its partition
}

// Producer writes records to one topic, acknowledged by all replicas and idempotent.
type Producer struct {
	cl   *kgo.Client
	o    ProduceOptions
	mu   sync.Mutex
	err  error // guarded by mu; the first
	sent int64 // guarded by mu
}

// codecs by name.
var codecs = map[string]kgo.CompressionCodec{
	"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// NewProducer opens a producer for a topic that exists.
func (c *Client) NewProducer(ctx context.Context, o ProduceOptions) (*Producer, error) {
	codec, ok := codecs[o.Codec]
	if !ok {
		return nil, fmt.Errorf("%w: unknown codec '%s': none, gzip, snappy, lz4 or zstd", ErrUsage, o.Codec)
	}
	if _, err := c.windows(ctx, o.Topic, -1); err != nil {
		return nil, err
	}
	cl, err := c.newClient(kgo.DefaultProduceTopic(o.Topic), kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(partitioner.Pinned(kgo.StickyKeyPartitioner(nil))),
		kgo.RecordDeliveryTimeout(requestTimeout))
	if err != nil {
		return nil, err
	}
	return &Producer{cl: cl, o: o}, nil
}

// Produce hands over a record; it blocks while too many are under way. The error is the first of any record so far.
func (p *Producer) Produce(ctx context.Context, r Record) error {
	k := &kgo.Record{Key: r.Key, Value: r.Value, Partition: r.Partition, Timestamp: r.Time}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	p.cl.Produce(ctx, k, p.acknowledged)
	return p.failure()
}

func (p *Producer) acknowledged(k *kgo.Record, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if p.err == nil {
			p.err = explain("producing to "+k.Topic, err, "")
		}
		return
	}
	p.sent++
	if p.o.Done != nil {
		p.o.Done(fromClient(k))
	}
}

func (p *Producer) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Close waits until every record is acknowledged and tells how many were.
func (p *Producer) Close(ctx context.Context) (int64, error) {
	err := p.cl.Flush(ctx)
	p.cl.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		err = p.err
	}
	return p.sent, err
}
