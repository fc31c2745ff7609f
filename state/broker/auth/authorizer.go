package auth

import (
	"slices"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Rules configure an Authorizer.
type Rules struct {
	// SuperUsers may do everything.
	SuperUsers []Principal
	// AllowIfNoACL lets everybody at resources that no rule is about.
	AllowIfNoACL bool
}

// Authorizer decides by rules in the manner of Kafka's: a rule that denies wins over one that allows, and what nothing allows is
// denied. Reading takes no lock: Set replaces the whole index.
type Authorizer struct {
	rules Rules
	index atomic.Pointer[aclIndex]
}

// aclIndex is immutable.
type aclIndex struct {
	types map[kmsg.ACLResourceType]*typeIndex
}

// typeIndex holds the rules about one type of resource by the name in their pattern.
type typeIndex struct {
	literal  map[string][]Binding
	prefixed map[string][]Binding
	lengths  []int // of the prefixes, each once
	all      []Binding
}

// NewAuthorizer makes one without rules.
func NewAuthorizer(r Rules) *Authorizer {
	a := &Authorizer{rules: r}
	a.Set(nil)
	return a
}

// Set replaces all rules.
func (a *Authorizer) Set(all []Binding) {
	ix := &aclIndex{types: map[kmsg.ACLResourceType]*typeIndex{}}
	for _, b := range all {
		t := ix.types[b.Resource]
		if t == nil {
			t = &typeIndex{literal: map[string][]Binding{}, prefixed: map[string][]Binding{}}
			ix.types[b.Resource] = t
		}
		t.all = append(t.all, b)
		if b.Pattern == kmsg.ACLResourcePatternTypePrefixed {
			t.prefixed[b.Name] = append(t.prefixed[b.Name], b)
			if !slices.Contains(t.lengths, len(b.Name)) {
				t.lengths = append(t.lengths, len(b.Name))
			}
			continue
		}
		t.literal[b.Name] = append(t.literal[b.Name], b)
	}
	a.index.Store(ix)
}

// Action is what somebody wants to do.
type Action struct {
	Principal Principal
	Host      string
	Operation kmsg.ACLOperation
	Resource  kmsg.ACLResourceType
	Name      string
}

// Super reports whether a user may do everything.
func (a *Authorizer) Super(p Principal) bool { return slices.Contains(a.rules.SuperUsers, p) }

// Allowed decides about one action.
func (a *Authorizer) Allowed(x *Action) bool {
	if a.Super(x.Principal) {
		return true
	}
	t := a.index.Load().types[x.Resource]
	if t == nil {
		return a.rules.AllowIfNoACL
	}
	var v verdict
	v.consider(t.literal[Wildcard], x)
	if x.Name != Wildcard {
		v.consider(t.literal[x.Name], x)
	}
	for _, n := range t.lengths {
		if n <= len(x.Name) {
			v.consider(t.prefixed[x.Name[:n]], x)
		}
	}
	if !v.found {
		return a.rules.AllowIfNoACL
	}
	return v.allowed && !v.denied
}

// verdict gathers what the rules say.
type verdict struct {
	found           bool // some rule is about the resource, whoever it names
	allowed, denied bool
}

func (v *verdict) consider(rules []Binding, x *Action) {
	v.found = v.found || len(rules) > 0
	for i := range rules {
		b := &rules[i]
		if !b.concerns(x.Principal, x.Host) {
			continue
		}
		switch {
		case b.Permission == kmsg.ACLPermissionTypeDeny:
			v.denied = v.denied || b.Operation == x.Operation || b.Operation == kmsg.ACLOperationAll
		case b.Operation == x.Operation || b.Operation == kmsg.ACLOperationAll || implies(b.Operation, x.Operation):
			v.allowed = true
		}
	}
}

// concerns reports whether the rule is about that user at that address.
func (b *Binding) concerns(p Principal, host string) bool {
	return (b.Principal == p || b.Principal == everybody) && (b.Host == host || b.Host == Wildcard)
}

// implies reports operations that come with an allowed one: who may read, write, delete or alter may look. Denials imply nothing.
func implies(allowed, asked kmsg.ACLOperation) bool {
	switch asked {
	case kmsg.ACLOperationDescribe:
		switch allowed {
		case kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationDelete, kmsg.ACLOperationAlter:
			return true
		}
	case kmsg.ACLOperationDescribeConfigs:
		return allowed == kmsg.ACLOperationAlterConfigs
	}
	return false
}

// AllowedSomewhere decides whether the user may do the operation to at least one resource of the type, whatever its name: a rule
// allows it that no denial covers whole.
func (a *Authorizer) AllowedSomewhere(x *Action) bool {
	if a.Super(x.Principal) {
		return true
	}
	t := a.index.Load().types[x.Resource]
	if t == nil {
		return a.rules.AllowIfNoACL
	}
	var denials []Binding
	for i := range t.all {
		b := &t.all[i]
		if b.Permission == kmsg.ACLPermissionTypeDeny && b.concerns(x.Principal, x.Host) &&
			(b.Operation == x.Operation || b.Operation == kmsg.ACLOperationAll) {
			if b.Pattern == kmsg.ACLResourcePatternTypeLiteral && b.Name == Wildcard {
				return false
			}
			denials = append(denials, *b)
		}
	}
	if a.rules.AllowIfNoACL {
		return true // some resource has no rule
	}
	for i := range t.all {
		b := &t.all[i]
		if b.Permission == kmsg.ACLPermissionTypeAllow && b.concerns(x.Principal, x.Host) &&
			(b.Operation == x.Operation || b.Operation == kmsg.ACLOperationAll || implies(b.Operation, x.Operation)) &&
			!slices.ContainsFunc(denials, func(d Binding) bool { return d.covers(b) }) {
			return true
		}
	}
	return false
}

// covers reports whether every resource of rule b's pattern is in d's pattern.
func (d *Binding) covers(b *Binding) bool {
	if d.Pattern == kmsg.ACLResourcePatternTypePrefixed {
		return (b.Pattern == kmsg.ACLResourcePatternTypePrefixed || b.Name != Wildcard) && len(b.Name) >= len(d.Name) && b.Name[:len(d.Name)] == d.Name
	}
	return b.Pattern == kmsg.ACLResourcePatternTypeLiteral && b.Name == d.Name
}
