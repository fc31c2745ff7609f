package broker

import (
	"context"
	"crypto/tls"
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

// listener is one door of the broker.
type listener struct {
	opts    Listener
	at      endpoint
	tls     *tls.Config  // nil: in the clear
	net     net.Listener // nil for memory
	trusted bool         // the process itself: may do everything
}

// listen opens the sockets that are configured, and then starts to accept on all of them.
func (b *Broker) listen() error {
	configured := b.opts.Listeners
	if b.opts.Listen != "" {
		configured = append([]Listener{{Addr: b.opts.Listen, Advertised: b.opts.AdvertisedAddr}}, configured...)
	}
	for _, opts := range configured {
		l, err := b.openListener(opts)
		if err != nil {
			return err
		}
		if b.ListenerAddr(l.opts.Name) != nil {
			l.net.Close()
			return fmt.Errorf("%w: two listeners named %s", ErrInvalidOptions, l.opts.Name)
		}
		b.listeners = append(b.listeners, l)
	}
	for _, l := range b.listeners {
		b.tasks.Go(func() { b.accept(l) })
	}
	return nil
}

func (b *Broker) openListener(opts Listener) (*listener, error) {
	l := &listener{opts: opts}
	err := l.opts.check(&b.opts.Security)
	if err != nil {
		return nil, err
	}
	if l.opts.encrypted() {
		if l.tls, err = b.tlsConfig(&l.opts); err != nil {
			return nil, err
		}
	}
	if l.net, err = net.Listen("tcp", opts.Addr); err != nil {
		return nil, fmt.Errorf("listening on %s: %w", opts.Addr, err)
	}
	if l.at, err = advertised(opts.Advertised, l.net.Addr()); err != nil {
		l.net.Close()
		return nil, err
	}
	return l, nil
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

func (b *Broker) accept(l *listener) {
	for {
		nc, err := l.net.Accept()
		if errors.Is(err, net.ErrClosed) || b.ctx.Err() != nil {
			return
		}
		if err != nil {
			b.opts.Logger.Warn("accept failed", "listener", l.opts.Name, "error", err)
			select {
			case <-time.After(acceptRetry):
			case <-b.ctx.Done():
			}
			continue
		}
		if l.tls != nil {
			nc = tls.Server(nc, l.tls)
		}
		if err := b.serve(nc, l); err != nil {
			b.opts.Logger.Warn("connection refused", "peer", nc.RemoteAddr(), "listener", l.opts.Name, "error", err)
			nc.Close()
		}
	}
}

// Dial connects to the broker in memory. Metadata on such a connection advertises InternalAddr, so a client must use Dial for every
// address it is given. It may do everything: whoever can call Dial is the process itself.
func (b *Broker) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, server := newPipe()
	if err := b.serve(server, &memoryListener); err != nil {
		return nil, err
	}
	return client, nil
}

var memoryListener = func() listener {
	at, err := advertised(InternalAddr, nil)
	if err != nil {
		panic(err) // InternalAddr is a constant
	}
	return listener{opts: Listener{Name: "memory", Protocol: Plaintext}, at: at, trusted: true}
}()
