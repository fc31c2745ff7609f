package operator

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace/millrace/sql/invariant"
	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// pane is the groups of one open window. Panes are dropped whole and reused.
type pane struct {
	interval
	table  *row.GroupTable
	accs   accumulators
	counts []int64 // by gid: rows in the group; only when rows can be taken back
	dirty  dirtySet
	stored groupSet // key groups with entries in the state

	// The rows of the current batch that fall into the pane.
	rows    []int32
	hash    []uint64
	gids    []int32
	changes []vector.Change
}

func newPane(keys []types.Type, specs []Aggregate, retract bool) *pane {
	return &pane{table: row.NewGroupTable(keys), accs: newAccumulators(specs, retract)}
}

// apply folds the collected rows of b in.
func (p *pane) apply(b *vector.Batch, keys []*vector.Vector, retract bool) error {
	p.gids = resized(p.gids, len(p.rows))
	p.table.Groups(p.hash, keys, p.rows, p.gids)
	p.accs.grow(p.table.Cap())
	var changes []vector.Change
	if retract {
		p.counts = grown(p.counts, p.table.Cap())
		for k, i := range p.rows {
			p.counts[p.gids[k]] += b.Change(int(i)).Sign()
		}
		if len(b.Op) > 0 {
			p.changes = p.changes[:0]
			for _, i := range p.rows {
				p.changes = append(p.changes, b.Op[i])
			}
			changes = p.changes
		}
	}
	for _, gid := range p.gids {
		p.dirty.mark(gid)
	}
	err := p.accs.add(b, p.gids, p.rows, changes)
	p.rows, p.hash = p.rows[:0], p.hash[:0]
	return err
}

// alive tells whether the group holds rows.
func (p *pane) alive(gid int32) bool { return p.counts == nil || p.counts[gid] > 0 }

// write puts the dirty groups into the state, in its order. Key: window end, group key. Value: rows (if they can be taken back), accumulators.
func (p *pane) write(st State, sorter *groupSorter, buf []byte) []byte {
	for _, ref := range sorter.arrange(p.table, p.dirty.list) {
		gid, group := ref.gid, uint16(ref.group)
		buf = append(orderedTime(buf[:0], p.end), p.table.Key(gid)...)
		if !p.alive(gid) {
			st.Delete(tableRows, group, buf)
			continue
		}
		at := len(buf)
		buf = orderedTime(buf, p.start)
		if p.counts != nil {
			buf = binary.AppendUvarint(buf, uint64(p.counts[gid]))
		}
		buf = p.accs.encode(gid, buf)
		st.Put(tableRows, group, buf[:at], buf[at:])
		p.stored.add(group)
	}
	p.dirty.clear()
	return buf
}

// read takes one entry of the state in: key (after the window's end) and value (after its start). cols is scratch of the key's types.
func (p *pane) read(group uint16, key, value []byte, schema []types.Type, cols []*vector.Vector) error {
	if err := decodeKey(key, schema, cols); err != nil {
		return err
	}
	p.hash, p.gids = resized(p.hash, 1), resized(p.gids, 1)
	row.Hash(cols, firstRow, p.hash)
	p.table.Groups(p.hash, cols, firstRow, p.gids)
	gid := p.gids[0]
	p.hash = p.hash[:0]
	p.accs.grow(p.table.Cap())
	p.stored.add(group)
	if p.counts != nil {
		n, w := binary.Uvarint(value)
		if w <= 0 {
			return fmt.Errorf("reading window group: no row count")
		}
		p.counts = grown(p.counts, p.table.Cap())
		p.counts[gid] = int64(n)
		value = value[w:]
	}
	if invariant.Enabled {
		invariant.Check(row.KeyGroup(p.table.Hash(gid)) == group, "entry in key group %d belongs to %d", group, row.KeyGroup(p.table.Hash(gid)))
	}
	return p.accs.decode(gid, value)
}

// firstRow selects row 0.
var firstRow = []int32{0}

// recycle empties the pane.
func (p *pane) recycle() {
	for gid := range p.table.All() {
		p.accs.clear(gid)
	}
	p.table.Clear()
	clear(p.counts)
	p.dirty.clear()
	p.stored = groupSet{}
}
