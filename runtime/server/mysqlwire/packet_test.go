package mysqlwire

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/sql/parser"
)

// quiet is a connection that only writes, without deadlines.
type quiet struct {
	net.Conn
	w io.Writer
}

func (q quiet) Write(p []byte) (int, error)      { return q.w.Write(p) }
func (q quiet) SetWriteDeadline(time.Time) error { return nil }

func TestFrames(t *testing.T) {
	for _, n := range []int{0, 1, 250, maxFrame - 1, maxFrame, maxFrame + 5, 2 * maxFrame} {
		var out bytes.Buffer
		w := packetWriter{nc: quiet{w: &out}, seq: 3}
		payload := bytes.Repeat([]byte{'x'}, n)
		if err := w.end(append(w.begin(), 'a')); err != nil {
			t.Fatal(err)
		}
		if err := w.end(append(w.begin(), payload...)); err != nil {
			t.Fatal(err)
		}
		if err := w.flush(); err != nil {
			t.Fatal(err)
		}
		r := packetReader{r: &out, limit: 3 * maxFrame}
		if got, err := r.read(3); err != nil || string(got) != "a" {
			t.Errorf("%d: %q, %v", n, got, err)
		}
		if got, err := r.read(4); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("%d: %d bytes, %v", n, len(got), err)
		}
		if _, err := r.read(r.seq + 1); err != io.EOF {
			t.Errorf("%d: the end is %v", n, err)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, n := range []uint64{0, 250, 251, 1<<16 - 1, 1 << 16, 1<<24 - 1, 1 << 24, 1<<64 - 1} {
		d := decoder{b: appendLenInt(nil, n)}
		if got := d.lenInt(); got != n || d.bad || len(d.b) > 0 {
			t.Errorf("%d becomes %d", n, got)
		}
	}
	d := decoder{b: []byte{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'}}
	if d.lenBytes(); !d.bad {
		t.Error("a string of 2^64-1 bytes passes")
	}
}

func TestErrorMoves(t *testing.T) {
	e := edits{{7, 24, 40}, {30, 34, 1}}
	for _, x := range []struct{ at, want int }{{0, 0}, {7, 7}, {20, 7}, {47, 24}, {52, 29}, {53, 30}, {54, 34}, {-1, -1}} {
		if got := e.origin(x.at); got != x.want {
			t.Errorf("%d becomes %d, want %d", x.at, got, x.want)
		}
	}
}

func TestParameterText(t *testing.T) {
	for _, x := range []struct {
		typ  uint16
		data string
		want string
	}{
		{typeTiny, "\xff", "(-1)"}, {typeTiny | 0x8000, "\xff", "255"}, {typeShort, "\x00\x80", "(-32768)"}, {typeLong, "\x05\x00\x00\x00", "5"},
		{typeNewDecimal, "\x04-1.5", "(-1.5)"}, {typeNewDecimal, "\x051;'--", "'1;''--'"}, {typeVarString, "\x03a'\\", `'a''\\'`},
		{typeBlob, "\x02\xff\x00", "x'ff00'"}, {typeDate, "\x04\xe4\x07\x02\x03", "DATE '2020-02-03'"},
		{typeDatetime, "\x0b\xe4\x07\x02\x03\x04\x05\x06\x07\x00\x00\x00", "TIMESTAMP '2020-02-03 04:05:06.000007'"},
		{typeTime, "\x08\x01\x01\x00\x00\x00\x02\x03\x04", "TIME '-26:03:04'"}, {typeNull, "", "NULL"},
		{typeVarString, "\x05a", ""}, {typeDouble, "\x00\x00\x00\x00\x00\x00\xf8\x7f", ""}, {typeTime, "\x03abc", ""}, {typeDatetime, "\x0bx", ""},
	} {
		got, err := appendParameter(nil, &decoder{b: []byte(x.data)}, x.typ)
		if (err != nil) != (x.want == "") || err == nil && string(got) != x.want {
			t.Errorf("%d %q: %s, %v, want %q", x.typ, x.data, got, err, x.want)
		}
	}
}

// TestCodes: every code that a user can cause has a number that tools understand, or is left to 1105 on purpose.
func TestCodes(t *testing.T) {
	generic := map[diag.Code]bool{diag.NoEventTime: true, diag.UnboundedState: true, diag.UnboundedQuery: true, diag.NoKey: true,
		diag.UnknownConnector: true, diag.UnknownFormat: true, diag.JobFailed: true}
	for _, c := range diag.Codes() {
		if _, ok := codes[c]; !ok && c < 4000 && !generic[c] {
			t.Errorf("%s has no MySQL number", c)
		}
	}
	for c, m := range codes {
		if len(m.state) != 5 || m.number < 1000 {
			t.Errorf("%s: %v", c, m)
		}
	}
}

// FuzzDecode gives arbitrary bytes to everything that decodes what a client sends. Nothing may panic; a literal made of a parameter must
// stay one token, or a negative number in brackets, so that no value can become SQL.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x05\x00\x00\x00\x0a"), uint16(typeVarString))
	f.Add(greeting(nil, 1, make([]byte, scrambleBytes)), uint16(typeNewDecimal))
	f.Add([]byte("\x04'\\'x"), uint16(typeVarString))
	f.Add([]byte("\x0b\xe4\x07\x02\x03\x04\x05\x06\x07\x00\x00\x00"), uint16(typeDatetime))
	f.Fuzz(func(t *testing.T, data []byte, typ uint16) {
		r := packetReader{r: bytes.NewReader(data), limit: 1 << 16}
		for want := byte(0); ; want++ {
			if _, err := r.read(want); err != nil {
				break
			}
		}
		_, _ = parseLogin(data)
		_, _ = parseChangeUser(data, serverCaps)
		p := &prepared{parts: []string{"SELECT ", ", ", ""}, long: map[int][]byte{}}
		p.longData(data)
		_, _ = p.bind(data)
		if literal, err := appendParameter(nil, &decoder{b: data}, typ); err == nil {
			checkLiteral(t, string(literal))
		}
		if text := string(data); utf8.ValidString(text) {
			if opened := openComments(text); len(opened) != len(text) {
				t.Fatalf("offsets moved: %q becomes %q", text, opened)
			}
			w := scan(text)
			w.name()
			_, _ = (&table{fields: newTable("a", "#b").fields, batch: newTable("a", "#b").batch}).filter(w)
		}
	})
}

func checkLiteral(t *testing.T, literal string) {
	toks := parser.Tokens(literal)
	first := literal
	if len(toks) > 0 {
		first = literal[toks[0].Off:toks[0].End]
	}
	most := 1
	switch {
	case first == "(":
		most = 4 // ( - 1 )
	case first == "DATE" || first == "TIMESTAMP" || first == "TIME":
		most = 2
	}
	if len(toks) == 0 || len(toks) > most {
		t.Fatalf("the literal %q has %d tokens", literal, len(toks))
	}
}
