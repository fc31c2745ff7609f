package broker

import (
	"bytes"
	"errors"
	"io"
	"math/rand"
	"net"
	"os"
	"testing"
	"time"
)

// TestPipeTransfers moves more than the buffer holds, in pieces of random size, both ways at once.
func TestPipeTransfers(t *testing.T) {
	a, b := newPipe()
	data := make([]byte, 5<<20)
	rand.New(rand.NewSource(1)).Read(data)
	send := func(c net.Conn, seed int64) {
		r := rand.New(rand.NewSource(seed))
		for rest := data; len(rest) > 0; {
			n := min(1+r.Intn(300_000), len(rest))
			if m, err := c.Write(rest[:n]); err != nil || m != n {
				t.Errorf("writing: %d of %d, %v", m, n, err)
				return
			}
			rest = rest[n:]
		}
	}
	go send(a, 1)
	go send(b, 2)
	for _, c := range []net.Conn{a, b} {
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("data differ, %v", err)
		}
	}
}

func TestPipeClose(t *testing.T) {
	a, b := newPipe()
	a.Write([]byte("last words"))
	a.Close()
	if got, err := io.ReadAll(b); err != nil || string(got) != "last words" {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing to a closed peer: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("reading from a closed end: %v", err)
	}
}

func TestPipeDeadlines(t *testing.T) {
	a, b := newPipe()
	defer b.Close()
	a.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	a.SetReadDeadline(time.Time{})
	b.Write([]byte("x"))
	if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("after lifting the deadline: %d, %v", n, err)
	}
	a.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	n, err := a.Write(make([]byte, 2*pipeMaxBytes))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n != pipeMaxBytes {
		t.Errorf("write: %d, %v", n, err)
	}
	var nerr net.Error
	if !errors.As(err, &nerr) || !nerr.Timeout() {
		t.Error("the deadline error is not a net timeout")
	}
}
