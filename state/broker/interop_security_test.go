package broker

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// kcatSASL are kcat's options for the encrypted port with authentication.
func (f *fortress) kcatSASL(mechanism, user, password string) []string {
	return []string{"-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location=" + filepath.Join(f.ca.dir, "ca.pem"),
		"-X", "sasl.mechanism=" + mechanism, "-X", "sasl.username=" + user, "-X", "sasl.password=" + password}
}

func TestKcatSASL(t *testing.T) {
	f := newFortress(t, nil)
	newKcat(t, f.Broker) // skips without it
	k := kcat{t, "kcat", f.ListenerAddr(SASLSSL).String()}
	var want []string
	for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		args := f.kcatSASL(m, "root", "secret")
		k.run(m+"\n", append(args, "-P", "-t", "t", "-p", "0")...)
		want = append(want, m)
		wantText(t, m, k.run("", append(args, "-C", "-t", "t", "-o", "beginning", "-e")...), strings.Join(want, "\n"))
	}
}

// TestJavaSecurity: Kafka's own tools make a user, rules and limits over SCRAM and TLS, and are held to them.
func TestJavaSecurity(t *testing.T) {
	f := newFortress(t, nil)
	j := newJavaTools(t, f.Broker)
	j.addr = f.ListenerAddr(SASLSSL).String()
	config := func(user, password string) string {
		path := filepath.Join(f.ca.dir, user+".properties")
		text := fmt.Sprintf("security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nssl.truststore.type=PEM\nssl.truststore.location=%s\n"+
			"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"%s\" password=\"%s\";\n"+
			"group.id=g\nrequest.timeout.ms=8000\ndefault.api.timeout.ms=8000\n",
			filepath.Join(f.ca.dir, "ca.pem"), user, password)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	root := config("root", "secret")
	mustContain(t, "user", j.run("", "configs", "--command-config", root, "--alter", "--entity-type", "users", "--entity-name", "ann",
		"--add-config", "SCRAM-SHA-512=[iterations=8192,password=pencil]"), "Completed updating config for user ann")
	mustContain(t, "describe user", j.run("", "configs", "--command-config", root, "--describe", "--entity-type", "users", "--entity-name", "ann"),
		"SCRAM-SHA-512=iterations=8192")
	mustContain(t, "limit", j.run("", "configs", "--command-config", root, "--alter", "--entity-type", "users", "--entity-name", "ann",
		"--add-config", "producer_byte_rate=1048576"), "Completed updating config for user ann")
	mustContain(t, "acls", j.run("", "acls", "--command-config", root, "--add", "--allow-principal", "User:ann", "--operation", "Read", "--operation", "Write",
		"--topic", "t"), "User:ann")
	j.run("", "acls", "--command-config", root, "--add", "--allow-principal", "User:ann", "--operation", "Read", "--group", "g")
	mustContain(t, "list acls", j.run("", "acls", "--command-config", root, "--list"), "operation=WRITE, permissionType=ALLOW", "name=g")
	ann := config("ann", "pencil")
	j.run("one\ntwo\n", "console-producer", "--topic", "t", "--command-config", ann)
	wantText(t, "consumed", j.consume(2, "--command-config", ann), "one\ntwo")
	if got := j.run("", "topics", "--command-config", ann, "--list"); strings.TrimSpace(got) != "t" {
		t.Errorf("a user who may see one topic sees %q", got)
	}
	j.run("", "acls", "--command-config", root, "--remove", "--force", "--allow-principal", "User:ann", "--operation", "Write", "--topic", "t")
	if f.security.authorizer.Allowed(&auth.Action{Principal: "User:ann", Host: "127.0.0.1", Operation: kmsg.ACLOperationWrite, Resource: kmsg.ACLResourceTypeTopic, Name: "t"}) {
		t.Error("a removed rule is in force")
	}
}
