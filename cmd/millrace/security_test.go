package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// freeAddr is an address nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestSecureBroker: a server with users, rules and limits from its configuration, kept by the commands user, acl and quota.
func TestSecureBroker(t *testing.T) {
	dir := t.TempDir()
	sasl := freeAddr(t)
	write(t, dir, "admin.txt", "s3cret\n")
	config := write(t, dir, "millrace.toml", fmt.Sprintf(`
[[broker.listeners]]
listen = %q
protocol = "sasl_plaintext"

[broker]
auto_create_topics = false

[broker.security]
acls = true
super_users = ["admin"]
users = { admin = "file:%s/admin.txt" }
`, sasl, dir))
	s := serveAt(t, dir+"/data", "127.0.0.1:0", "127.0.0.1:0", "--config", config)
	admin := write(t, dir, "admin.properties", "# as for Kafka's tools\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.username = admin\nsasl.password = s3cret\n")
	asAdmin := func(stdin string, args ...string) answer {
		t.Helper()
		return command(t, "", stdin, append(args, "--brokers", sasl, "--command-config", admin)...)
	}
	asAnn := func(stdin string, args ...string) answer {
		t.Helper()
		return command(t, "", stdin, append(args, "--brokers", sasl, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=SCRAM-SHA-256",
			"-X", "sasl.username=ann", "-X", "sasl.password=pencil")...)
	}
	asAdmin("", "topic", "create", "orders").want(t, exitOK)
	asAnn("", "topic", "ls").want(t, exitConnect, "SASL")
	asAdmin("pencil\n", "user", "add", "ann").want(t, exitOK, "added ann")
	asAdmin("", "user", "ls").want(t, exitOK, "ann", "SCRAM-SHA-256 SCRAM-SHA-512")
	asAnn("x\n", "topic", "produce", "orders").want(t, exitError, "authoriz")
	asAdmin("", "acl", "add", "--user", "ann", "--operation", "read,write", "--topic", "orders").want(t, exitOK, "User:ann", "write")
	asAnn("x\n", "topic", "produce", "orders").want(t, exitOK)
	if l := asAdmin("", "acl", "ls", "--user", "ann").want(t, exitOK).lines(); len(l) != 3 {
		t.Errorf("rules: %q", l)
	}
	asAdmin("", "acl", "rm").want(t, exitUsage)
	asAdmin("", "acl", "rm", "--user", "ann", "--operation", "write").want(t, exitOK, "write")
	asAnn("x\n", "topic", "produce", "orders").want(t, exitError, "authoriz")
	asAdmin("", "quota", "set", "--user", "ann", "--fetch", "1MiB").want(t, exitOK, "consumer_byte_rate=1048576")
	asAdmin("", "quota", "ls").want(t, exitOK, "ann", "consumer_byte_rate=1048576")
	asAdmin("", "quota", "rm", "--user", "ann").want(t, exitOK)
	asAdmin("", "user", "rm", "ann").want(t, exitOK)
	asAdmin("", "user", "rm", "ann").want(t, exitError, "no user 'ann'")
	asAnn("", "topic", "ls").want(t, exitConnect, "SASL")
	asAdmin("", "topic", "ls", "-X", "no.such=1").want(t, exitUsage, "no.such")
	asAdmin("", "topic", "ls", "-X", "security.protocol=http").want(t, exitUsage, "security.protocol")
	// The port in the clear is under the same rules, and the engine inside is not.
	command(t, "", "x\n", "topic", "produce", "orders", "--brokers", s.kafka).want(t, exitError, "authoriz")
	s.sql("CREATE TABLE o (v VARCHAR) WITH (connector = 'kafka', topic = 'orders', format = 'raw', scan_bounded = 'latest'); SELECT COUNT(*) AS n FROM o").
		want(t, exitOK, `"n":1`)
}

func TestBadBrokerConfig(t *testing.T) {
	dir := t.TempDir()
	for text, word := range map[string]string{
		"[[broker.listeners]]\nlisten = '127.0.0.1:0'\nprotocol = 'http'": "HTTP",
		"[[broker.listeners]]\nlisten = '127.0.0.1:0'\nprotocol = 'SSL'":  "certificate",
		"[broker.security]\nusers = { a = 'env:NO_SUCH_VARIABLE' }":       "NO_SUCH_VARIABLE",
		"[broker.limits]\nrequest = 'much'":                               "limits.request",
		"[broker.security]\nmax_reauth = 'soon'":                          "max_reauth",
		"[broker.securty]\nacls = true":                                   "securty",
	} {
		config := write(t, dir, "bad.toml", text)
		a := command(t, dir, "", "serve", "--data-dir", dir+"/d", "--config", config, "--kafka-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--mysql-listen", "")
		if a.code == exitOK || !strings.Contains(a.err, word) {
			t.Errorf("%s: exit code %d, %s", text, a.code, a.err)
		}
	}
}

// TestMetricsPage: the HTTP port has the broker's numbers under Kafka's names.
func TestMetricsPage(t *testing.T) {
	s := startServer(t, t.TempDir()+"/data")
	command(t, "", "", "topic", "create", "orders", "--brokers", s.kafka).want(t, exitOK)
	command(t, "", "a\nb\n", "topic", "produce", "orders", "--brokers", s.kafka).want(t, exitOK)
	resp, err := http.Get("http://" + s.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(page), `kafka_server_brokertopicmetrics_messagesin_total{topic="orders"} 2`) {
		t.Errorf("%v\n%s", err, page)
	}
}
