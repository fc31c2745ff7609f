package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace/millrace/state/broker/auth"
)

// authority signs certificates in tests.
type authority struct {
	t    testing.TB
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	next int64
}

func newAuthority(t testing.TB, dir string) *authority {
	t.Helper()
	a := &authority{t: t, dir: dir, next: 1}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a.key = key
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue writes NAME.pem and NAME.key for a subject.
func (a *authority) issue(name string, subject pkix.Name) (cert, key string) {
	a.t.Helper()
	a.next++
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(a.next), Subject: subject, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &k.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", der), a.write(name+".key", "EC PRIVATE KEY", keyDER)
}

func (a *authority) clientTLS(cert, key string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := &tls.Config{RootCAs: pool}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			a.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

// logText gathers what a broker logs.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// fortress is a broker with a listener of each protocol, access rules, and a user root who may do everything.
type fortress struct {
	*Broker
	ca  *authority
	log *logText
}

func newFortress(t testing.TB, change func(o *Options)) *fortress {
	t.Helper()
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	cert, key := ca.issue("server", pkix.Name{CommonName: "localhost"})
	f := &fortress{ca: ca, log: &logText{}}
	tlsFiles := TLS{CertFile: cert, KeyFile: key}
	mutual := TLS{CertFile: cert, KeyFile: key, ClientCAFile: filepath.Join(dir, "ca.pem")}
	o := Options{
		DataDir: filepath.Join(dir, "data"),
		Listeners: []Listener{
			{Addr: "127.0.0.1:0", Protocol: SASLPlaintext, Mechanisms: []string{auth.Plain, auth.ScramSHA256, auth.ScramSHA512, auth.OAuthBearer}},
			{Addr: "127.0.0.1:0", Protocol: SASLSSL, TLS: tlsFiles},
			{Addr: "127.0.0.1:0", Protocol: SSL, TLS: mutual},
			{Addr: "127.0.0.1:0", Protocol: Plaintext},
		},
		Security: Security{
			ACLs: true, SuperUsers: []string{"User:root"}, Users: map[string]string{"root": "secret"},
			CertificateNames: `RULE:^CN=(.*?),O=Shop$/$1/L,DEFAULT`, OAuth: OAuth{AllowUnsecured: true},
		},
		Logger: slog.New(slog.NewTextHandler(f.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Broker = b
	t.Cleanup(func() { b.Close(context.Background()) })
	if err := b.CreateTopic("t", 1, nil); err != nil {
		t.Fatal(err)
	}
	return f
}

// client connects over one of the listeners.
func (f *fortress) client(t testing.TB, protocol string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	if protocol == SASLSSL {
		opts = append(opts, kgo.DialTLSConfig(f.ca.clientTLS("", "")))
	}
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(f.ListenerAddr(protocol).String()), kgo.RetryTimeout(5*time.Second), kgo.RequestRetries(2))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func scram256(user, password string) sasl.Mechanism {
	return scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
}

func scram512(user, password string) sasl.Mechanism {
	return scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
}

func plainAuth(user, password string) sasl.Mechanism {
	return plain.Auth{User: user, Pass: password}.AsMechanism()
}

func unsecuredToken(user string, end time.Time) string {
	body, _ := json.Marshal(map[string]any{"sub": user, "exp": end.Unix()})
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
}

func TestSASLMechanisms(t *testing.T) {
	f := newFortress(t, nil)
	token := oauth.Auth{Token: unsecuredToken("root", time.Now().Add(time.Hour))}.AsMechanism()
	for _, protocol := range []string{SASLPlaintext, SASLSSL} {
		for name, m := range map[string]sasl.Mechanism{
			"plain": plainAuth("root", "secret"), "scram256": scram256("root", "secret"), "scram512": scram512("root", "secret"), "token": token,
		} {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				c := f.client(t, protocol, kgo.SASL(m), kgo.ConsumeTopics("t"))
				produce(t, c, "t", name, 3)
				consume(t, c, 3)
			})
		}
		for name, m := range map[string]sasl.Mechanism{
			"plain": plainAuth("root", "wrong"), "scram256": scram256("root", "wrong"), "scram512": scram512("nobody", "secret"),
			"token": oauth.Auth{Token: unsecuredToken("root", time.Now().Add(-time.Hour))}.AsMechanism(),
		} {
			t.Run(protocol+"/wrong/"+name, func(t *testing.T) {
				c := f.client(t, protocol, kgo.SASL(m))
				if err := c.Ping(testContext(t)); err == nil {
					t.Error("let in")
				}
			})
		}
		t.Run(protocol+"/none", func(t *testing.T) {
			if err := f.client(t, protocol).Ping(testContext(t)); err == nil {
				t.Error("let in without authentication")
			}
		})
	}
	if s := f.log.String(); strings.Count(s, "authentication failed") < 8 || strings.Contains(s, "secret") {
		t.Errorf("the log:\n%s", s)
	}
}

// TestStoredUsers: users made over the protocol come in by SCRAM and by PLAIN, until they are removed, and after a restart.
func TestStoredUsers(t *testing.T) {
	f := newFortress(t, nil)
	admin := kadm.NewClient(f.client(t, SASLSSL, kgo.SASL(scram512("root", "secret"))))
	up := []kadm.UpsertSCRAM{{User: "ann", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "pencil"}}
	if r, err := admin.AlterUserSCRAMs(testContext(t), nil, up); err != nil || !r.Ok() {
		t.Fatal(r, err)
	}
	weak := sample(f.Broker, 51, 0).(*kmsg.AlterUserSCRAMCredentialsRequest)
	weak.Upsertions[0].Iterations = 4095
	if codes := codesOf(answerOf(t, f.Broker, &memoryListener, auth.Anonymous, weak)); len(codes) != 1 || codes[0] != errUnacceptableCredential {
		t.Errorf("weak credential: codes %v", codes)
	}
	list, err := admin.DescribeUserSCRAMs(testContext(t))
	if err != nil || len(list) != 1 || list["ann"].CredInfos[0].Iterations != 4096 {
		t.Fatalf("%+v %v", list, err)
	}
	for name, m := range map[string]sasl.Mechanism{"scram": scram256("ann", "pencil"), "plain": plainAuth("ann", "pencil")} {
		if err := f.client(t, SASLSSL, kgo.SASL(m)).Ping(testContext(t)); err != nil {
			t.Error(name, err)
		}
	}
	if err := f.client(t, SASLSSL, kgo.SASL(scram512("ann", "pencil"))).Ping(testContext(t)); err == nil {
		t.Error("let in by a mechanism the user has no credential for")
	}
	if r, err := admin.AlterUserSCRAMs(testContext(t), []kadm.DeleteSCRAM{{User: "ann", Mechanism: kadm.ScramSha256}}, nil); err != nil || !r.Ok() {
		t.Fatal(r, err)
	}
	if err := f.client(t, SASLSSL, kgo.SASL(scram256("ann", "pencil"))).Ping(testContext(t)); err == nil {
		t.Error("a removed user is let in")
	}
}

// TestMutualTLS: the user's name comes from the certificate by rule, and without a certificate nobody comes in.
func TestMutualTLS(t *testing.T) {
	f := newFortress(t, nil)
	cert, key := f.ca.issue("ann", pkix.Name{CommonName: "Ann", Organization: []string{"Shop"}})
	c := f.client(t, SSL, kgo.DialTLSConfig(f.ca.clientTLS(cert, key)))
	err := c.ProduceSync(testContext(t), kgo.StringRecord("x")).FirstErr()
	grantTopic(t, f, "User:ann", kmsg.ACLOperationAll)
	c = f.client(t, SSL, kgo.DialTLSConfig(f.ca.clientTLS(cert, key)), kgo.ConsumeTopics("t"))
	produce(t, c, "t", "mutual", 1)
	consume(t, c, 1)
	if err == nil {
		t.Error("wrote without a right")
	}
	if err := f.client(t, SSL, kgo.DialTLSConfig(f.ca.clientTLS("", ""))).Ping(testContext(t)); err == nil {
		t.Error("let in without a certificate")
	}
	stranger := newAuthority(t, t.TempDir())
	cert, key = stranger.issue("ann", pkix.Name{CommonName: "Ann", Organization: []string{"Shop"}})
	cfg := stranger.clientTLS(cert, key)
	cfg.RootCAs = f.ca.clientTLS("", "").RootCAs
	if err := f.client(t, SSL, kgo.DialTLSConfig(cfg)).Ping(testContext(t)); err == nil {
		t.Error("let in with a certificate of somebody else's authority")
	}
}

func grantTopic(t testing.TB, f *fortress, who auth.Principal, op kmsg.ACLOperation) {
	t.Helper()
	err := f.security.changeACLs(f.ctx, []auth.Binding{{Resource: kmsg.ACLResourceTypeTopic, Name: "t", Pattern: kmsg.ACLResourcePatternTypeLiteral,
		Principal: who, Host: "*", Operation: op, Permission: kmsg.ACLPermissionTypeAllow}}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

// TestCertificateIsReloaded: a listener serves the certificate that is in its file now.
func TestCertificateIsReloaded(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	f := newFortress(t, func(o *Options) { o.Now = clock })
	serial := func() int64 {
		c, err := tls.Dial("tcp", f.ListenerAddr(SASLSSL).String(), f.ca.clientTLS("", ""))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	before := serial()
	f.ca.issue("server", pkix.Name{CommonName: "localhost"})
	later := time.Now().Add(time.Second)
	for _, name := range []string{"server.pem", "server.key"} {
		if err := os.Chtimes(filepath.Join(f.ca.dir, name), later, later); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	now = now.Add(fileCheckInterval)
	mu.Unlock()
	if got := serial(); got == before || got != f.ca.next {
		t.Errorf("serial %d, before %d, new %d", got, before, f.ca.next)
	}
	if err := os.WriteFile(filepath.Join(f.ca.dir, "server.pem"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	now = now.Add(fileCheckInterval)
	mu.Unlock()
	if got := serial(); got != f.ca.next {
		t.Error("an unreadable file took the certificate away")
	}
	if !strings.Contains(f.log.String(), "the old content stays in force") {
		t.Error("nothing in the log")
	}
}

// TestReauthentication: a connection whose time is over is closed, and a client that authenticates again goes on (KIP-368).
func TestReauthentication(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	f := newFortress(t, func(o *Options) { o.Now, o.Security.MaxReauth = clock, time.Minute })
	c := dialAddr(t, f.ListenerAddr(SASLPlaintext).String())
	login := func(user, password string) *kmsg.SASLAuthenticateResponse {
		if h := ask[*kmsg.SASLHandshakeResponse](c, &kmsg.SASLHandshakeRequest{Version: 1, Mechanism: auth.Plain}); h.ErrorCode != 0 {
			t.Fatal("handshake:", h.ErrorCode)
		}
		return ask[*kmsg.SASLAuthenticateResponse](c, &kmsg.SASLAuthenticateRequest{Version: 1, SASLAuthBytes: []byte("\x00" + user + "\x00" + password)})
	}
	if r := login("root", "secret"); r.ErrorCode != 0 || r.SessionLifetimeMillis != 60_000 {
		t.Fatalf("%+v", r)
	}
	pass(50 * time.Second)
	ask[*kmsg.MetadataResponse](c, kmsg.NewPtrMetadataRequest())
	login("root", "secret")
	pass(50 * time.Second)
	ask[*kmsg.MetadataResponse](c, kmsg.NewPtrMetadataRequest())
	pass(20 * time.Second)
	c.send(kmsg.NewPtrMetadataRequest())
	if _, err := c.r.ReadByte(); err == nil {
		t.Error("served after the authentication had expired")
	}
	if !strings.Contains(f.log.String(), errSessionExpired.Error()) {
		t.Error("nothing in the log")
	}
}

func dialAddr(t testing.TB, addr string) *rawConn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return newRawConn(t, nc)
}

// TestOldHandshake: after version 0 of the handshake the messages come bare, in frames without headers.
func TestOldHandshake(t *testing.T) {
	f := newFortress(t, nil)
	c := dialAddr(t, f.ListenerAddr(SASLPlaintext).String())
	if h := ask[*kmsg.SASLHandshakeResponse](c, &kmsg.SASLHandshakeRequest{Mechanism: auth.Plain}); h.ErrorCode != 0 || len(h.SupportedMechanisms) != 4 {
		t.Fatalf("%+v", h)
	}
	message := []byte("\x00root\x00secret")
	c.net.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	var size [4]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil || size != [4]byte{} {
		t.Fatal(size, err)
	}
	ask[*kmsg.MetadataResponse](c, kmsg.NewPtrMetadataRequest())
}

// TestBeforeAuthentication: a client that has not said who it is gets nothing but the versions, and each breach closes its connection.
func TestBeforeAuthentication(t *testing.T) {
	f := newFortress(t, nil)
	addr := f.ListenerAddr(SASLPlaintext).String()
	ask[*kmsg.ApiVersionsResponse](dialAddr(t, addr), kmsg.NewPtrApiVersionsRequest())
	closes := func(name string, c *rawConn) {
		t.Helper()
		if _, err := io.ReadAll(c.r); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := dialAddr(t, addr)
	c.send(kmsg.NewPtrMetadataRequest())
	closes("metadata", c)
	c = dialAddr(t, addr)
	c.net.Write([]byte{0x01, 0, 0, 0, 0, 36, 0, 2, 0, 0, 0, 0})
	closes("16 MiB before authentication", c)
	c = dialAddr(t, addr)
	if r := ask[*kmsg.SASLAuthenticateResponse](c, &kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte("x")}); r.ErrorCode != errIllegalSASLState {
		t.Error(r.ErrorCode)
	}
	closes("authenticate without handshake", c)
	c = dialAddr(t, addr)
	if r := ask[*kmsg.SASLHandshakeResponse](c, &kmsg.SASLHandshakeRequest{Version: 1, Mechanism: "GSSAPI"}); r.ErrorCode != errUnsupportedMechanism {
		t.Error(r.ErrorCode)
	}
	c = dialAddr(t, addr)
	ask[*kmsg.SASLHandshakeResponse](c, &kmsg.SASLHandshakeRequest{Version: 1, Mechanism: auth.Plain})
	begin := time.Now()
	if r := ask[*kmsg.SASLAuthenticateResponse](c, &kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte("\x00root\x00wrong")}); r.ErrorCode != errAuthentication {
		t.Error(r.ErrorCode)
	}
	if time.Since(begin) < authFailureDelay {
		t.Error("guessing is fast")
	}
	closes("wrong password", c)
	c = dialAddr(t, f.ListenerAddr(Plaintext).String())
	if r := ask[*kmsg.SASLHandshakeResponse](c, &kmsg.SASLHandshakeRequest{Version: 1, Mechanism: auth.Plain}); r.ErrorCode != errIllegalSASLState {
		t.Error("handshake in the clear:", r.ErrorCode)
	}
}

// TestAnonymous: on a port without authentication a client is User:ANONYMOUS, whom rules may name.
func TestAnonymous(t *testing.T) {
	f := newFortress(t, nil)
	c := f.client(t, Plaintext, kgo.DefaultProduceTopic("t"))
	if err := c.ProduceSync(testContext(t), kgo.StringRecord("x")).FirstErr(); err == nil {
		t.Error("wrote without a right")
	}
	grantTopic(t, f, auth.Anonymous, kmsg.ACLOperationWrite)
	if err := f.client(t, Plaintext, kgo.DefaultProduceTopic("t")).ProduceSync(testContext(t), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Error(err)
	}
}

// TestTransactionsWithRules: the rights a transactional client needs, and no more, are enough for franz-go.
func TestTransactionsWithRules(t *testing.T) {
	f := newFortress(t, nil)
	for _, b := range []auth.Binding{
		{Resource: kmsg.ACLResourceTypeTopic, Name: "t", Operation: kmsg.ACLOperationWrite},
		{Resource: kmsg.ACLResourceTypeTopic, Name: "t", Operation: kmsg.ACLOperationRead},
		{Resource: kmsg.ACLResourceTypeTransactionalId, Name: "tx", Operation: kmsg.ACLOperationWrite},
		{Resource: kmsg.ACLResourceTypeGroup, Name: "g", Operation: kmsg.ACLOperationRead},
	} {
		b.Pattern, b.Principal, b.Host, b.Permission = kmsg.ACLResourcePatternTypeLiteral, auth.Anonymous, "*", kmsg.ACLPermissionTypeAllow
		if err := f.security.changeACLs(f.ctx, []auth.Binding{b}, nil); err != nil {
			t.Fatal(err)
		}
	}
	s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(f.ListenerAddr(Plaintext).String()), kgo.TransactionalID("tx"), kgo.ConsumerGroup("g"),
		kgo.ConsumeTopics("t"), kgo.DefaultProduceTopic("t"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seed := f.client(t, Plaintext, kgo.DefaultProduceTopic("t"))
	if err := seed.ProduceSync(testContext(t), kgo.StringRecord("seed")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	ctx := testContext(t)
	if fs := s.PollFetches(ctx); fs.Err() != nil || fs.NumRecords() != 1 {
		t.Fatal(fs.NumRecords(), fs.Err())
	}
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	s.Produce(ctx, kgo.StringRecord("out"), func(_ *kgo.Record, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	if ok, err := s.End(ctx, kgo.TryCommit); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestOptionsRefused(t *testing.T) {
	for name, change := range map[string]func(o *Options){
		"protocol":         func(o *Options) { o.Listeners[0].Protocol = "HTTP" },
		"no certificate":   func(o *Options) { o.Listeners[1].TLS = TLS{} },
		"no authorities":   func(o *Options) { o.Listeners[1].TLS.ClientAuth = "required" },
		"client auth":      func(o *Options) { o.Listeners[1].TLS.ClientAuth = "maybe" },
		"mechanism":        func(o *Options) { o.Listeners[0].Mechanisms = []string{"GSSAPI"} },
		"no keys":          func(o *Options) { o.Listeners[0].Mechanisms, o.Security.OAuth = []string{auth.OAuthBearer}, OAuth{} },
		"super user":       func(o *Options) { o.Security.ACLs, o.Security.SuperUsers = true, []string{"root"} },
		"mapping rule":     func(o *Options) { o.Security.CertificateNames = "RULE:" },
		"same name":        func(o *Options) { o.Listeners = append(o.Listeners, Listener{Addr: "127.0.0.1:0"}) },
		"missing key file": func(o *Options) { o.Security.OAuth.KeysFile = "/nowhere" },
	} {
		o := Options{DataDir: t.TempDir(), Listeners: []Listener{{Addr: "127.0.0.1:0", Protocol: SASLPlaintext}, {Addr: "127.0.0.1:0", Protocol: SSL, TLS: TLS{CertFile: "c", KeyFile: "k"}}, {Addr: "127.0.0.1:0"}}}
		if name != "same name" {
			o.Listeners = o.Listeners[:2]
		} else {
			o.Listeners = []Listener{o.Listeners[2]}
		}
		change(&o)
		b, err := Open(o)
		if err == nil {
			b.Close(context.Background())
			t.Errorf("%s: accepted", name)
		} else if !errors.Is(err, ErrInvalidOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
