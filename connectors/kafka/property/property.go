package property

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace/millrace/connectors"
)

// Error is a property with a value that makes no sense.
type Error struct {
	Name, Text, Hint string
}

func (e *Error) Error() string { return fmt.Sprintf("property '%s': %s", e.Name, e.Text) }

func bad(name, form string, args ...any) *Error {
	return &Error{Name: name, Text: fmt.Sprintf(form, args...)}
}

// connection gathers the settings that only together make sense.
type connection struct {
	protocol   string
	mechanism  string
	user, pass string
	caFile     string
	certFile   string
	keyFile    string
	skipHost   bool
	skipVerify bool
	token      tokenSource
	opts       []kgo.Opt
}

// Property is one property of Kafka's clients, under the names they use.
type Property struct {
	Names  []string // Java's name first, librdkafka's if it differs
	Type   connectors.OptionType
	Secret bool
	Doc    string
	apply  func(c *connection, v string) error
}

// All are the properties known, in the order of the documentation.
var All = []Property{
	{Names: []string{"security.protocol"}, Doc: "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
		apply: func(c *connection, v string) error { c.protocol = strings.ToUpper(v); return nil }},
	{Names: []string{"sasl.mechanism", "sasl.mechanisms"}, Doc: "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER",
		apply: func(c *connection, v string) error { c.mechanism = strings.ToUpper(v); return nil }},
	{Names: []string{"sasl.username"}, Doc: "user name for SASL", apply: func(c *connection, v string) error { c.user = v; return nil }},
	{Names: []string{"sasl.password"}, Secret: true, Doc: "password for SASL", apply: func(c *connection, v string) error { c.pass = v; return nil }},
	{Names: []string{"sasl.jaas.config"}, Secret: true, Doc: "user and password as Java clients write them: ...LoginModule required username=\"u\" password=\"p\";",
		apply: applyJaas},
	{Names: []string{"sasl.oauthbearer.token"}, Secret: true, Doc: "token for OAUTHBEARER; file:PATH reads it anew for each connection",
		apply: func(c *connection, v string) error { c.token.fixed = v; return nil }},
	{Names: []string{"sasl.oauthbearer.token.endpoint.url"}, Doc: "where to get tokens for OAUTHBEARER by client credentials",
		apply: func(c *connection, v string) error { c.token.endpoint = v; return nil }},
	{Names: []string{"sasl.oauthbearer.client.id"}, Doc: "client id for the token endpoint",
		apply: func(c *connection, v string) error { c.token.clientID = v; return nil }},
	{Names: []string{"sasl.oauthbearer.client.secret"}, Secret: true, Doc: "client secret for the token endpoint",
		apply: func(c *connection, v string) error { c.token.secret = v; return nil }},
	{Names: []string{"sasl.oauthbearer.scope"}, Doc: "scope asked of the token endpoint",
		apply: func(c *connection, v string) error { c.token.scope = v; return nil }},
	{Names: []string{"ssl.truststore.location", "ssl.ca.location"}, Doc: "PEM file of the certificate authorities to trust",
		apply: func(c *connection, v string) error { c.caFile = v; return nil }},
	{Names: []string{"ssl.keystore.location", "ssl.certificate.location"}, Doc: "PEM file of the client's certificate (and key)",
		apply: func(c *connection, v string) error { c.certFile = v; return nil }},
	{Names: []string{"ssl.key.location"}, Doc: "PEM file of the client's key, if it is not with the certificate",
		apply: func(c *connection, v string) error { c.keyFile = v; return nil }},
	{Names: []string{"ssl.endpoint.identification.algorithm"}, Doc: "https, or none to accept certificates of other host names",
		apply: func(c *connection, v string) error { c.skipHost = v == "" || v == "none"; return nil }},
	{Names: []string{"enable.ssl.certificate.verification"}, Type: connectors.OptBool, Doc: "false: accept any certificate",
		apply: func(c *connection, v string) error { c.skipVerify = !isTrue(v); return nil }},
	{Names: []string{"client.id"}, Doc: "name of this client in the broker's logs and quotas",
		apply: func(c *connection, v string) error { c.add(kgo.ClientID(v)); return nil }},
	{Names: []string{"client.rack"}, Doc: "rack of this client, to read from a near replica",
		apply: func(c *connection, v string) error { c.add(kgo.Rack(v)); return nil }},
	intSetting("bytes of one fetch from a broker", func(n int32) kgo.Opt { return kgo.FetchMaxBytes(n) }, "fetch.max.bytes"),
	intSetting("bytes of one partition in a fetch", func(n int32) kgo.Opt { return kgo.FetchMaxPartitionBytes(n) },
		"max.partition.fetch.bytes", "fetch.message.max.bytes"),
	intSetting("bytes for which a broker waits before it answers", func(n int32) kgo.Opt { return kgo.FetchMinBytes(n) }, "fetch.min.bytes"),
	millisSetting("how long a broker waits for them", func(d time.Duration) kgo.Opt { return kgo.FetchMaxWait(d) },
		"fetch.max.wait.ms", "fetch.wait.max.ms"),
	millisSetting("how long records may wait to fill a batch", func(d time.Duration) kgo.Opt { return kgo.ProducerLinger(d) }, "linger.ms"),
	millisSetting("time to answer a request", func(d time.Duration) kgo.Opt { return kgo.RequestTimeoutOverhead(d) },
		"request.timeout.ms", "socket.timeout.ms"),
	millisSetting("age after which metadata is asked again", func(d time.Duration) kgo.Opt { return kgo.MetadataMaxAge(d) },
		"metadata.max.age.ms", "topic.metadata.refresh.interval.ms"),
	millisSetting("idle time after which a connection is closed", func(d time.Duration) kgo.Opt { return kgo.ConnIdleTimeout(d) },
		"connections.max.idle.ms"),
	millisSetting("time to open a connection", func(d time.Duration) kgo.Opt { return kgo.DialTimeout(d) },
		"socket.connection.setup.timeout.ms"),
}

func intSetting(doc string, opt func(int32) kgo.Opt, names ...string) Property {
	return Property{Names: names, Type: connectors.OptInt, Doc: doc, apply: func(c *connection, v string) error {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n <= 0 {
			return fmt.Errorf("'%s' is no number from 1 to 2147483647", v)
		}
		c.add(opt(int32(n)))
		return nil
	}}
}

func millisSetting(doc string, opt func(time.Duration) kgo.Opt, names ...string) Property {
	return Property{Names: names, Type: connectors.OptInt, Doc: doc + ", in milliseconds", apply: func(c *connection, v string) error {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return fmt.Errorf("'%s' is no number of milliseconds", v)
		}
		c.add(opt(time.Duration(n) * time.Millisecond))
		return nil
	}}
}

func isTrue(v string) bool { b, _ := strconv.ParseBool(v); return b }

func (c *connection) add(o kgo.Opt) { c.opts = append(c.opts, o) }

var jaasField = regexp.MustCompile(`(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"`)

func applyJaas(c *connection, v string) error {
	for _, m := range jaasField.FindAllStringSubmatch(v, 2) {
		value := strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[2])
		if m[1] == "username" {
			c.user = value
		} else {
			c.pass = value
		}
	}
	if c.user == "" {
		return fmt.Errorf("no username=\"..\" found")
	}
	if c.mechanism == "" && strings.Contains(v, "PlainLoginModule") {
		c.mechanism = "PLAIN"
	}
	return nil
}

// Options turns properties into options of the client. get returns the value of a property and whether it is set. An error about a
// single property is an *Error.
func Options(get func(name string) (string, bool)) ([]kgo.Opt, error) {
	c := &connection{}
	for i := range All {
		for _, name := range All[i].Names {
			v, ok := get(name)
			if !ok {
				continue
			}
			if err := All[i].apply(c, v); err != nil {
				return nil, &Error{Name: name, Text: err.Error(), Hint: All[i].Doc}
			}
		}
	}
	if err := c.secure(); err != nil {
		return nil, err
	}
	return c.opts, nil
}

// Known tells whether there is a property of that name.
func Known(name string) bool {
	return slices.ContainsFunc(All, func(p Property) bool { return slices.Contains(p.Names, name) })
}

// secure adds TLS and SASL as security.protocol asks for.
func (c *connection) secure() error {
	const name = "security.protocol"
	useTLS, useSASL := false, false
	switch c.protocol {
	case "":
		useTLS, useSASL = c.caFile != "" || c.certFile != "", c.mechanism != "" || c.user != ""
	case "PLAINTEXT":
	case "SSL":
		useTLS = true
	case "SASL_PLAINTEXT":
		useSASL = true
	case "SASL_SSL":
		useTLS, useSASL = true, true
	default:
		return bad(name, "'%s' is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", c.protocol)
	}
	if useTLS {
		config, err := c.tlsConfig()
		if err != nil {
			return err
		}
		c.add(kgo.DialTLSConfig(config))
	}
	if !useSASL {
		return nil
	}
	switch c.mechanism {
	case "PLAIN":
		c.add(kgo.SASL(plain.Auth{User: c.user, Pass: c.pass}.AsMechanism()))
	case "SCRAM-SHA-256":
		c.add(kgo.SASL(scram.Auth{User: c.user, Pass: c.pass}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		c.add(kgo.SASL(scram.Auth{User: c.user, Pass: c.pass}.AsSha512Mechanism()))
	case "OAUTHBEARER":
		if err := c.token.check(); err != nil {
			return err
		}
		c.add(kgo.SASL(oauth.Oauth(c.token.get)))
	default:
		return bad("sasl.mechanism", "'%s' is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER", c.mechanism)
	}
	return nil
}

func (c *connection) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.skipVerify}
	if c.caFile != "" {
		pem, err := os.ReadFile(c.caFile)
		if err != nil {
			return nil, bad("ssl.ca.location", "%v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, bad("ssl.ca.location", "'%s' holds no PEM certificate", c.caFile)
		}
	}
	if c.certFile != "" {
		keyFile := c.keyFile
		if keyFile == "" {
			keyFile = c.certFile
		}
		cert, err := tls.LoadX509KeyPair(c.certFile, keyFile)
		if err != nil {
			return nil, bad("ssl.certificate.location", "%v", err)
		}
		config.Certificates = []tls.Certificate{cert}
	}
	if c.skipHost && !c.skipVerify {
		// The standard check covers chain and name together, so it is replaced by one of the chain alone.
		config.InsecureSkipVerify = true
		roots := config.RootCAs
		config.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, roots) }
	}
	return config, nil
}

func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, cert := range s.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	return err
}
