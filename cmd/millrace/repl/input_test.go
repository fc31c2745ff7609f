package repl

import (
	"errors"
	"slices"
	"testing"

	prompt "github.com/c-bata/go-prompt"
)

// chunks is a terminal that hands over prepared pieces.
type chunks struct {
	prompt.ConsoleParser
	rest []string
}

var errNoInput = errors.New("nothing typed")

// Read implements prompt.ConsoleParser.
func (c *chunks) Read() ([]byte, error) {
	if len(c.rest) == 0 {
		return nil, errNoInput
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return []byte(b), nil
}

func TestKeySplitter(t *testing.T) {
	for name, c := range map[string]struct{ in, want []string }{
		"typed":              {[]string{"a", "b", "\r"}, []string{"a", "b", "\r"}},
		"line at once":       {[]string{"SELECT 1;\r"}, []string{"SELECT 1;", "\r"}},
		"pasted lines":       {[]string{"SELECT\r\n\t1\n;\r"}, []string{"SELECT", "\r", "    1", "\n", ";", "\r"}},
		"completion":         {[]string{"SEL\t"}, []string{"SEL", "\t"}},
		"keys at once":       {[]string{"\x1b[A\x1b[Ax\x03"}, []string{"\x1b[A", "\x1b[A", "x", "\x03"}},
		"escape alone":       {[]string{"\x1b"}, []string{"\x1b"}},
		"unknown keys":       {[]string{"\x1b[200~a\x1bb\x1b[201~c"}, []string{"a", "c"}},
		"character cut":      {[]string{"a\xc3", "\xa9b"}, []string{"a", "éb"}},
		"no UTF-8":           {[]string{"a\xff\r"}, []string{"a\xff", "\r"}},
		"unfinished at last": {[]string{"a\x1b["}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			k := &keySplitter{ConsoleParser: &chunks{rest: c.in}}
			var got []string
			for range 100 {
				b, err := k.Read()
				if errors.Is(err, errNoInput) && len(k.rest) == 0 {
					break
				}
				if len(b) > 0 && b[0] != 0 {
					got = append(got, string(b))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
