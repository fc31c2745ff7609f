package auth

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	topic    = kmsg.ACLResourceTypeTopic
	literal  = kmsg.ACLResourcePatternTypeLiteral
	prefixed = kmsg.ACLResourcePatternTypePrefixed
	read     = kmsg.ACLOperationRead
	write    = kmsg.ACLOperationWrite
	describe = kmsg.ACLOperationDescribe
	all      = kmsg.ACLOperationAll
	allow    = kmsg.ACLPermissionTypeAllow
	deny     = kmsg.ACLPermissionTypeDeny
)

func rule(pattern kmsg.ACLResourcePatternType, name string, who Principal, op kmsg.ACLOperation, perm kmsg.ACLPermissionType) Binding {
	return Binding{topic, name, pattern, who, Wildcard, op, perm}
}

func TestAuthorizer(t *testing.T) {
	const ann, bob = Principal("User:ann"), Principal("User:bob")
	for name, c := range map[string]struct {
		rules Rules
		acls  []Binding
		x     Action
		want  bool
	}{
		"nothing allows":            {x: Action{ann, "h", read, topic, "t"}},
		"allow if no rule":          {rules: Rules{AllowIfNoACL: true}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"a rule for another counts": {Rules{AllowIfNoACL: true}, []Binding{rule(literal, "t", bob, read, allow)}, Action{ann, "h", read, topic, "t"}, false},
		"other topic has no rule":   {Rules{AllowIfNoACL: true}, []Binding{rule(literal, "t", bob, read, allow)}, Action{ann, "h", read, topic, "u"}, true},
		"super user":                {rules: Rules{SuperUsers: []Principal{ann}}, acls: []Binding{rule(literal, "t", ann, all, deny)}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"literal":                   {acls: []Binding{rule(literal, "t", ann, read, allow)}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"literal is not a prefix":   {acls: []Binding{rule(literal, "t", ann, read, allow)}, x: Action{ann, "h", read, topic, "t2"}},
		"prefix":                    {acls: []Binding{rule(prefixed, "t", ann, read, allow)}, x: Action{ann, "h", read, topic, "t2"}, want: true},
		"wildcard":                  {acls: []Binding{rule(literal, "*", ann, read, allow)}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"prefixed star is a name":   {acls: []Binding{rule(prefixed, "*", ann, read, allow)}, x: Action{ann, "h", read, topic, "t"}},
		"everybody":                 {acls: []Binding{rule(literal, "t", "User:*", read, allow)}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"deny wins":                 {acls: []Binding{rule(literal, "t", ann, all, allow), rule(prefixed, "t", "User:*", read, deny)}, x: Action{ann, "h", read, topic, "t"}},
		"deny of another operation": {acls: []Binding{rule(literal, "t", ann, all, allow), rule(literal, "t", ann, write, deny)}, x: Action{ann, "h", read, topic, "t"}, want: true},
		"read implies describe":     {acls: []Binding{rule(literal, "t", ann, read, allow)}, x: Action{ann, "h", describe, topic, "t"}, want: true},
		"deny implies nothing":      {acls: []Binding{rule(literal, "t", ann, all, allow), rule(literal, "t", ann, read, deny)}, x: Action{ann, "h", describe, topic, "t"}, want: true},
		"describe is not read":      {acls: []Binding{rule(literal, "t", ann, describe, allow)}, x: Action{ann, "h", read, topic, "t"}},
		"other type":                {acls: []Binding{rule(literal, "t", ann, read, allow)}, x: Action{ann, "h", read, kmsg.ACLResourceTypeGroup, "t"}},
		"other host":                {acls: []Binding{{topic, "t", literal, ann, "10.0.0.1", read, allow}}, x: Action{ann, "10.0.0.2", read, topic, "t"}},
		"same host":                 {acls: []Binding{{topic, "t", literal, ann, "10.0.0.1", read, allow}}, x: Action{ann, "10.0.0.1", read, topic, "t"}, want: true},
	} {
		a := NewAuthorizer(c.rules)
		a.Set(c.acls)
		if got := a.Allowed(&c.x); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAllowedSomewhere(t *testing.T) {
	const ann = Principal("User:ann")
	for i, c := range []struct {
		acls []Binding
		want bool
	}{
		{nil, false},
		{[]Binding{rule(literal, "t", ann, write, allow)}, true},
		{[]Binding{rule(literal, "t", ann, read, allow)}, false},
		{[]Binding{rule(literal, "t", ann, write, allow), rule(literal, "t", ann, write, deny)}, false},
		{[]Binding{rule(literal, "tx", ann, write, allow), rule(prefixed, "t", ann, all, deny)}, false},
		{[]Binding{rule(prefixed, "t", ann, write, allow), rule(prefixed, "tx", ann, write, deny)}, true},
		{[]Binding{rule(literal, "*", ann, write, allow), rule(prefixed, "t", ann, write, deny)}, true},
		{[]Binding{rule(literal, "t", ann, write, allow), rule(literal, "*", ann, write, deny)}, false},
	} {
		a := NewAuthorizer(Rules{})
		a.Set(c.acls)
		if got := a.AllowedSomewhere(&Action{Principal: ann, Host: "h", Operation: write, Resource: topic}); got != c.want {
			t.Errorf("case %d: %v", i, got)
		}
	}
}

// TestAuthorizerAgainstScan compares the index with going through all rules.
func TestAuthorizerAgainstScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	names := []string{"*", "a", "ab", "abc", "b", "ba"}
	users := []Principal{"User:*", "User:x", "User:y"}
	ops := []kmsg.ACLOperation{read, write, describe, all}
	for range 3000 {
		var acls []Binding
		for range rng.IntN(6) {
			acls = append(acls, Binding{topic, names[rng.IntN(6)], literal + kmsg.ACLResourcePatternType(rng.IntN(2)), users[rng.IntN(3)], Wildcard, ops[rng.IntN(4)], deny + kmsg.ACLPermissionType(rng.IntN(2))})
		}
		a := NewAuthorizer(Rules{AllowIfNoACL: rng.IntN(2) == 0})
		a.Set(acls)
		x := Action{users[1+rng.IntN(2)], "h", ops[rng.IntN(3)], topic, names[1+rng.IntN(5)]}
		var found, allowed, denied bool
		for i := range acls {
			b := &acls[i]
			if !b.applies(x.Name) {
				continue
			}
			found = true
			if b.Principal != everybody && b.Principal != x.Principal {
				continue
			}
			same := b.Operation == all || b.Operation == x.Operation
			denied = denied || b.Permission == deny && same
			allowed = allowed || b.Permission == allow && (same || x.Operation == describe && b.Operation != describe)
		}
		want := allowed && !denied
		if !found {
			want = a.rules.AllowIfNoACL
		}
		if got := a.Allowed(&x); got != want {
			t.Fatalf("%+v under %+v: %v", x, acls, got)
		}
	}
}

func TestFilter(t *testing.T) {
	name := func(s string) *string { return &s }
	b := rule(prefixed, "or", "User:ann", read, allow)
	anyFilter := Filter{kmsg.ACLResourceTypeAny, nil, kmsg.ACLResourcePatternTypeAny, nil, nil, kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny}
	for i, c := range []struct {
		change func(f *Filter)
		want   bool
	}{
		{func(f *Filter) {}, true},
		{func(f *Filter) { f.Name = name("or") }, true},
		{func(f *Filter) { f.Name = name("orders") }, false},
		{func(f *Filter) { f.Name, f.Pattern = name("orders"), kmsg.ACLResourcePatternTypeMatch }, true},
		{func(f *Filter) { f.Name, f.Pattern = name("or"), literal }, false},
		{func(f *Filter) { f.Principal = name("User:bob") }, false},
		{func(f *Filter) { f.Host = name("*") }, true},
		{func(f *Filter) { f.Operation = write }, false},
		{func(f *Filter) { f.Permission = deny }, false},
	} {
		f := anyFilter
		c.change(&f)
		if err := f.Check(); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
		if f.Matches(&b) != c.want {
			t.Errorf("case %d", i)
		}
	}
}

func TestBindingCheck(t *testing.T) {
	good := rule(literal, "t", "User:ann", read, allow)
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for i, change := range []func(b *Binding){
		func(b *Binding) { b.Name = "" },
		func(b *Binding) { b.Resource = 99 },
		func(b *Binding) { b.Pattern = kmsg.ACLResourcePatternTypeMatch },
		func(b *Binding) { b.Principal = "ann" },
		func(b *Binding) { b.Principal = "Group:ann" },
		func(b *Binding) { b.Host = "" },
		func(b *Binding) { b.Operation = kmsg.ACLOperationClusterAction },
		func(b *Binding) { b.Permission = kmsg.ACLPermissionTypeAny },
		func(b *Binding) { b.Resource, b.Operation = kmsg.ACLResourceTypeCluster, kmsg.ACLOperationAlter },
	} {
		b := good
		change(&b)
		if err := b.Check(); !errors.Is(err, ErrInvalid) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func BenchmarkAllowed(b *testing.B) {
	a := NewAuthorizer(Rules{})
	var acls []Binding
	for i := range 10_000 {
		acls = append(acls, rule(literal+kmsg.ACLResourcePatternType(i%2), fmt.Sprint("topic-", i), "User:ann", read, allow))
	}
	a.Set(acls)
	x := Action{"User:ann", "h", read, topic, "topic-5001-x"}
	b.ReportAllocs()
	for b.Loop() {
		a.Allowed(&x)
	}
}
