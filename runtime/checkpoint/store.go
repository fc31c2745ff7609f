package checkpoint

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/millrace/millrace/state/keyed"
	"github.com/millrace/millrace/state/log"
)

// logBytesPerFlush is how much the commit log may grow before the keyed store is flushed and the log trimmed.
const logBytesPerFlush = 64 << 20

// commitSegmentBytes is the segment size of the commit log: what trimming gives back at a time.
const commitSegmentBytes = 16 << 20

// killedCommitWait is how long a commit that has been written still waits for the disk when its job is killed meanwhile.
const killedCommitWait = 5 * time.Second

// Store is the durable side of one job: its commit log and its keyed store. Methods are called by the job's committer alone.
//
// Invariant: keyed.Epoch ≤ last commit in the log; what the keyed store lacks, the log has. Commits leave the log only when the keyed store
// is durable up to them and their stages are delivered.
type Store struct {
	Keyed *keyed.Store

	commits *log.Log
	offsets []position // of the commits still in the log, ascending
	bytes   int64      // appended since the last trim
	durable bool
}

type position struct {
	epoch  uint64
	offset int64
}

// Recovered is what Open found: the last commit, and the commits with stages that may not have been delivered.
type Recovered struct {
	Last        *Commit
	Undelivered []*Commit
}

// Open opens or creates the job's folder and brings the keyed store up to the last commit. Without durable, commits survive the
// process but not the machine.
func Open(dir string, durable bool, opts keyed.Options) (*Store, *Recovered, error) {
	if err := finishExchange(dir); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, fmt.Errorf("creating the job's folder: %w", err)
	}
	policy := log.FlushAck
	if !durable {
		policy = log.FlushAsync
	}
	commits, err := log.Open(filepath.Join(dir, "commits"), log.Options{SegmentBytes: commitSegmentBytes, Flush: policy})
	if err != nil {
		return nil, nil, fmt.Errorf("opening the commit log: %w", err)
	}
	store, err := keyed.Open(filepath.Join(dir, "state"), opts)
	if err != nil {
		commits.Close()
		return nil, nil, fmt.Errorf("opening keyed state: %w", err)
	}
	s := &Store{Keyed: store, commits: commits, durable: durable}
	r, err := s.recover()
	if err != nil {
		s.Close()
		return nil, nil, fmt.Errorf("recovering the job: %w", err)
	}
	return s, r, nil
}

// recover replays the commits that the keyed store lacks.
func (s *Store) recover() (*Recovered, error) {
	r := &Recovered{}
	err := s.commits.Each(s.commits.StartOffset(), func(rec *log.Record) error {
		c, err := Decode(slices.Clone(rec.Value))
		if err != nil {
			return err
		}
		s.offsets = append(s.offsets, position{c.Epoch, rec.Offset})
		if err := s.Keyed.Apply(c.Epoch, c.Deltas); err != nil {
			return fmt.Errorf("replaying epoch %d: %w", c.Epoch, err)
		}
		r.Last = c
		if len(c.Stages) > 0 {
			r.Undelivered = append(r.Undelivered, c)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.Undelivered = slices.DeleteFunc(r.Undelivered, func(c *Commit) bool { return delivered(c, r.Last.Delivered) })
	return r, nil
}

// delivered tells whether every stage of c has reached its sink.
func delivered(c *Commit, upTo map[string]uint64) bool {
	for _, st := range c.Stages {
		if upTo[st.Sink] < c.Epoch {
			return false
		}
	}
	return true
}

// Commit makes c durable: when it returns nil, the epoch has happened. The keyed store follows. The end of ctx refuses a commit that has not
// begun; one that is written is seen through, because the next life finds it in the log: whoever tells of the epoch must know of it.
func (s *Store) Commit(ctx context.Context, c *Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := c.Encode()
	if err != nil {
		return err
	}
	offset, err := s.commits.AppendRecord(nil, data)
	if err != nil {
		return fmt.Errorf("writing the commit of epoch %d: %w", c.Epoch, err)
	}
	if err := s.waitDurable(ctx, offset); err != nil {
		return fmt.Errorf("making the commit of epoch %d durable: %w", c.Epoch, err)
	}
	s.offsets = append(s.offsets, position{c.Epoch, offset})
	s.bytes += int64(len(data))
	if err := s.Keyed.Apply(c.Epoch, c.Deltas); err != nil {
		return fmt.Errorf("applying epoch %d: %w", c.Epoch, err)
	}
	return nil
}

// waitDurable waits until the commit at offset is on disk; the end of ctx gives it killedCommitWait more.
func (s *Store) waitDurable(ctx context.Context, offset int64) error {
	wait, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(killedCommitWait, cancel) })()
	return s.commits.WaitVisible(wait, offset+1)
}

// NeedsTrim tells whether the log has grown enough that Trim pays.
func (s *Store) NeedsTrim() bool { return s.bytes > logBytesPerFlush }

// Trim flushes the keyed store and drops the commits that nobody needs: applied durably, and delivered up to the given epoch. The last
// commit always stays, for it holds the source positions.
func (s *Store) Trim(deliveredUpTo uint64) error {
	durable, err := s.Keyed.Flush()
	if err != nil {
		return fmt.Errorf("flushing keyed state: %w", err)
	}
	s.bytes = 0
	keep := min(durable, deliveredUpTo)
	n := 0
	for n < len(s.offsets)-1 && s.offsets[n].epoch <= keep {
		n++
	}
	if n == 0 {
		return nil
	}
	if _, err := s.commits.DeleteBefore(s.offsets[n].offset); err != nil {
		return fmt.Errorf("trimming the commit log: %w", err)
	}
	s.offsets = slices.Delete(s.offsets, 0, n)
	return nil
}

// Close closes both; the keyed store is flushed, so that the next start replays little.
func (s *Store) Close() error {
	_, err := s.Keyed.Flush()
	if e := s.Keyed.Close(); err == nil {
		err = e
	}
	if e := s.commits.Close(); err == nil {
		err = e
	}
	return err
}
