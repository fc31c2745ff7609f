package log

import "time"

// FlushPolicy says what the high watermark waits for.
type FlushPolicy int8

const (
	// FlushAck: the high watermark advances after fdatasync, so nothing visible can be lost. The default.
	FlushAck FlushPolicy = iota
	// FlushAsync: the high watermark advances at once; the data survive the death of the process, not of the machine.
	FlushAsync
)

// String names the policy as the topic configuration does.
func (p FlushPolicy) String() string {
	if p == FlushAsync {
		return "async"
	}
	return "ack"
}

// Limits and defaults.
const (
	defaultSegmentBytes  = 256 << 20
	maxSegmentBytes      = 2 << 30 // positions in the index are 32 bits wide
	indexIntervalBytes   = 4 << 10 // one index entry per this many bytes
	defaultMaxBatchBytes = 1 << 30
	// MaxProducers bounds the producers one partition remembers; the least recently used goes first.
	MaxProducers = 100_000
	// keptSnapshots is how many checkpoints stay on disk; the older one serves when the newest is damaged.
	keptSnapshots = 2
)

// Options configure one log. The zero value works: durable acknowledgements, no retention, its own committer.
type Options struct {
	// SegmentBytes closes a segment before it would grow beyond this. Default 256 MiB, at most 2 GiB.
	// A single larger batch gets a segment of its own.
	SegmentBytes int64
	// SegmentAge closes a segment whose first append is older, so that retention can drop it. 0: never.
	SegmentAge time.Duration
	// RetentionAge drops closed segments whose newest record is older, and which were begun longer ago than that. 0: keep for ever.
	RetentionAge time.Duration
	// RetentionBytes drops the oldest closed segments while the rest is still at least this large. 0: no limit.
	RetentionBytes int64
	// MaxBatchBytes refuses larger batches with ErrBatchTooLarge. Default 1 GiB.
	MaxBatchBytes int64
	// ProducerExpiry forgets the sequence state of producers idle for longer. Default 24 hours.
	ProducerExpiry time.Duration
	// Flush is the durability policy. Default FlushAck.
	Flush FlushPolicy
	// FlushInterval bounds how long an append stays unsynced under FlushAsync. 0: until the operating system writes it.
	FlushInterval time.Duration
	// FlushRecords bounds how many records stay unsynced under FlushAsync. 0: no bound.
	FlushRecords int64
	// LogAppendTime stamps batches with this node's clock in place of the sender's.
	LogAppendTime bool
	// Compact lets Compact rewrite closed segments so that of each key only the newest record stays.
	Compact bool
	// MinCompactionLag keeps segments from compaction while their newest record, or their first append, is younger.
	MinCompactionLag time.Duration
	// MaxCompactionLag is the age from which on a segment is closed and compacted, however little is dirty. 0: no such age.
	MaxCompactionLag time.Duration
	// DeleteRetention is how long a tombstone stays after it was compacted the first time. 0: until the next pass.
	DeleteRetention time.Duration
	// MinDirtyRatio is the part of the closed bytes that must be new before a pass is worth its work. 0: any.
	MinDirtyRatio float64
	// CompactionKeys bounds the keys one pass holds in memory. Default 1 Mi.
	CompactionKeys int
	// Committer batches fdatasync calls of many logs on one disk. nil: the log runs one of its own.
	Committer *Committer
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	o.SegmentBytes = min(o.SegmentBytes, maxSegmentBytes)
	if o.MaxBatchBytes <= 0 {
		o.MaxBatchBytes = defaultMaxBatchBytes
	}
	if o.ProducerExpiry <= 0 {
		o.ProducerExpiry = 24 * time.Hour
	}
	if o.CompactionKeys <= 0 {
		o.CompactionKeys = defaultCompactionKeys
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
