package json

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// TestSpecial puts every byte at every place of texts around the size of a block.
func TestSpecial(t *testing.T) {
	for size := range 50 {
		text := bytes.Repeat([]byte{'a'}, size)
		for start := range size + 1 {
			if got := special(text, start); got != size {
				t.Fatalf("%d plain bytes from %d: %d", size, start, got)
			}
		}
		for at := range size {
			for c := range 256 {
				text[at] = byte(c)
				want := size
				if c == '"' || c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
					want = at
				}
				if got := special(text, 0); got != want {
					t.Fatalf("byte %#x at %d of %d: %d, not %d", c, at, size, got, want)
				}
				if got := special(text, at+1); got != size {
					t.Fatalf("behind byte %#x at %d of %d: %d", c, at, size, got)
				}
			}
			text[at] = 'a'
		}
	}
}

// TestSlotMatches compares tokens of all lengths with texts that differ in one byte or end too early.
func TestSlotMatches(t *testing.T) {
	for size := range 40 {
		var k keyring
		s := k.add(string(bytes.Repeat([]byte{'k'}, size)), nil)
		for behind := 1; behind < 20; behind++ {
			text := append(bytes.Clone(s.token), bytes.Repeat([]byte{'1'}, behind)...)
			if !s.matches(text, 0) || !s.matches(append([]byte("  "), text...), 2) {
				t.Fatalf("%s does not match %s", s.token, text)
			}
			for at := range s.token {
				text[at] ^= 1
				if s.matches(text, 0) {
					t.Fatalf("%s matches %s", s.token, text)
				}
				text[at] ^= 1
			}
		}
		for end := range len(s.token) + 1 {
			if s.matches(s.token[:end:end], 0) {
				t.Fatalf("%s matches %s", s.token, s.token[:end])
			}
		}
	}
}
