package broker

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
	"github.com/millrace/millrace/state/broker/quota"
	"github.com/millrace/millrace/state/log"
)

// TestMetadataSurvives: what was answered is there after a restart, also after the log was written anew.
func TestMetadataSurvives(t *testing.T) {
	dir := t.TempDir()
	c := log.NewCommitter(1)
	defer c.Close()
	want := map[string]string{}
	for round := range 4 {
		m, err := openMetadataLog(dir, c)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, kind := range []string{metaACL, metaQuota} {
			if err := m.each(kind, func(name string, v []byte) error { got[kind+name] = string(v); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("round %d: %d entries, want %d", round, len(got), len(want))
		}
		for k, v := range want {
			if got[k] != v {
				t.Fatalf("round %d: %s is %s, want %s", round, k, got[k], v)
			}
		}
		var changes []metaChange
		for i := range 600 { // more than metaGarbage in two rounds
			kind, name := metaACL, fmt.Sprint(i%50)
			if i%2 == 0 {
				kind = metaQuota
			}
			ch := metaChange{kind, name, i + round}
			want[kind+name] = fmt.Sprint(i + round)
			if i%7 == 0 {
				ch.value = nil
				delete(want, kind+name)
			}
			changes = append(changes, ch)
		}
		if err := m.write(context.Background(), changes); err != nil {
			t.Fatal(err)
		}
		if round == 3 && m.records > 200 {
			t.Errorf("%d records are left of %d entries: not written anew", m.records, len(want))
		}
		if err := m.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSecuritySurvives: rules, credentials and limits are there after a restart.
func TestSecuritySurvives(t *testing.T) {
	dir := t.TempDir()
	open := func() *Broker {
		b, err := Open(Options{DataDir: dir, Security: Security{ACLs: true, SuperUsers: []string{"User:root"}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := open()
	for _, key := range []int16{30, 49, 51} {
		if codes := codesOf(answerOf(t, b, &plainListener, "User:root", sample(b, key, findRequest(key).max))); len(codes) != 1 || codes[0] != 0 {
			t.Fatalf("key %d: codes %v", key, codes)
		}
	}
	b.Close(context.Background())
	b = open()
	defer b.Close(context.Background())
	acls := answerOf(t, b, &plainListener, "User:root", sample(b, 29, 3)).(*kmsg.DescribeACLsResponse)
	users := answerOf(t, b, &plainListener, "User:root", sample(b, 50, 0)).(*kmsg.DescribeUserSCRAMCredentialsResponse)
	quotas := answerOf(t, b, &plainListener, "User:root", sample(b, 48, 1)).(*kmsg.DescribeClientQuotasResponse)
	if len(acls.Resources) != 1 || len(users.Results) != 1 || len(quotas.Entries) != 1 || quotas.Entries[0].Values[0].Value != 1e9 {
		t.Errorf("%+v\n%+v\n%+v", acls, users, quotas)
	}
	if !b.security.authorizer.Allowed(&auth.Action{Principal: "User:z", Operation: 3, Resource: 2, Name: "other"}) {
		t.Error("the rule is listed but not in force")
	}
	if _, ok := b.quotas.Burst(quota.Produce, "z", "c"); !ok {
		t.Error("the limit is listed but not in force")
	}
}
