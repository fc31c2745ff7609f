package view

import (
	"slices"
	"strings"
	"sync"

	"github.com/millrace/millrace/sql/catalog"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// maxBacklogRows is how many change rows may wait for a subscriber before it is cut off.
const maxBacklogRows = 1 << 20

// Table is the committed content of one view. It is safe for concurrent use.
type Table struct {
	Relation *catalog.Relation
	Key      []int // empty: the whole row, counted

	mu    sync.RWMutex
	rows  map[string]entry // by encoded key; guarded by mu, its entries immutable
	subs  map[*Subscription]struct{}
	epoch uint64
	ready chan struct{} // closed when the rows of the last commit are there
}

// change is one row of the view's changelog.
type change struct {
	op    vector.Change
	value []byte
}

// NewTable makes an empty table.
func NewTable(r *catalog.Relation, key []int) *Table {
	return &Table{Relation: r, Key: key, rows: map[string]entry{}, subs: map[*Subscription]struct{}{}, ready: make(chan struct{})}
}

// Ready is closed when the table holds the rows of its job's last commit: until then a reader would see an empty view.
func (t *Table) Ready() <-chan struct{} { return t.ready }

// firstCommit opens the table of a new job to readers.
func (t *Table) firstCommit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setReady()
}

// setReady opens the table to readers. Caller holds mu.
func (t *Table) setReady() {
	select {
	case <-t.ready:
	default:
		close(t.ready)
	}
}

// Len returns the number of rows.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.rows)
}

// Epoch returns the last epoch that changed the table.
func (t *Table) Epoch() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.epoch
}

// apply makes an epoch visible: after holds what each changed key has now, changes how it came to that, for subscribers.
func (t *Table) apply(epoch uint64, after map[string]entry, changes []change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.epoch = epoch
	for key, e := range after {
		if len(e) == 0 {
			delete(t.rows, key)
		} else {
			t.rows[key] = e
		}
	}
	for s := range t.subs {
		s.offer(changes)
	}
}

// Row is one row of a snapshot; value decodes by the view's columns.
type Row struct {
	key   string
	value []byte
	count int64
}

// Snapshot returns the rows in key order. The values are never changed afterwards.
func (t *Table) Snapshot() []Row {
	t.mu.RLock()
	rows := make([]Row, 0, len(t.rows))
	for k, e := range t.rows {
		rows = e.rows(rows, k)
	}
	t.mu.RUnlock()
	sortRows(rows)
	return rows
}

func sortRows(rows []Row) {
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.key, b.key) })
}

// Subscription is a snapshot followed by the changes after it.
type Subscription struct {
	Snapshot []Row

	table   *Table
	mu      sync.Mutex
	backlog []change
	ready   chan struct{} // holds a token while backlog or err is set
	err     error
}

// Subscribe takes a snapshot and follows the changes after it, without gap or double.
func (t *Table) Subscribe() *Subscription {
	s := &Subscription{table: t, ready: make(chan struct{}, 1)}
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, e := range t.rows {
		s.Snapshot = e.rows(s.Snapshot, k)
	}
	sortRows(s.Snapshot)
	t.subs[s] = struct{}{}
	return s
}

func (s *Subscription) offer(changes []change) {
	if len(changes) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.backlog)+len(changes) > maxBacklogRows {
		s.err = diag.New(diag.TimedOut, -1, "the client fell more than %d changes behind the view '%s'", maxBacklogRows, s.table.Relation.Name).
			WithHint("read faster, or filter the live query")
		s.backlog = nil
	} else if s.err == nil {
		s.backlog = append(s.backlog, changes...)
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// Ready receives when Take has something to return.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Take appends up to vector.MaxRows waiting changes to b; more says that there are others.
func (s *Subscription) Take(b *vector.Batch, schema []types.Type) (more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false, s.err
	}
	n := min(len(s.backlog), vector.MaxRows)
	for _, c := range s.backlog[:n] {
		if _, err := row.DecodeValue(c.value, schema, b.Cols); err != nil {
			return false, err
		}
		b.EndRow(c.op)
	}
	s.backlog = s.backlog[n:]
	return len(s.backlog) > 0, nil
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.table.mu.Lock()
	delete(s.table.subs, s)
	s.table.mu.Unlock()
}

// Append decodes a row into b, as often as it counts.
func (r Row) Append(b *vector.Batch, schema []types.Type) error {
	for range r.count {
		if _, err := row.DecodeValue(r.value, schema, b.Cols); err != nil {
			return err
		}
		b.EndRow(vector.Insert)
	}
	return nil
}
