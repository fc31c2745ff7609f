package broker

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/millrace/millrace/state/broker/auth"
)

// Protocols of a listener, as Kafka names them.
const (
	Plaintext     = "PLAINTEXT"
	SSL           = "SSL"
	SASLPlaintext = "SASL_PLAINTEXT"
	SASLSSL       = "SASL_SSL"
)

// Values of TLS.ClientAuth.
const (
	clientAuthNone      = "none"
	clientAuthRequested = "requested"
	clientAuthRequired  = "required"
)

// ErrInvalidOptions: the options contradict each other or miss something; the text says what.
var ErrInvalidOptions = errors.New("invalid broker options")

// Listener is one port.
type Listener struct {
	// Name tells listeners apart in logs. Default: the protocol.
	Name string
	// Addr is the TCP address, e.g. ":9093".
	Addr string
	// Advertised is the host:port told to clients of this port. Default: the address listened on.
	Advertised string
	// Protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL. Default PLAINTEXT.
	Protocol string
	// TLS is needed for SSL and SASL_SSL.
	TLS TLS
	// Mechanisms are the SASL mechanisms offered. Default: SCRAM-SHA-256 and SCRAM-SHA-512, PLAIN if the port is encrypted, and
	// OAUTHBEARER if tokens are configured.
	Mechanisms []string
}

// TLS names the files of a listener's certificate. They are read again when they change.
type TLS struct {
	CertFile, KeyFile string
	// ClientCAFile holds the authorities that sign clients' certificates.
	ClientCAFile string
	// ClientAuth is none, requested or required. Default: required if there is a ClientCAFile, else none.
	ClientAuth string
}

// OAuth configures OAUTHBEARER. It is on if KeysFile is set or AllowUnsecured.
type OAuth struct {
	// KeysFile is a JSON Web Key Set with the issuer's public keys; it is read again when it changes.
	KeysFile string
	// Issuer, Audience and Scopes, if set, must be in a token.
	Issuer, Audience string
	Scopes           []string
	// PrincipalClaim is the claim with the user's name. Default "sub".
	PrincipalClaim string
	// AllowUnsecured accepts unsigned tokens. For tests only.
	AllowUnsecured bool
}

func (o *OAuth) enabled() bool { return o.KeysFile != "" || o.AllowUnsecured }

// Security says who may come in and what they may do.
type Security struct {
	// ACLs turns authorization on: what no rule allows is denied. Without it every client may do everything.
	ACLs bool
	// SuperUsers may do everything, e.g. "User:admin".
	SuperUsers []string
	// AllowIfNoACL lets everybody at resources that no rule is about.
	AllowIfNoACL bool
	// Users are names and passwords besides those stored by AlterUserScramCredentials; they win over stored ones. They are how the
	// first administrator gets in.
	Users map[string]string
	// CertificateNames are rules that name users by certificates, in the form of ssl.principal.mapping.rules.
	CertificateNames string
	OAuth            OAuth
	// MaxReauth closes SASL connections that have not authenticated again for so long (connections.max.reauth.ms). 0: never; the end
	// of a token counts in any case.
	MaxReauth time.Duration
}

// check fills in defaults of a listener and refuses what cannot work.
func (l *Listener) check(s *Security) error {
	if l.Protocol == "" {
		l.Protocol = Plaintext
	}
	if l.Name == "" {
		l.Name = l.Protocol
	}
	if !slices.Contains([]string{Plaintext, SSL, SASLPlaintext, SASLSSL}, l.Protocol) {
		return fmt.Errorf("%w: listener %s: protocol %q", ErrInvalidOptions, l.Name, l.Protocol)
	}
	if l.encrypted() && (l.TLS.CertFile == "" || l.TLS.KeyFile == "") {
		return fmt.Errorf("%w: listener %s: %s needs a certificate and a key", ErrInvalidOptions, l.Name, l.Protocol)
	}
	if l.TLS.ClientAuth == "" {
		l.TLS.ClientAuth = clientAuthNone
		if l.TLS.ClientCAFile != "" {
			l.TLS.ClientAuth = clientAuthRequired
		}
	}
	switch l.TLS.ClientAuth {
	case clientAuthNone:
	case clientAuthRequested, clientAuthRequired:
		if l.TLS.ClientCAFile == "" {
			return fmt.Errorf("%w: listener %s: client certificates need a file of authorities", ErrInvalidOptions, l.Name)
		}
	default:
		return fmt.Errorf("%w: listener %s: client authentication %q, allowed are none, requested, required", ErrInvalidOptions, l.Name, l.TLS.ClientAuth)
	}
	return l.checkMechanisms(s)
}

func (l *Listener) checkMechanisms(s *Security) error {
	if !l.sasl() {
		return nil
	}
	if len(l.Mechanisms) == 0 {
		l.Mechanisms = []string{auth.ScramSHA256, auth.ScramSHA512}
		if l.encrypted() {
			l.Mechanisms = append(l.Mechanisms, auth.Plain)
		}
		if s.OAuth.enabled() {
			l.Mechanisms = append(l.Mechanisms, auth.OAuthBearer)
		}
	}
	for _, m := range l.Mechanisms {
		switch m {
		case auth.ScramSHA256, auth.ScramSHA512, auth.Plain:
		case auth.OAuthBearer:
			if !s.OAuth.enabled() {
				return fmt.Errorf("%w: listener %s: %s needs a file of keys", ErrInvalidOptions, l.Name, m)
			}
		default:
			return fmt.Errorf("%w: listener %s: mechanism %q", ErrInvalidOptions, l.Name, m)
		}
	}
	return nil
}

func (l *Listener) encrypted() bool { return l.Protocol == SSL || l.Protocol == SASLSSL }
func (l *Listener) sasl() bool      { return l.Protocol == SASLPlaintext || l.Protocol == SASLSSL }
