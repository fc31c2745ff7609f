package mysqlwire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// httpMethods are the beginnings of requests, as far as four bytes go; PRI is HTTP/2.
var httpMethods = []string{"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC", "CONN", "TRAC", "PRI "}

const sniffBytes = 4

var errSpokeFirst = errors.New("the client spoke first, and not HTTP")

// sniff waits a moment for the client to speak: MySQL clients wait for the greeting, HTTP clients do not. It returns what was read when
// that is HTTP, and nothing when the client is silent.
func sniff(nc net.Conn, wait time.Duration) ([]byte, error) {
	if err := nc.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, fmt.Errorf("waiting for the client to speak: %w", err)
	}
	var got [sniffBytes]byte
	n := 0
	for n < sniffBytes {
		k, err := nc.Read(got[n:])
		n += k
		if err != nil && n < sniffBytes {
			if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
				return nil, nc.SetReadDeadline(time.Time{})
			}
			return nil, fmt.Errorf("waiting for the client to speak: %w", err)
		}
	}
	for _, m := range httpMethods {
		if string(got[:]) == m {
			return got[:], nc.SetReadDeadline(time.Time{})
		}
	}
	return nil, errSpokeFirst
}

// replayed is a connection whose first bytes have been read already.
type replayed struct {
	net.Conn
	head []byte
}

// Read gives the bytes read already, then the others.
func (r *replayed) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}
