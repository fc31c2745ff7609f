package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/millrace/millrace/runtime/task"
	"github.com/millrace/millrace/state/keyed"
	"github.com/millrace/millrace/state/log"
)

// Names of files in a savepoint.
const (
	savepointState  = "state"
	savepointCommit = "commit"
)

// Suffixes of a job's folder while it goes back to a savepoint.
const (
	nextSuffix = ".next"
	pastSuffix = ".past"
)

// Savepoint writes the job's state as of a commit into dir, which must not exist: table files are linked, positions and watermarks stand in a
// commit record without output. The caller commits nothing meanwhile.
func (s *Store) Savepoint(dir string, last *Commit) error {
	if last == nil {
		return errors.New("the job has not committed anything yet")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the savepoint's folder: %w", err)
	}
	err := s.Keyed.Snapshot(filepath.Join(dir, savepointState))
	if err == nil {
		err = writeCommit(filepath.Join(dir, savepointCommit), last)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return nil
}

// writeCommit writes the part of a commit that is true for good: not what has been delivered since.
func writeCommit(path string, c *Commit) error {
	data, err := (&Commit{Epoch: c.Epoch, Splits: c.Splits, Watermarks: c.Watermarks, Done: c.Done}).Encode()
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing the savepoint: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing the savepoint: %w", err)
	}
	return nil
}

// SaveStopped makes a savepoint of a job that does not run, from its folder; it returns the epoch.
func SaveStopped(jobDir, dir string, durable bool, opts keyed.Options) (uint64, error) {
	if _, err := os.Stat(jobDir); err != nil {
		return 0, fmt.Errorf("opening the job's folder: %w", err)
	}
	s, r, err := Open(jobDir, durable, opts)
	if err != nil {
		return 0, err
	}
	if err = s.Savepoint(dir, r.Last); err != nil {
		return 0, errors.Join(err, s.Close())
	}
	return r.Last.Epoch, s.Close()
}

// Positions reads where a savepoint's sources stand.
func Positions(dir string) (epoch uint64, splits []task.Split, err error) {
	data, err := os.ReadFile(filepath.Join(dir, savepointCommit))
	if err != nil {
		return 0, nil, fmt.Errorf("reading the savepoint: %w", err)
	}
	c, err := Decode(data)
	if err != nil {
		return 0, nil, fmt.Errorf("reading the savepoint: %w", err)
	}
	return c.Epoch, c.Splits, nil
}

// Rewind makes the folder of a job that does not run continue from a savepoint: its state, its source positions. What the job has committed up
// to the savepoint and not delivered yet is still delivered; what it committed later and has not delivered is forgotten, for it is computed
// again. Epochs are never used twice, for sinks tell by them what they have: the job goes on behind its last one, and behind least.
//
// The new folder is made beside the old one and takes its place at the end; Open finishes what a crash has interrupted.
func Rewind(jobDir, savepoint string, least uint64, durable bool, opts keyed.Options) error {
	data, err := os.ReadFile(filepath.Join(savepoint, savepointCommit))
	if err != nil {
		return fmt.Errorf("reading the savepoint: %w", err)
	}
	base, err := Decode(data)
	if err != nil {
		return fmt.Errorf("reading the savepoint: %w", err)
	}
	kept, err := undeliveredBefore(jobDir, base, durable, opts)
	if err != nil {
		return err
	}
	base.Epoch = max(base.Epoch, least)
	next := jobDir + nextSuffix
	if err := os.RemoveAll(next); err != nil {
		return fmt.Errorf("going back to the savepoint: %w", err)
	}
	if err := os.MkdirAll(next, 0o755); err != nil {
		return fmt.Errorf("going back to the savepoint: %w", err)
	}
	if err := keyed.Restore(filepath.Join(savepoint, savepointState), filepath.Join(next, "state")); err != nil {
		return err
	}
	if err := writeLog(next, append(kept, base)); err != nil {
		return err
	}
	return exchange(jobDir)
}

// undeliveredBefore reads what base must know of the job's past: its last epoch, what its sinks have, and the output up to the savepoint that
// they lack.
func undeliveredBefore(jobDir string, base *Commit, durable bool, opts keyed.Options) ([]*Commit, error) {
	if _, err := os.Stat(jobDir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	s, r, err := Open(jobDir, durable, opts)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if r.Last == nil {
		return nil, nil
	}
	var kept []*Commit
	for _, c := range r.Undelivered {
		if c.Epoch <= base.Epoch {
			kept = append(kept, &Commit{Epoch: c.Epoch, Stages: c.Stages, Delivered: r.Last.Delivered})
		}
	}
	base.Epoch, base.Delivered = max(base.Epoch, r.Last.Epoch), r.Last.Delivered
	return kept, nil
}

// writeLog writes a commit log of its own into a job's folder.
func writeLog(dir string, commits []*Commit) (err error) {
	l, err := log.Open(filepath.Join(dir, "commits"), log.Options{SegmentBytes: commitSegmentBytes, Flush: log.FlushAck})
	if err != nil {
		return fmt.Errorf("opening the commit log: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	for _, c := range commits {
		data, err := c.Encode()
		if err != nil {
			return err
		}
		offset, err := l.AppendRecord(nil, data)
		if err == nil {
			err = l.WaitVisible(context.Background(), offset+1)
		}
		if err != nil {
			return fmt.Errorf("writing the commit log: %w", err)
		}
	}
	return nil
}

// exchange puts the finished new folder in the place of the old one.
func exchange(jobDir string) error {
	if err := os.RemoveAll(jobDir + pastSuffix); err != nil {
		return fmt.Errorf("going back to the savepoint: %w", err)
	}
	if err := os.Rename(jobDir, jobDir+pastSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("going back to the savepoint: %w", err)
	}
	if err := os.Rename(jobDir+nextSuffix, jobDir); err != nil {
		return fmt.Errorf("going back to the savepoint: %w", err)
	}
	_ = os.RemoveAll(jobDir + pastSuffix) // what is left is removed at the next start
	return nil
}

// finishExchange completes, or undoes, what a crash has left of exchange: without the job's folder the new one is whole and the old one moved
// away; with it the new one may be incomplete.
func finishExchange(jobDir string) error {
	if _, err := os.Stat(jobDir); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(jobDir + pastSuffix); err == nil {
			if err := os.Rename(jobDir+nextSuffix, jobDir); err != nil {
				return fmt.Errorf("going back to the savepoint: %w", err)
			}
		}
	}
	return errors.Join(os.RemoveAll(jobDir+nextSuffix), os.RemoveAll(jobDir+pastSuffix))
}
