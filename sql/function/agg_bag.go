package function

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// bag is a multiset that knows its least (or greatest) element. The heap may hold elements whose count has gone to zero; they are
// thrown out when they come to the top, or all at once when they are the majority. Invariants: every element with a positive count
// is in the heap; live is the number of those; len(heap) <= 2*live + bagSlack.
type bag[K cmp.Ordered] struct {
	count map[K]bagEntry
	heap  []K
	live  int
}

const bagSlack = 64

type bagEntry struct {
	n      int64 // negative: retracted before it was added
	inHeap bool
}

func before[K cmp.Ordered](a, b K, greatest bool) bool {
	if greatest {
		return a > b
	}
	return a < b
}

func (b *bag[K]) add(k K, step int64, greatest bool) {
	if b.count == nil {
		b.count = map[K]bagEntry{}
	}
	e := b.count[k]
	b.live -= int(boolInt(e.n > 0))
	e.n += step
	b.live += int(boolInt(e.n > 0))
	if e.n > 0 && !e.inHeap {
		e.inHeap = true
		b.push(k, greatest)
	}
	if e.n == 0 && !e.inHeap {
		delete(b.count, k)
		return
	}
	b.count[k] = e
	if len(b.heap) > 2*b.live+bagSlack {
		b.rebuild(greatest)
	}
}

// rebuild throws out everything whose count is not positive.
func (b *bag[K]) rebuild(greatest bool) {
	old := b.heap
	b.heap = b.heap[:0:0]
	for _, k := range old {
		switch e := b.count[k]; {
		case e.n > 0:
			b.push(k, greatest)
		case e.n == 0:
			delete(b.count, k)
		default:
			b.count[k] = bagEntry{n: e.n}
		}
	}
}

// top returns the best element with a positive count.
func (b *bag[K]) top(greatest bool) (k K, ok bool) {
	for len(b.heap) > 0 {
		k = b.heap[0]
		e := b.count[k]
		if e.n > 0 {
			return k, true
		}
		b.pop(greatest)
		if e.n == 0 {
			delete(b.count, k)
		} else {
			e.inHeap = false
			b.count[k] = e
		}
	}
	return k, false
}

func (b *bag[K]) push(k K, greatest bool) {
	b.heap = append(b.heap, k)
	for i := len(b.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !before(b.heap[i], b.heap[parent], greatest) {
			return
		}
		b.heap[i], b.heap[parent] = b.heap[parent], b.heap[i]
		i = parent
	}
}

func (b *bag[K]) pop(greatest bool) {
	last := len(b.heap) - 1
	b.heap[0] = b.heap[last]
	b.heap = b.heap[:last]
	for i := 0; ; {
		best := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if before(b.heap[child], b.heap[best], greatest) {
				best = child
			}
		}
		if best == i {
			return
		}
		b.heap[i], b.heap[best] = b.heap[best], b.heap[i]
		i = best
	}
}

// bagState is an aggregate that emits the best element of a bag: MIN, MAX, ANY_VALUE, ARG_MIN and ARG_MAX with retraction.
type bagState[K cmp.Ordered, C codec[K]] struct {
	t        types.Type
	codec    C
	greatest bool
	nullAt   int // the argument whose NULL leaves a row out
	bags     []bag[K]
	buf      []byte
}

func newBagState[K cmp.Ordered, C codec[K]](t types.Type, c C, greatest bool) *bagState[K, C] {
	return &bagState[K, C]{t: t, codec: c, greatest: greatest}
}

func (s *bagState[K, C]) Grow(groups int) { s.bags = growTo(s.bags, groups) }
func (s *bagState[K, C]) Clear(group int) { s.bags[group] = bag[K]{} }

func (s *bagState[K, C]) Add(gids, rows []int32, change []vector.Change, args []*vector.Vector) error {
	for k, g := range gids {
		i := rowAt(rows, k)
		if args[s.nullAt].IsNull(i) {
			continue
		}
		var key K
		key, s.buf = s.codec.key(args, i, s.buf)
		s.bags[g].add(key, sign(change, k), s.greatest)
	}
	return nil
}

func (s *bagState[K, C]) Emit(group int, out *vector.Vector) {
	k, ok := s.bags[group].top(s.greatest)
	if !ok {
		out.AppendNull()
		return
	}
	s.codec.emit(k, out)
}

// Encode writes the elements in order, so that equal bags have equal bytes.
func (s *bagState[K, C]) Encode(group int, dst []byte) []byte {
	b := &s.bags[group]
	keys := slices.Sorted(maps.Keys(b.count))
	keys = slices.DeleteFunc(keys, func(k K) bool { return b.count[k].n == 0 })
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	for _, k := range keys {
		dst = binary.AppendVarint(s.codec.encode(dst, k), b.count[k].n)
	}
	return dst
}

func (s *bagState[K, C]) Decode(group int, data []byte) ([]byte, error) {
	s.bags[group] = bag[K]{}
	return decodeCounts(s.codec, data, math.MaxUint64, func(key K, count int64) bool {
		s.bags[group].add(key, count, s.greatest)
		return true
	})
}

// decodeCounts reads at most `most` keys and how often each occurs, and hands them to add, which is false for what cannot be.
func decodeCounts[K cmp.Ordered, C codec[K]](c C, data []byte, most uint64, add func(key K, count int64) bool) ([]byte, error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > most {
		return nil, errState
	}
	data = data[n:]
	for range size {
		key, rest, err := c.decode(data)
		if err != nil {
			return nil, err
		}
		count, rest, err := readVarint(rest)
		if err != nil {
			return nil, err
		}
		if !add(key, count) {
			return nil, errState
		}
		data = rest
	}
	return data, nil
}
