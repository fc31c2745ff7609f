package operator

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/millrace/millrace/sql/row"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// versions keeps the versions of rows by key: each holds from its time until the next one's. A tombstone says that there is no row.
//
// State: key | time -> kind, row.
type versions struct {
	table   *row.GroupTable
	schema  []types.Type // of the key
	chains  [][]version  // by gid, by ascending time; times are distinct
	dropped keyList      // since the last barrier
	dirty   dirtySet     // keys with versions not yet in the state
	prune   dirtySet     // keys with more than one version, or only a tombstone
	gids    []int32
	hash    []uint64
	keep    bool // there will be barriers
}

// version is a row from a time on; data nil is a tombstone.
type version struct {
	time   int64
	data   []byte
	stored bool
	dirty  bool
}

func newVersions(schema []types.Type, keep bool) *versions {
	return &versions{table: row.NewGroupTable(schema), schema: schema, keep: keep}
}

// groups finds or makes the gids of keys.
func (v *versions) groups(hash []uint64, keys []*vector.Vector, rows, gids []int32) {
	v.table.Groups(hash, keys, rows, gids)
	v.chains = grown(v.chains, v.table.Cap())
}

// put makes data (nil: nothing) the version of a key from t on, in place of one of the same time. data is copied.
func (v *versions) put(gid int32, t int64, data []byte) {
	chain := v.chains[gid]
	at := len(chain)
	for at > 0 && chain[at-1].time > t {
		at--
	}
	x := version{time: t, dirty: true}
	if data != nil {
		x.data = append(make([]byte, 0, len(data)), data...)
	}
	if at > 0 && chain[at-1].time == t {
		x.stored = chain[at-1].stored
		chain[at-1] = x
	} else {
		chain = slices.Insert(chain, at, x)
	}
	v.chains[gid] = chain
	v.dirty.mark(gid)
	if len(chain) > 1 || data == nil {
		v.prune.mark(gid)
	}
}

// at returns the row of a key at t; nil when there was none.
func (v *versions) at(gid int32, t int64) []byte {
	if gid == row.NoGroup {
		return nil
	}
	chain := v.chains[gid]
	for k := len(chain) - 1; k >= 0; k-- {
		if chain[k].time <= t {
			return chain[k].data
		}
	}
	return nil
}

// forget drops the versions that no time above t can ask for: all before the newest one at or before t, and that one when it
// is a tombstone.
func (v *versions) forget(t int64) {
	again := v.prune.list[:0]
	for _, gid := range v.prune.list {
		v.prune.bits[gid>>6] &^= 1 << (gid & 63)
	}
	for _, gid := range v.prune.list {
		if !v.table.IsLive(gid) {
			continue
		}
		chain := v.chains[gid]
		n := 0
		for n+1 < len(chain) && chain[n+1].time <= t {
			n++
		}
		if n < len(chain) && chain[n].time <= t && chain[n].data == nil {
			n++
		}
		for _, x := range chain[:n] {
			if x.stored {
				v.dropped.add(row.KeyGroup(v.table.Hash(gid)), func(dst []byte) []byte { return v.stateKey(dst, gid, x.time) })
			}
		}
		v.chains[gid] = slices.Delete(chain, 0, n)
		if len(v.chains[gid]) == 0 {
			v.table.Release(gid)
		} else if len(v.chains[gid]) > 1 || v.chains[gid][0].data == nil {
			v.prune.bits[gid>>6] |= 1 << (gid & 63)
			again = append(again, gid)
		}
	}
	v.prune.list = again
}

func (v *versions) stateKey(dst []byte, gid int32, t int64) []byte {
	return orderedTime(append(dst, v.table.Key(gid)...), t)
}

// The kinds of a version in the state.
const (
	versionGone = 0
	versionRow  = 1
)

func (v *versions) write(st State, table byte, buf []byte) []byte {
	v.dropped.each(func(group uint16, key []byte) { st.Delete(table, group, key) })
	v.dropped.clear()
	for _, gid := range v.dirty.list {
		if !v.table.IsLive(gid) {
			continue
		}
		group := row.KeyGroup(v.table.Hash(gid))
		for k := range v.chains[gid] {
			x := &v.chains[gid][k]
			if !x.dirty {
				continue
			}
			buf = v.stateKey(buf[:0], gid, x.time)
			at := len(buf)
			if x.data == nil {
				buf = append(buf, versionGone)
			} else {
				buf = append(append(buf, versionRow), x.data...)
			}
			st.Put(table, group, buf[:at], buf[at:])
			x.stored, x.dirty = true, false
		}
	}
	v.dirty.clear()
	return buf
}

func (v *versions) read(ctx *Context, table byte) error {
	cols := newColumns(v.schema)
	v.hash, v.gids = make([]uint64, 1), make([]int32, 1)
	return scanState(ctx, table, func(_ uint16, key, value []byte) error {
		rest, err := decodeKeyPrefix(key, v.schema, cols)
		if err != nil {
			return err
		}
		t, rest, err := readTime(rest)
		if err != nil {
			return err
		}
		if len(rest) > 0 || len(value) == 0 || value[0] > versionRow {
			return fmt.Errorf("reading version: malformed entry")
		}
		row.Hash(cols, firstRow, v.hash)
		v.groups(v.hash, cols, firstRow, v.gids)
		gid := v.gids[0]
		var data []byte
		if value[0] == versionRow {
			data = value[1:]
		}
		v.put(gid, t, data)
		last := &v.chains[gid][len(v.chains[gid])-1] // keys come in order of time
		last.stored, last.dirty = true, false
		return nil
	})
}

// appendSeq appends a sequence number so that bytes sort as numbers do.
func appendSeq(dst []byte, seq uint64) []byte { return binary.BigEndian.AppendUint64(dst, seq) }
