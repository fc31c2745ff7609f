package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace/millrace/connectors"
)

const settingPrefix = "kafka."

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
	opts       []kgo.Opt
}

// setting is one property of Kafka's clients that is taken over under its own name, with `kafka.` before it.
type setting struct {
	names  []string // Java's name first, librdkafka's if it differs
	typ    connectors.OptionType
	values []string
	secret bool
	doc    string
	apply  func(c *connection, v string) error
}

var settings = []setting{
	{names: []string{"security.protocol"}, doc: "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
		apply: func(c *connection, v string) error { c.protocol = strings.ToUpper(v); return nil }},
	{names: []string{"sasl.mechanism", "sasl.mechanisms"}, doc: "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
		apply: func(c *connection, v string) error { c.mechanism = strings.ToUpper(v); return nil }},
	{names: []string{"sasl.username"}, doc: "user name for SASL", apply: func(c *connection, v string) error { c.user = v; return nil }},
	{names: []string{"sasl.password"}, secret: true, doc: "password for SASL", apply: func(c *connection, v string) error { c.pass = v; return nil }},
	{names: []string{"sasl.jaas.config"}, secret: true, doc: "user and password as Java clients write them: ...LoginModule required username=\"u\" password=\"p\";",
		apply: applyJaas},
	{names: []string{"ssl.truststore.location", "ssl.ca.location"}, doc: "PEM file of the certificate authorities to trust",
		apply: func(c *connection, v string) error { c.caFile = v; return nil }},
	{names: []string{"ssl.keystore.location", "ssl.certificate.location"}, doc: "PEM file of the client's certificate (and key)",
		apply: func(c *connection, v string) error { c.certFile = v; return nil }},
	{names: []string{"ssl.key.location"}, doc: "PEM file of the client's key, if it is not with the certificate",
		apply: func(c *connection, v string) error { c.keyFile = v; return nil }},
	{names: []string{"ssl.endpoint.identification.algorithm"}, doc: "https, or none to accept certificates of other host names",
		apply: func(c *connection, v string) error { c.skipHost = v == "" || v == "none"; return nil }},
	{names: []string{"enable.ssl.certificate.verification"}, typ: connectors.OptBool, doc: "false: accept any certificate",
		apply: func(c *connection, v string) error { c.skipVerify = !isTrue(v); return nil }},
	{names: []string{"client.id"}, doc: "name of this client in the broker's logs and quotas",
		apply: func(c *connection, v string) error { c.add(kgo.ClientID(v)); return nil }},
	{names: []string{"client.rack"}, doc: "rack of this client, to read from a near replica",
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

func intSetting(doc string, opt func(int32) kgo.Opt, names ...string) setting {
	return setting{names: names, typ: connectors.OptInt, doc: doc, apply: func(c *connection, v string) error {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n <= 0 {
			return fmt.Errorf("'%s' is no number from 1 to 2147483647", v)
		}
		c.add(opt(int32(n)))
		return nil
	}}
}

func millisSetting(doc string, opt func(time.Duration) kgo.Opt, names ...string) setting {
	return setting{names: names, typ: connectors.OptInt, doc: doc + ", in milliseconds", apply: func(c *connection, v string) error {
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

// settingOptions are the settings as options of the connector; the check of options then knows all names and suggests near ones.
func settingOptions() []connectors.Option {
	var out []connectors.Option
	for _, s := range settings {
		for i, name := range s.names {
			doc := s.doc
			if i > 0 {
				doc = "same as " + settingPrefix + s.names[0]
			}
			out = append(out, connectors.Option{Name: settingPrefix + name, Type: s.typ, Values: s.values, Secret: s.secret, Doc: doc})
		}
	}
	return out
}

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

// settingOpts turns the kafka.* options into options of the client.
func settingOpts(v connectors.Values) ([]kgo.Opt, error) {
	c := &connection{}
	for _, s := range settings {
		for _, name := range s.names {
			name = settingPrefix + name
			if !v.Has(name) {
				continue
			}
			if err := s.apply(c, v.String(name)); err != nil {
				return nil, badOption(name, "%v", err).WithHint("%s", s.doc)
			}
		}
	}
	if err := c.secure(); err != nil {
		return nil, err
	}
	return c.opts, nil
}

// secure adds TLS and SASL as security.protocol asks for.
func (c *connection) secure() error {
	const name = settingPrefix + "security.protocol"
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
		return badOption(name, "'%s' is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", c.protocol)
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
	default:
		return badOption(settingPrefix+"sasl.mechanism", "'%s' is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", c.mechanism)
	}
	return nil
}

func (c *connection) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: c.skipVerify}
	if c.caFile != "" {
		pem, err := os.ReadFile(c.caFile)
		if err != nil {
			return nil, badOption(settingPrefix+"ssl.ca.location", "%v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, badOption(settingPrefix+"ssl.ca.location", "'%s' holds no PEM certificate", c.caFile)
		}
	}
	if c.certFile != "" {
		keyFile := c.keyFile
		if keyFile == "" {
			keyFile = c.certFile
		}
		cert, err := tls.LoadX509KeyPair(c.certFile, keyFile)
		if err != nil {
			return nil, badOption(settingPrefix+"ssl.certificate.location", "%v", err)
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
