package kafka

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/millrace/millrace/connectors"
	"github.com/millrace/millrace/sql/diag"
)

// TestSASL needs a server with passwords, KAFKA_SASL_BROKERS, where alice has the password "secret"; .ci/services/README.md tells how to
// start one.
func TestSASL(t *testing.T) {
	addr := os.Getenv("KAFKA_SASL_BROKERS")
	if addr == "" {
		t.Skip("needs KAFKA_SASL_BROKERS")
	}
	const jaas = `org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";`
	for _, c := range []struct {
		set map[string]string
		ok  bool
	}{
		{map[string]string{"kafka.sasl.mechanism": "PLAIN", "kafka.sasl.username": "alice", "kafka.sasl.password": "secret"}, true},
		{map[string]string{"kafka.security.protocol": "sasl_plaintext", "kafka.sasl.jaas.config": jaas}, true},
		{map[string]string{"kafka.sasl.mechanism": "PLAIN", "kafka.sasl.username": "alice", "kafka.sasl.password": "wrong"}, false},
	} {
		c.set["brokers"], c.set["topic"] = addr, "sasl-test-missing"
		s, err := newSource(connectors.SourceConfig{Relation: "r", Columns: idColumns, Options: values(t, c.set)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		start := time.Now()
		_, err = s.Splits(testContext(t))
		d, _ := diag.As(err)
		switch {
		case d == nil || c.ok != (d.Code == diag.UnknownTopic):
			t.Errorf("%v: got %v", c.set, err)
		case !c.ok && (!strings.Contains(err.Error(), "SASL") || time.Since(start) > 10*time.Second):
			t.Errorf("a wrong password gave %v after %v", err, time.Since(start))
		}
	}
}
