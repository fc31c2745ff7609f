package json

import (
	"bytes"

	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/vector"
)

func (d *decoder) array(n *node, i int) int {
	src := d.src
	i = space(src, i+1)
	if byteAt(src, i) == ']' {
		n.vec.EndList()
		return i + 1
	}
	for {
		if i = d.value(n.elem, i); i < 0 {
			return -1
		}
		i = space(src, i)
		switch byteAt(src, i) {
		case ',':
			i = space(src, i+1)
		case ']':
			n.vec.EndList()
			return i + 1
		default:
			return d.fail(faultSyntax, i)
		}
	}
}

func (d *decoder) mapValue(n *node, i int) int {
	src, start := d.src, n.key.vec.N
	i = space(src, i+1)
	if byteAt(src, i) == '}' {
		n.vec.EndList()
		return i + 1
	}
	for {
		if i = d.mapEntry(n, i); i < 0 {
			return -1
		}
		i = space(src, i)
		switch byteAt(src, i) {
		case ',':
			i = space(src, i+1)
		case '}':
			dropDuplicates(n.vec, start)
			n.vec.EndList()
			return i + 1
		default:
			return d.fail(faultSyntax, i)
		}
	}
}

func (d *decoder) mapEntry(n *node, i int) int {
	if byteAt(d.src, i) != '"' {
		return d.fail(faultSyntax, i)
	}
	end := d.str(i + 1)
	if end < 0 {
		return -1
	}
	if text := d.text(i, end); !d.times.AppendText(n.key.vec, text) {
		d.err = diag.New(diag.FieldType, -1, "field '%s': %s is no %s", n.path, excerpt(d.src[i:end+1]), n.key.typ)
		return -1
	}
	if i = d.colon(end + 1); i < 0 {
		return -1
	}
	return d.value(n.elem, i)
}

// maxLinearKeys is up to how many entries a map's keys are compared pair by pair; more go through a Go map.
const maxLinearKeys = 16

// dropDuplicates removes entries from `start` on whose key comes again later: the last one wins, as for fields.
func dropDuplicates(v *vector.Vector, start int) {
	keys, values := v.Child[0], v.Child[1]
	if !hasDuplicates(keys, start) {
		return
	}
	last := map[string]int{}
	for i := start; i < keys.N; i++ {
		last[string(keyBytes(keys, i))] = i
	}
	keptKeys, keptValues := vector.New(keys.Type, 0), vector.New(values.Type, 0)
	for i := start; i < keys.N; i++ {
		if last[string(keyBytes(keys, i))] == i {
			keptKeys.AppendFrom(keys, i)
			keptValues.AppendFrom(values, i)
		}
	}
	format.RollbackVector(keys, start)
	format.RollbackVector(values, start)
	keys.AppendAll(keptKeys, nil)
	values.AppendAll(keptValues, nil)
}

func hasDuplicates(keys *vector.Vector, start int) bool {
	if keys.N-start > maxLinearKeys {
		seen := make(map[string]struct{}, keys.N-start)
		for i := start; i < keys.N; i++ {
			seen[string(keyBytes(keys, i))] = struct{}{}
		}
		return len(seen) < keys.N-start
	}
	var a, b [64]byte
	for i := start + 1; i < keys.N; i++ {
		x := appendKey(a[:0], keys, i)
		for j := start; j < i; j++ {
			if bytes.Equal(x, appendKey(b[:0], keys, j)) {
				return true
			}
		}
	}
	return false
}

func keyBytes(keys *vector.Vector, i int) []byte { return appendKey(nil, keys, i) }

func appendKey(dst []byte, keys *vector.Vector, i int) []byte {
	return format.AppendScalar(dst, keys, i, format.TimeISO)
}
