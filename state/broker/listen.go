package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// acceptRetry is the pause after a failed accept, e.g. when the process is out of file descriptors.
const acceptRetry = 50 * time.Millisecond

// endpoint is what clients of one listener are told to connect to.
type endpoint struct {
	host string
	port int32
}

// listen opens the socket, if one is configured, and starts to accept.
func (b *Broker) listen() error {
	if b.opts.Listen == "" {
		return nil
	}
	l, err := net.Listen("tcp", b.opts.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", b.opts.Listen, err)
	}
	at, err := advertised(b.opts.AdvertisedAddr, l.Addr())
	if err != nil {
		l.Close()
		return err
	}
	b.listener = l
	b.tasks.Go(func() { b.accept(l, at) })
	return nil
}

// advertised is the address told to clients: the configured one, or else the one listened on, with localhost for "any interface".
func advertised(configured string, listening net.Addr) (endpoint, error) {
	addr := configured
	if addr == "" {
		addr = listening.String()
	}
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return endpoint{}, fmt.Errorf("advertised address: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return endpoint{}, fmt.Errorf("advertised address %s: %w", addr, err)
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	return endpoint{host, int32(port)}, nil
}

func (b *Broker) accept(l net.Listener, at endpoint) {
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) || b.ctx.Err() != nil {
			return
		}
		if err != nil {
			b.opts.Logger.Warn("accept failed", "error", err)
			select {
			case <-time.After(acceptRetry):
			case <-b.ctx.Done():
			}
			continue
		}
		if err := b.serve(nc, at); err != nil {
			b.opts.Logger.Warn("connection refused", "peer", nc.RemoteAddr(), "error", err)
			nc.Close()
		}
	}
}

// Dial connects to the broker in memory. Metadata on such a connection advertises InternalAddr, so a client must use Dial for every
// address it is given.
func (b *Broker) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at, err := advertised(InternalAddr, nil)
	if err != nil {
		return nil, err
	}
	client, server := newPipe()
	if err := b.serve(server, at); err != nil {
		return nil, err
	}
	return client, nil
}
