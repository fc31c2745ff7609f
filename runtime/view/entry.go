package view

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// entry is what a view holds under one key: normally one row, once. While an epoch is under way it can hold more, or owe some: the
// changes of a key may come from several tasks, so that a row's successor arrives before the row is taken back. Adding up is the same in
// any order; "the last one wins" would not be. Entries are immutable: the table shares them with the terminal.
type entry []counted

// counted is a row and how often it is there.
type counted struct {
	value []byte
	count int64
}

// errBadEntry says that a stored entry does not decode.
var errBadEntry = errors.New("malformed view row")

// add gives the entry with delta more of a row.
func (e entry) add(value []byte, delta int64) entry {
	i := slices.IndexFunc(e, func(c counted) bool { return bytes.Equal(c.value, value) })
	if i < 0 {
		return append(slices.Clone(e), counted{value, delta})
	}
	out := slices.Clone(e)
	if out[i].count += delta; out[i].count == 0 {
		return slices.Delete(out, i, i+1)
	}
	return out
}

// rows appends the rows that are there.
func (e entry) rows(dst []Row, key string) []Row {
	for _, c := range e {
		if c.count > 0 {
			dst = append(dst, Row{key: key, value: c.value, count: c.count})
		}
	}
	return dst
}

// encode appends the stored form: for each row its count, its length, its bytes.
func (e entry) encode(dst []byte) []byte {
	for _, c := range e {
		dst = binary.AppendVarint(dst, c.count)
		dst = binary.AppendUvarint(dst, uint64(len(c.value)))
		dst = append(dst, c.value...)
	}
	return dst
}

// decodeEntry reads the stored form; the rows are copies.
func decodeEntry(data []byte) (entry, error) {
	var e entry
	for len(data) > 0 {
		count, n := binary.Varint(data)
		if n <= 0 || count == 0 {
			return nil, errBadEntry
		}
		size, w := binary.Uvarint(data[n:])
		if w <= 0 || size > uint64(len(data)-n-w) {
			return nil, errBadEntry
		}
		data = data[n+w:]
		e = append(e, counted{bytes.Clone(data[:size:size]), count})
		data = data[size:]
	}
	return e, nil
}
