package repl

import (
	"bytes"
	"unicode/utf8"

	prompt "github.com/c-bata/go-prompt"
)

// keySplitter gives the line editor one key at a time. The terminal hands over whatever has been typed or pasted since the last look, but
// the editor takes each answer for one key: without this, text that comes together with its Enter would be inserted and never run.
type keySplitter struct {
	prompt.ConsoleParser
	rest    []byte // not given to the editor yet
	restore func() // gives the terminal the mode that it had before the editor
}

// TearDown implements prompt.ConsoleParser. The editor calls it before a statement runs, but leaves the terminal raw, where Ctrl-C is no
// signal and could not stop the statement.
func (k *keySplitter) TearDown() error {
	err := k.ConsoleParser.TearDown()
	k.restore()
	return err
}

// Read implements prompt.ConsoleParser.
func (k *keySplitter) Read() ([]byte, error) {
	if len(k.rest) == 0 {
		b, err := k.ConsoleParser.Read()
		if err != nil || len(b) == 0 {
			return b, err
		}
		k.rest = blankTabs(b)
	} else if !utf8.FullRune(k.rest) { // a character that the last read has cut
		b, err := k.ConsoleParser.Read()
		if err != nil {
			return b, err
		}
		k.rest = append(k.rest, b...)
	}
	key, rest := splitKey(k.rest)
	k.rest = rest
	if len(key) == 0 {
		return []byte{0}, nil // which the editor leaves out
	}
	return key, nil
}

// blankTabs replaces the tabs of pasted lines by blanks, so that they do not complete words.
func blankTabs(b []byte) []byte {
	if i := bytes.LastIndexAny(b, "\r\n"); i >= 0 && bytes.IndexByte(b[:i], '\t') >= 0 {
		return append(bytes.ReplaceAll(b[:i], []byte{'\t'}, []byte("    ")), b[i:]...)
	}
	return b
}

// splitKey cuts the first key, or the first run of text, off b. A key that the editor does not know comes back empty.
func splitKey(b []byte) (key, rest []byte) {
	switch {
	case b[0] == '\r' && len(b) > 1 && b[1] == '\n':
		return b[:1], b[2:]
	case b[0] == 0x1b:
		return splitEscape(b)
	case control(b[0]):
		return b[:1], b[1:]
	}
	n := 0
	for n < len(b) && !control(b[n]) && utf8.FullRune(b[n:]) {
		_, size := utf8.DecodeRune(b[n:])
		n += size
	}
	return b[:n], b[n:]
}

func control(c byte) bool { return c < ' ' || c == 0x7f }

// splitEscape cuts an escape sequence off b: the longest that the editor knows, else one of the general forms, which is dropped.
func splitEscape(b []byte) (key, rest []byte) {
	longest := 0
	for _, s := range prompt.ASCIISequences {
		if bytes.HasPrefix(b, s.ASCIICode) {
			longest = max(longest, len(s.ASCIICode))
		}
	}
	if longest > 1 || len(b) == 1 {
		return b[:longest], b[longest:]
	}
	if b[1] != '[' && b[1] != 'O' { // Alt with a key
		_, size := utf8.DecodeRune(b[1:])
		return nil, b[1+size:]
	}
	end := 2
	for end < len(b) && (b[end] < 0x40 || b[end] > 0x7e) {
		end++
	}
	return nil, b[min(end+1, len(b)):]
}
