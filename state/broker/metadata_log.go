package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/millrace/millrace/state/log"
)

// Kinds of entries in the metadata log; the bytes are in FORMAT.md.
const (
	metaACL   = "acl"
	metaScram = "scram"
	metaQuota = "quota"
)

const (
	metadataDir = "metadata"
	// metaGarbage is how many records beyond twice the live ones the log gathers before it is written anew.
	metaGarbage = 1000
	// maxMetaEntries bounds the entries; each is in memory.
	maxMetaEntries = 200_000
)

// metadataLog keeps what administrators set besides topics: access rules, credentials, quotas. It is a log of entries, the newest of
// a key wins, and a change is one batch: it happens whole or not at all. Clients cannot read it, since it is no topic.
//
// All methods are safe for concurrent use.
type metadataLog struct {
	log *log.Log

	mu      sync.Mutex
	entries map[string][]byte // guarded by mu; by kind, NUL, name
	records int               // guarded by mu; in the log
	failed  error             // guarded by mu; a failed write leaves open what a restart will find, so no more follow
}

// metaChange sets an entry, or removes it if value is nil.
type metaChange struct {
	kind, name string
	value      any
}

func openMetadataLog(dir string, c *log.Committer) (*metadataLog, error) {
	path := filepath.Join(dir, metadataDir)
	if err := os.MkdirAll(path, 0o700); err != nil { // credentials are nobody else's business
		return nil, fmt.Errorf("creating metadata folder: %w", err)
	}
	l, err := log.Open(path, log.Options{Committer: c, SegmentBytes: 16 << 20})
	if err != nil {
		return nil, fmt.Errorf("opening metadata log: %w", err)
	}
	m := &metadataLog{log: l, entries: map[string][]byte{}}
	err = l.Each(l.StartOffset(), func(r *log.Record) error {
		m.records++
		m.apply(string(r.Key), append([]byte(nil), r.Value...), r.Value == nil)
		return nil
	})
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("reading metadata log: %w", err)
	}
	return m, nil
}

func (m *metadataLog) apply(key string, value []byte, gone bool) {
	if gone {
		delete(m.entries, key)
		return
	}
	m.entries[key] = value
}

func (m *metadataLog) close() error { return m.log.Close() }

// each calls fn for every entry of a kind.
func (m *metadataLog) each(kind string, fn func(name string, value []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	prefix := kind + "\x00"
	for k, v := range m.entries {
		if len(k) > len(prefix) && k[:len(prefix)] == prefix {
			if err := fn(k[len(prefix):], v); err != nil {
				return fmt.Errorf("reading metadata %s %q: %w", kind, k[len(prefix):], err)
			}
		}
	}
	return nil
}

// write makes changes durable together. On an error it is unknown whether they will be there after a restart.
func (m *metadataLog) write(ctx context.Context, changes []metaChange) error {
	if len(changes) == 0 {
		return nil
	}
	recs := make([]log.Record, len(changes))
	for i, c := range changes {
		recs[i].Key = []byte(c.kind + "\x00" + c.name)
		if c.value == nil {
			continue
		}
		var err error
		if recs[i].Value, err = json.Marshal(c.value); err != nil {
			return fmt.Errorf("encoding metadata: %w", err)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed != nil {
		return m.failed
	}
	if len(m.entries)+len(recs) > maxMetaEntries {
		return fmt.Errorf("%w: %d entries of metadata, limit %d", errTooMany, len(m.entries), maxMetaEntries)
	}
	if err := m.append(ctx, recs); err != nil {
		if !errors.Is(err, log.ErrBatchTooLarge) && !errors.Is(err, log.ErrDiskFull) {
			m.failed = err
		}
		return err
	}
	for i := range recs {
		m.apply(string(recs[i].Key), recs[i].Value, recs[i].Value == nil)
	}
	if m.records > 2*len(m.entries)+metaGarbage {
		return m.rewrite(ctx)
	}
	return nil
}

// append writes records as one batch and waits until it is durable. Caller holds mu.
func (m *metadataLog) append(ctx context.Context, recs []log.Record) error {
	res, err := m.log.Append(log.BuildBatch(nil, recs, log.BatchOptions{}), log.AppendOptions{})
	if err == nil {
		err = m.log.WaitVisible(ctx, res.Last+1)
	}
	if err != nil {
		return fmt.Errorf("writing metadata: %w", err)
	}
	m.records += len(recs)
	return nil
}

// rewrite repeats the live entries and drops what stood before them. Caller holds mu.
func (m *metadataLog) rewrite(ctx context.Context) error {
	start := m.log.EndOffset()
	recs := make([]log.Record, 0, snapshotBatchRecords)
	m.records = 0
	flush := func() error {
		if len(recs) == 0 {
			return nil
		}
		err := m.append(ctx, recs)
		recs = recs[:0]
		return err
	}
	for k, v := range m.entries {
		recs = append(recs, log.Record{Key: []byte(k), Value: v})
		if len(recs) == snapshotBatchRecords {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if _, err := m.log.DeleteBefore(start); err != nil {
		return fmt.Errorf("dropping old metadata: %w", err)
	}
	return nil
}
