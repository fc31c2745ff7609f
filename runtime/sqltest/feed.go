package sqltest

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/vector"
)

// feed is the records of one script source: a replayable log in memory, which outlives the engine's restarts.
type feed struct {
	mu      sync.Mutex
	records []feedRecord
	ended   bool
	changed chan struct{}       // closed at the next change
	readers map[*feedSource]int // records behind the last commit, by the sources that read the feed now
}

// feedRecord is a record, a watermark, or a moment from which the feed holds no watermark until its next record.
type feedRecord struct {
	data   []byte
	mark   int64
	isMark bool
	isIdle bool
}

// feeds are all feeds of running tests, by test and relation.
var feeds = struct {
	sync.Mutex
	byName map[string]*feed
}{byName: map[string]*feed{}}

func feedOf(name string) *feed {
	feeds.Lock()
	defer feeds.Unlock()
	f := feeds.byName[name]
	if f == nil {
		f = &feed{changed: make(chan struct{}), readers: map[*feedSource]int{}}
		feeds.byName[name] = f
	}
	return f
}

func (f *feed) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.changed)
	f.changed = make(chan struct{})
}

// covered tells whether every job that reads the feed has committed all that is in it.
func (f *feed) covered() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.readers {
		if at < len(f.records) {
			return false
		}
	}
	return true
}

// feedsCovered tells whether all feeds of a test are covered.
func feedsCovered(test string) bool {
	feeds.Lock()
	defer feeds.Unlock()
	for name, f := range feeds.byName {
		if strings.HasPrefix(name, test+"/") && !f.covered() {
			return false
		}
	}
	return true
}

// forgetFeeds gives back the feeds of a test.
func forgetFeeds(test string) {
	feeds.Lock()
	defer feeds.Unlock()
	maps.DeleteFunc(feeds.byName, func(name string, _ *feed) bool { return strings.HasPrefix(name, test+"/") })
}

func init() {
	connectors.Register(&connectors.Spec{
		Name: "script", Doc: "records given by a script test, step by step", Formats: []string{"json", "csv"},
		Options:       []connectors.Option{{Name: "test", Doc: "the test it belongs to; filled in by the runner"}},
		Source:        func(cfg connectors.SourceConfig) (connectors.Source, error) { return &feedSource{cfg: cfg}, nil },
		SourceChanges: changes,
		Bounded:       func(connectors.Values) bool { return false },
	})
}

// changes tells that a feed with an op_field brings a changelog.
func changes(v connectors.Values) connectors.SinkMode {
	if v.String("op_field") != "" {
		return connectors.Retract
	}
	return connectors.Append
}

type feedSource struct{ cfg connectors.SourceConfig }

func (s *feedSource) feed() *feed {
	return feedOf(s.cfg.Options.String("test") + "/" + s.cfg.Relation)
}

// Splits returns the only split.
func (s *feedSource) Splits(context.Context) ([]connectors.Split, error) {
	return []connectors.Split{{ID: "feed"}}, nil
}

// Open reads from a position: the number of records behind it.
func (s *feedSource) Open(_ context.Context, _ connectors.Split, p connectors.Position) (connectors.Reader, error) {
	dec, err := format.NewDecoder(s.cfg.Options.String("format"), s.cfg.Columns, s.cfg.Options)
	if err != nil {
		return nil, err
	}
	at := 0
	if p != nil {
		if at, err = strconv.Atoi(string(p)); err != nil {
			return nil, fmt.Errorf("reading a position: %w", err)
		}
	}
	f := s.feed()
	f.change(func() { f.readers[s] = at })
	return &feedReader{feed: f, dec: dec, at: at}, nil
}

// Committed notes how far the job has come, watermark steps included.
func (s *feedSource) Committed(positions map[string]connectors.Position) {
	at, err := strconv.Atoi(string(positions["feed"]))
	f := s.feed()
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, open := f.readers[s]; open && err == nil {
		f.readers[s] = at
	}
}

// Close ends the reading; the feed outlives the engine.
func (s *feedSource) Close() error {
	f := s.feed()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.readers, s)
	return nil
}

type feedReader struct {
	feed     *feed
	dec      format.Decoder
	at       int
	idle     bool
	mark     int64
	hasMark  bool
	rejected []connectors.Rejected
}

// Read gives the next records up to a watermark, which it tells when they are given.
func (r *feedReader) Read(ctx context.Context, dst *vector.Batch) (connectors.Status, error) {
	for {
		r.feed.mu.Lock()
		records, ended, changed := r.feed.records, r.feed.ended, r.feed.changed
		r.feed.mu.Unlock()
		for r.at < len(records) && dst.N < vector.MaxRows {
			r.idle = false
			rec := records[r.at]
			if (rec.isMark || rec.isIdle) && dst.N > 0 {
				return connectors.More, nil // a mark is a Read of its own: rows must not carry a position behind it
			}
			r.at++
			if rec.isIdle {
				r.idle = true
				return connectors.Idle, nil
			}
			if rec.isMark {
				r.mark, r.hasMark = rec.mark, true
				return connectors.More, nil
			}
			meta := format.Meta{Offset: int64(r.at - 1)}
			if err := r.dec.Decode(rec.data, &meta, dst); err != nil {
				r.rejected = append(r.rejected, connectors.Rejected{Raw: rec.data, Position: fmt.Sprintf("record %d", r.at), Err: err})
			}
		}
		switch {
		case r.at < len(records):
			return connectors.More, nil
		case ended:
			return connectors.End, nil
		case !r.idle:
			r.idle = true
			return connectors.CaughtUp, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return connectors.More, ctx.Err()
		}
	}
}

// Watermark tells a watermark step that has been reached.
func (r *feedReader) Watermark() (int64, bool) {
	ok := r.hasMark
	r.hasMark = false
	return r.mark, ok
}

// Rejected returns the records that were no rows.
func (r *feedReader) Rejected() []connectors.Rejected {
	out := r.rejected
	r.rejected = nil
	return out
}

// Position is the number of records read.
func (r *feedReader) Position() connectors.Position { return strconv.AppendInt(nil, int64(r.at), 10) }

// Lag is the number of records ahead.
func (r *feedReader) Lag() int64 {
	r.feed.mu.Lock()
	defer r.feed.mu.Unlock()
	return int64(len(r.feed.records) - r.at)
}

// Close does nothing.
func (r *feedReader) Close() error { return nil }
