package json

import (
	"encoding/binary"

	"github.com/millrace/millrace/connectors/format"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/types"
	"github.com/millrace/millrace/sql/vector"
)

// action is how a node's value is decoded.
type action uint8

const (
	actInt action = iota
	actFloat
	actDecimal
	actWide // DECIMAL of more than 38 digits
	actBool
	actString
	actJSON
	actTime // DATETIME, TIMESTAMP
	actText // everything else that is written as text: DATE, TIME, VARBINARY
	actStruct
	actArray
	actMap
	actOp // the change kind, which is no column
)

// maxSchemaDepth bounds the nesting of column types, and with it the decoder's recursion.
const maxSchemaDepth = 64

// node is one wanted value: a column, a field of a STRUCT, an element.
type node struct {
	act     action
	typ     types.Type
	path    string // for messages: bid.price, tags[]
	notNull bool
	isOp    bool
	vec     *vector.Vector // of the batch being filled
	lo, hi  int64          // actInt: the range that the fast path takes

	fields []*node // actStruct and the root: in the order of the vector's children
	keys   keyring // actStruct and the root
	key    *node   // actMap
	elem   *node   // actArray, actMap
}

func newNode(name string, t types.Type, depth int) (*node, error) {
	if depth > maxSchemaDepth {
		return nil, diag.New(diag.TooDeep, -1, "column type of '%s' nests deeper than %d", name, maxSchemaDepth)
	}
	n := &node{typ: t, path: name, act: actionOf(t.Kind)}
	if t.Class() == types.ClassI256 {
		n.act = actWide
	}
	n.lo, n.hi = format.IntRange(t.Kind)
	var err error
	switch t.Kind {
	case types.Struct:
		for _, f := range t.Fields {
			child, err := newNode(name+"."+f.Name, f.Type, depth+1)
			if err != nil {
				return nil, err
			}
			n.fields = append(n.fields, child)
			n.keys.add(f.Name, child)
		}
	case types.Array:
		n.elem, err = newNode(name+"[]", *t.Elem, depth+1)
	case types.Map:
		if t.Key.Class() == types.ClassList || t.Key.Class() == types.ClassStruct {
			return nil, diag.New(diag.NotSupported, -1, "column '%s': the keys of a MAP in JSON must be scalars, not %s", name, t.Key)
		}
		if n.key, err = newNode(name+" key", *t.Key, depth+1); err == nil {
			n.elem, err = newNode(name+"[]", *t.Elem, depth+1)
		}
	case types.Interval, types.Null:
		err = diag.New(diag.NotSupported, -1, "column '%s': %s cannot be read from JSON", name, t)
	}
	return n, err
}

func actionOf(k types.Kind) action {
	switch k {
	case types.Bool:
		return actBool
	case types.Float32, types.Float64:
		return actFloat
	case types.Decimal:
		return actDecimal
	case types.String:
		return actString
	case types.JSON:
		return actJSON
	case types.Datetime, types.Timestamp:
		return actTime
	case types.Struct:
		return actStruct
	case types.Array:
		return actArray
	case types.Map:
		return actMap
	}
	if k.IsInteger() {
		return actInt
	}
	return actText
}

// bind points the node and what is below at a column's vector.
func (n *node) bind(v *vector.Vector) {
	n.vec = v
	switch n.act {
	case actStruct:
		for i, f := range n.fields {
			f.bind(v.Child[i])
		}
	case actArray:
		n.elem.bind(v.Child[0])
	case actMap:
		n.key.bind(v.Child[0])
		n.elem.bind(v.Child[1])
	}
}

// slot is one key that an object has had: the token to compare, whom its value is for (nil: nobody), and which key came behind it
// last time.
type slot struct {
	token []byte // `"key":`
	node  *node
	next  *slot

	head, mask uint64 // the token's first 8 bytes, and which of them it has
	tail       uint64 // its last 8 bytes, if it has as many
}

// fill computes the words that matches compares.
func (s *slot) fill() {
	var word [8]byte
	n := copy(word[:], s.token)
	s.head, s.mask = binary.LittleEndian.Uint64(word[:]), ^uint64(0)>>(64-8*n)
	if len(s.token) >= 8 {
		s.tail = binary.LittleEndian.Uint64(s.token[len(s.token)-8:])
	}
}

// matches tells whether the token stands at src[i:] with something behind it. Keys of up to 13 bytes, which most are, cost two comparisons.
func (s *slot) matches(src []byte, i int) bool {
	n := len(s.token)
	if rest := len(src) - i; rest < 8 || rest <= n {
		return rest > n && string(src[i:i+n]) == string(s.token)
	}
	if binary.LittleEndian.Uint64(src[i:])&s.mask != s.head {
		return false
	}
	if n <= 16 {
		return n <= 8 || binary.LittleEndian.Uint64(src[i+n-8:]) == s.tail
	}
	return string(src[i:i+n]) == string(s.token)
}

// Limits of what is remembered of keys that no column wants.
const (
	maxLearnedKeys   = 256
	maxLearnedKeyLen = 128
)

// keyring predicts the keys of an object.
type keyring struct {
	first *slot // the key that objects begin with
	byKey map[string]*slot
}

func (k *keyring) add(name string, n *node) *slot {
	if k.byKey == nil {
		k.byKey = map[string]*slot{}
	}
	s := &slot{node: n, token: append(format.AppendJSONString(nil, []byte(name)), ':')}
	s.fill()
	k.byKey[name] = s
	return s
}

// learn finds the slot of a key that was not predicted, making one while there is room; nil: nobody wants it and there is none.
func (k *keyring) learn(name []byte) *slot {
	if s := k.byKey[string(name)]; s != nil {
		return s
	}
	if len(k.byKey) >= maxLearnedKeys || len(name) > maxLearnedKeyLen {
		return nil
	}
	return k.add(string(name), nil)
}
