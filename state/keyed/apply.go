package keyed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Apply carries an epoch's encoded deltas into the store, in their order, atomically with the epoch number. An epoch that was applied
// before is skipped, so that a replay of the commit log needs no care. Malformed deltas are refused before anything is written. The
// caller keeps the deltas; memory is bounded by Options.
//
// An epoch larger than ChunkBytes is written in several batches. Should a crash cut it in two, reads give ErrTorn until the epoch is
// applied again: changes are absolute, so applying a prefix twice does no harm.
func (s *Store) Apply(epoch uint64, deltas [][]byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	applied, started, closed := s.epoch, s.started, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case epoch <= applied:
		return nil
	case started > applied && epoch > started:
		return fmt.Errorf("applying epoch %d: epoch %d: %w", epoch, started, ErrTorn)
	}
	for _, d := range deltas {
		if err := Each(d, checkChange); err != nil {
			return fmt.Errorf("applying epoch %d: %w", epoch, err)
		}
	}
	s.unflushed = true
	if err := s.fault.do(func() error { return s.write(epoch, deltas) }); err != nil {
		return fmt.Errorf("applying epoch %d: %w", epoch, err)
	}
	s.mu.Lock()
	s.epoch, s.started = epoch, max(epoch, s.started)
	s.mu.Unlock()
	return nil
}

// checkChange refuses what would touch the store's own entries or break Pebble.
func checkChange(c Change) error {
	op, _, _, _, ok := splitKey(c.Key)
	if !ok || op == metaOp {
		return fmt.Errorf("%w: bad key of %d bytes", ErrBadDelta, len(c.Key))
	}
	return nil
}

// write applies the deltas in batches of about ChunkBytes; the last one carries the epoch.
func (s *Store) write(epoch uint64, deltas [][]byte) error {
	b := s.db.NewBatch()
	defer func() { b.Close() }()
	number := binary.BigEndian.AppendUint64(nil, epoch)
	chunked := false
	add := func(c Change) error {
		if b.Len() >= s.opts.ChunkBytes {
			if err := s.commitChunk(b, epoch, chunked, number); err != nil {
				return err
			}
			chunked = true
			b.Close()
			b = s.db.NewBatch()
		}
		return addChange(b, c)
	}
	for _, d := range deltas {
		if err := Each(d, add); err != nil {
			return err
		}
	}
	if err := b.Set(epochKey, number, nil); err != nil {
		return err
	}
	if chunked {
		// Only chunked epochs touch the entry: it must not stay behind epochKey's value by more than it claims.
		if err := b.Set(startedKey, number, nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.NoSync)
}

// commitChunk writes a batch that is not the epoch's last; the first one also says that the epoch has begun.
func (s *Store) commitChunk(b *pebble.Batch, epoch uint64, begun bool, number []byte) error {
	if !begun {
		if err := b.Set(startedKey, number, nil); err != nil {
			return err
		}
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return err
	}
	s.mu.Lock()
	s.started = epoch
	s.mu.Unlock()
	return nil
}

func addChange(b *pebble.Batch, c Change) error {
	switch c.Kind {
	case Put:
		return b.Set(c.Key, c.Value, nil)
	case Delete:
		return b.Delete(c.Key, nil)
	default:
		return b.DeleteRange(c.Key, c.Value, nil)
	}
}

// Flush makes everything applied so far durable and returns the durable epoch.
func (s *Store) Flush() (uint64, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.flush()
}

// flush is Flush with writing held.
func (s *Store) flush() (uint64, error) {
	s.mu.Lock()
	epoch, durable, closed := s.epoch, s.durable, s.closed
	s.mu.Unlock()
	if closed {
		return durable, ErrClosed
	}
	if !s.unflushed {
		return durable, s.fault.get()
	}
	err := s.fault.do(func() error {
		done, err := s.db.AsyncFlush()
		if err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		case <-s.fault.failed:
			return errors.New("flush failed")
		}
	})
	if err != nil {
		return durable, fmt.Errorf("flushing state: %w", err)
	}
	s.unflushed = false
	s.mu.Lock()
	s.durable = epoch
	s.mu.Unlock()
	return epoch, nil
}
