package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
	"github.com/millrace/millrace/state/broker"
)

// brokerConfig is the section [broker] of millrace.toml: ports with TLS and SASL, who may do what, and limits.
type brokerConfig struct {
	Listeners     []listenerConfig  `toml:"listeners"`
	Security      securityConfig    `toml:"security"`
	Limits        limitsConfig      `toml:"limits"`
	AutoCreate    *bool             `toml:"auto_create_topics"`
	Partitions    int               `toml:"default_partitions"`
	TopicDefaults map[string]string `toml:"topic_defaults"`
}

type listenerConfig struct {
	Name       string   `toml:"name"`
	Listen     string   `toml:"listen"`
	Advertised string   `toml:"advertised"`
	Protocol   string   `toml:"protocol"`
	Cert       string   `toml:"cert_file"`
	Key        string   `toml:"key_file"`
	ClientCA   string   `toml:"client_ca_file"`
	ClientAuth string   `toml:"client_auth"`
	Mechanisms []string `toml:"mechanisms"`
}

type securityConfig struct {
	ACLs             bool              `toml:"acls"`
	SuperUsers       []string          `toml:"super_users"`
	AllowIfNoACL     bool              `toml:"allow_if_no_acl"`
	Users            map[string]string `toml:"users"`
	CertificateNames string            `toml:"certificate_names"`
	MaxReauth        string            `toml:"max_reauth"`
	OAuth            oauthConfig       `toml:"oauth"`
}

type oauthConfig struct {
	KeysFile       string   `toml:"keys_file"`
	Issuer         string   `toml:"issuer"`
	Audience       string   `toml:"audience"`
	Scopes         []string `toml:"scopes"`
	PrincipalClaim string   `toml:"principal_claim"`
	AllowUnsecured bool     `toml:"allow_unsecured"`
}

type limitsConfig struct {
	Connections      int    `toml:"connections"`
	ConnectionsPerIP int    `toml:"connections_per_ip"`
	Request          string `toml:"request"`
	InFlight         string `toml:"in_flight"`
	Partitions       int    `toml:"partitions"`
}

// brokerFlags are the flags that stand for parts of the section.
type brokerFlags struct {
	listeners           []string
	cert, key, clientCA string
	acls                bool
	superUsers          []string
}

func (b *brokerFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&b.listeners, "kafka-listener", nil, "further Kafka port, PROTOCOL://HOST:PORT with PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL; may be repeated")
	f.StringVar(&b.cert, "kafka-cert", "", "PEM file of the certificate of --kafka-listener")
	f.StringVar(&b.key, "kafka-key", "", "PEM file of its key")
	f.StringVar(&b.clientCA, "kafka-client-ca", "", "PEM file of the authorities of clients' certificates, which are then required")
	f.BoolVar(&b.acls, "kafka-acls", false, "deny Kafka clients what no access rule allows (millrace acl)")
	f.StringSliceVar(&b.superUsers, "kafka-super-user", nil, "users who may do everything, with commas")
}

// apply puts the flags on top of the section.
func (b *brokerFlags) apply(c *brokerConfig) error {
	for _, l := range b.listeners {
		protocol, addr, ok := strings.Cut(l, "://")
		if !ok {
			return failed(exitUsage, "--kafka-listener '%s' is not PROTOCOL://HOST:PORT", l)
		}
		lc := listenerConfig{Listen: addr, Protocol: strings.ToUpper(protocol)}
		if strings.HasSuffix(lc.Protocol, "SSL") {
			lc.Cert, lc.Key, lc.ClientCA = b.cert, b.key, b.clientCA
		}
		c.Listeners = append(c.Listeners, lc)
	}
	c.Security.ACLs = c.Security.ACLs || b.acls
	c.Security.SuperUsers = append(c.Security.SuperUsers, b.superUsers...)
	return nil
}

// options makes the options of the broker of the section.
func (c *brokerConfig) options() (o broker.Options, err error) {
	wrong := func(what string, err error) error {
		return diag.New(diag.BadConfiguration, -1, "broker.%s: %v", what, err)
	}
	s := &c.Security
	o = broker.Options{
		AutoCreateTopics: c.AutoCreate == nil || *c.AutoCreate, DefaultPartitions: c.Partitions, DefaultConfig: c.TopicDefaults,
		MaxConns: c.Limits.Connections, MaxConnsPerIP: c.Limits.ConnectionsPerIP, MaxPartitions: c.Limits.Partitions,
		Security: broker.Security{
			ACLs: s.ACLs, AllowIfNoACL: s.AllowIfNoACL, CertificateNames: s.CertificateNames, Users: map[string]string{},
			OAuth: broker.OAuth{KeysFile: s.OAuth.KeysFile, Issuer: s.OAuth.Issuer, Audience: s.OAuth.Audience, Scopes: s.OAuth.Scopes,
				PrincipalClaim: s.OAuth.PrincipalClaim, AllowUnsecured: s.OAuth.AllowUnsecured},
		},
	}
	for _, u := range s.SuperUsers {
		o.Security.SuperUsers = append(o.Security.SuperUsers, "User:"+strings.TrimPrefix(u, "User:"))
	}
	for user, password := range s.Users {
		if o.Security.Users[user], err = resolveSecret(password); err != nil {
			return o, wrong("security.users."+user, err)
		}
	}
	if s.MaxReauth != "" {
		if o.Security.MaxReauth, err = time.ParseDuration(s.MaxReauth); err != nil {
			return o, wrong("security.max_reauth", err)
		}
	}
	if c.Limits.Request != "" {
		n, err := connectors.ParseSize(c.Limits.Request)
		if err != nil {
			return o, wrong("limits.request", err)
		}
		o.MaxRequestBytes = int(n)
	}
	if c.Limits.InFlight != "" {
		if o.MaxInFlightBytes, err = connectors.ParseSize(c.Limits.InFlight); err != nil {
			return o, wrong("limits.in_flight", err)
		}
	}
	for _, l := range c.Listeners {
		o.Listeners = append(o.Listeners, broker.Listener{
			Name: l.Name, Addr: l.Listen, Advertised: l.Advertised, Protocol: strings.ToUpper(l.Protocol), Mechanisms: l.Mechanisms,
			TLS: broker.TLS{CertFile: l.Cert, KeyFile: l.Key, ClientCAFile: l.ClientCA, ClientAuth: l.ClientAuth},
		})
	}
	return o, nil
}

// maxSecretFile bounds a file with a secret, in bytes.
const maxSecretFile = 64 << 10

// resolveSecret gives what env:NAME or file:PATH stand for; anything else stands for itself.
func resolveSecret(s string) (string, error) {
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		if v := os.Getenv(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the environment has no %s", name)
	}
	if path, ok := strings.CutPrefix(s, "file:"); ok {
		text, err := os.ReadFile(path)
		if err == nil && len(text) > maxSecretFile {
			err = fmt.Errorf("%s is larger than %d bytes", path, maxSecretFile)
		}
		return strings.TrimRight(string(text), "\r\n"), err
	}
	return s, nil
}
