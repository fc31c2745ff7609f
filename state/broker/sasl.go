package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

const (
	keySASLHandshake    int16 = 17
	keySASLAuthenticate int16 = 36

	errUnsupportedMechanism int16 = 33
	errIllegalSASLState     int16 = 34
	errAuthentication       int16 = 58
)

const (
	// authTimeout bounds the time from connecting to being known.
	authTimeout = 30 * time.Second
	// authFailureDelay holds back the answer to a failed authentication: guessing must be slow.
	authFailureDelay = 100 * time.Millisecond
	// maxAuthRequestBytes bounds a request of a client that is not known yet.
	maxAuthRequestBytes = 512 << 10
)

// errNotAuthenticated closes a connection that asks for something before it has said who it is.
var errNotAuthenticated = errors.New("request before authentication")

// errSessionExpired closes a connection whose proof has ended (KIP-368).
var errSessionExpired = errors.New("authentication has expired")

// identity is what a connection knows of its client. It belongs to the reader goroutine.
type identity struct {
	who       auth.Principal
	known     bool   // requests may be served
	mechanism string // of the authentication done or under way
	exchange  auth.Exchange
	raw       bool      // after SaslHandshake version 0: bare messages follow, without headers
	expires   time.Time // zero: never
	reauth    bool      // known, and authenticating again
}

// identify does what can be known before the first request: the TLS handshake and the certificate.
func (c *conn) identify() error {
	c.id.who = auth.Anonymous
	c.id.known = !c.listener.opts.sasl()
	t, ok := c.net.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.broker.ctx, authTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	if certs := t.ConnectionState().PeerCertificates; len(certs) > 0 && c.id.known {
		who, err := c.broker.security.names.Principal(certs[0].Subject.String())
		if err != nil {
			return err
		}
		c.id.who = who
	}
	return nil
}

// mayServe refuses requests of clients that are not known, or not any more.
func (c *conn) mayServe(key int16) error {
	if key == keyAPIVersions || key == keySASLHandshake || key == keySASLAuthenticate {
		return nil
	}
	if !c.id.known {
		return fmt.Errorf("%w: key %d", errNotAuthenticated, key)
	}
	if !c.id.expires.IsZero() && c.broker.opts.Now().After(c.id.expires) {
		return fmt.Errorf("%w: %s", errSessionExpired, c.id.who)
	}
	return nil
}

// handleSASLHandshake chooses a mechanism.
func handleSASLHandshake(b *Broker, r *request) reply {
	req := r.body.(*kmsg.SASLHandshakeRequest)
	resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
	id, l := &r.conn.id, r.conn.listener
	resp.SupportedMechanisms = append([]string{}, l.opts.Mechanisms...)
	switch {
	case !l.opts.sasl() || id.exchange != nil:
		resp.ErrorCode = errIllegalSASLState
		return reply{resp: resp, last: true}
	case !slices.Contains(l.opts.Mechanisms, req.Mechanism):
		resp.ErrorCode = errUnsupportedMechanism
		b.opts.Logger.Warn("SASL mechanism refused", "peer", r.conn.net.RemoteAddr(), "listener", l.opts.Name, "mechanism", req.Mechanism)
		return reply{resp: resp, last: true}
	case id.known && req.Mechanism != id.mechanism:
		resp.ErrorCode = errIllegalSASLState
		return reply{resp: resp, last: true}
	}
	id.reauth = id.known
	id.mechanism, id.raw = req.Mechanism, req.Version == 0
	id.exchange = b.security.exchange(req.Mechanism)
	return ready(resp)
}

// handleSASLAuthenticate takes one step of the exchange.
func handleSASLAuthenticate(b *Broker, r *request) reply {
	req := r.body.(*kmsg.SASLAuthenticateRequest)
	resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	resp.SASLAuthBytes = []byte{}
	if r.conn.id.exchange == nil || r.conn.id.raw {
		resp.ErrorCode = errIllegalSASLState
		resp.ErrorMessage = kmsg.StringPtr("SaslAuthenticate without SaslHandshake")
		return reply{resp: resp, last: true}
	}
	answer, err := r.conn.step(req.SASLAuthBytes)
	if err != nil {
		resp.ErrorCode = errAuthentication
		resp.ErrorMessage = kmsg.StringPtr("Authentication failed: credentials are not accepted")
		return reply{last: true, later: func(ctx context.Context) kmsg.Response {
			authPause(ctx)
			return resp
		}}
	}
	resp.SASLAuthBytes = answer
	if id := &r.conn.id; id.exchange == nil && !id.expires.IsZero() {
		resp.SessionLifetimeMillis = max(id.expires.Sub(b.opts.Now()).Milliseconds(), 1)
	}
	return ready(resp)
}

func authPause(ctx context.Context) {
	select {
	case <-time.After(authFailureDelay):
	case <-ctx.Done():
	}
}

// step feeds one message to the exchange; when it is done the client is known. A failure is logged here, once.
func (c *conn) step(message []byte) ([]byte, error) {
	answer, done, err := c.id.exchange.Step(message)
	if err == nil && done {
		err = c.accept(c.id.exchange.Identity())
	}
	if err != nil {
		c.broker.count.authFailures.Add(1)
		c.broker.opts.Logger.Warn("authentication failed", "peer", c.net.RemoteAddr(), "listener", c.listener.opts.Name,
			"mechanism", c.id.mechanism, "error", err)
		return nil, err
	}
	return notNil(answer), nil
}

// accept ends an exchange that succeeded.
func (c *conn) accept(who auth.Identity) error {
	id := &c.id
	if id.reauth && who.Principal != id.who {
		return fmt.Errorf("%w: %s cannot become %s", auth.ErrDenied, id.who, who.Principal)
	}
	id.who, id.expires = who.Principal, who.Expires
	id.known, id.reauth, id.raw, id.exchange = true, false, false, nil
	if limit := c.broker.opts.Security.MaxReauth; limit > 0 {
		if end := c.broker.opts.Now().Add(limit); id.expires.IsZero() || end.Before(id.expires) {
			id.expires = end
		}
	}
	return nil
}
