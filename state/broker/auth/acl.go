package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrInvalid: a rule, filter, mapping or credential makes no sense; the text says why.
var ErrInvalid = errors.New("invalid")

// Wildcard as the name of a literal pattern stands for every resource of the type.
const Wildcard = "*"

// ClusterName is the name of the one resource of type cluster.
const ClusterName = "kafka-cluster"

// Binding is one access rule: who may or may not do what, from where, to which resources. It is comparable, and equal rules are one.
type Binding struct {
	Resource   kmsg.ACLResourceType        `json:"resource"`
	Name       string                      `json:"name"`
	Pattern    kmsg.ACLResourcePatternType `json:"pattern"` // literal or prefixed
	Principal  Principal                   `json:"principal"`
	Host       string                      `json:"host"` // an address, or "*"
	Operation  kmsg.ACLOperation           `json:"operation"`
	Permission kmsg.ACLPermissionType      `json:"permission"`
}

// maxName bounds the strings of a rule.
const maxName = 4096

// operationsOf lists what can be done to each type of resource, besides All.
var operationsOf = map[kmsg.ACLResourceType][]kmsg.ACLOperation{
	kmsg.ACLResourceTypeTopic: {
		kmsg.ACLOperationRead, kmsg.ACLOperationWrite, kmsg.ACLOperationCreate, kmsg.ACLOperationDelete, kmsg.ACLOperationAlter,
		kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs,
	},
	kmsg.ACLResourceTypeGroup: {
		kmsg.ACLOperationRead, kmsg.ACLOperationDelete, kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs,
		kmsg.ACLOperationAlterConfigs,
	},
	kmsg.ACLResourceTypeCluster: {
		kmsg.ACLOperationCreate, kmsg.ACLOperationAlter, kmsg.ACLOperationDescribe, kmsg.ACLOperationClusterAction,
		kmsg.ACLOperationDescribeConfigs, kmsg.ACLOperationAlterConfigs, kmsg.ACLOperationIdempotentWrite,
	},
	kmsg.ACLResourceTypeTransactionalId: {kmsg.ACLOperationWrite, kmsg.ACLOperationDescribe, OperationTwoPhaseCommit},
	kmsg.ACLResourceTypeDelegationToken: {kmsg.ACLOperationDescribe},
	kmsg.ACLResourceTypeUser:            {kmsg.ACLOperationCreateTokens, kmsg.ACLOperationDescribeTokens},
}

// OperationTwoPhaseCommit is an operation newer than the codec (KIP-939). Rules may hold it; nothing asks for it.
const OperationTwoPhaseCommit kmsg.ACLOperation = 15

// Operations lists what can be done to a type of resource.
func Operations(t kmsg.ACLResourceType) []kmsg.ACLOperation { return operationsOf[t] }

// Check refuses rules that could never match or are incomplete.
func (b *Binding) Check() error {
	ops, ok := operationsOf[b.Resource]
	switch {
	case !ok:
		return fmt.Errorf("%w: resource type %d", ErrInvalid, b.Resource)
	case b.Pattern != kmsg.ACLResourcePatternTypeLiteral && b.Pattern != kmsg.ACLResourcePatternTypePrefixed:
		return fmt.Errorf("%w: pattern type %d, allowed are literal and prefixed", ErrInvalid, b.Pattern)
	case b.Name == "" || len(b.Name) > maxName:
		return fmt.Errorf("%w: resource name is empty or too long", ErrInvalid)
	case b.Resource == kmsg.ACLResourceTypeCluster && b.Name != ClusterName:
		return fmt.Errorf("%w: the cluster is named %q", ErrInvalid, ClusterName)
	case b.Host == "" || len(b.Host) > maxName:
		return fmt.Errorf("%w: host is empty or too long", ErrInvalid)
	case b.Permission != kmsg.ACLPermissionTypeAllow && b.Permission != kmsg.ACLPermissionTypeDeny:
		return fmt.Errorf("%w: permission type %d", ErrInvalid, b.Permission)
	case len(b.Principal) > maxName:
		return fmt.Errorf("%w: principal is too long", ErrInvalid)
	}
	if _, err := ParsePrincipal(string(b.Principal)); err != nil {
		return err
	}
	if b.Operation == kmsg.ACLOperationAll {
		return nil
	}
	for _, op := range ops {
		if op == b.Operation {
			return nil
		}
	}
	return fmt.Errorf("%w: operation %s does not apply to a %s", ErrInvalid, b.Operation, b.Resource)
}

// Filter chooses rules. A nil string and the value Any of an enumeration match everything.
type Filter struct {
	Resource   kmsg.ACLResourceType
	Name       *string
	Pattern    kmsg.ACLResourcePatternType // Match: every rule that applies to a resource of that name
	Principal  *string
	Host       *string
	Operation  kmsg.ACLOperation
	Permission kmsg.ACLPermissionType
}

// Check refuses filters with values nobody knows.
func (f *Filter) Check() error {
	_, known := operationsOf[f.Resource]
	switch {
	case !known && f.Resource != kmsg.ACLResourceTypeAny:
		return fmt.Errorf("%w: resource type %d", ErrInvalid, f.Resource)
	case f.Pattern < kmsg.ACLResourcePatternTypeAny || f.Pattern > kmsg.ACLResourcePatternTypePrefixed:
		return fmt.Errorf("%w: pattern type %d", ErrInvalid, f.Pattern)
	case f.Operation < kmsg.ACLOperationAny || f.Operation > OperationTwoPhaseCommit:
		return fmt.Errorf("%w: operation %d", ErrInvalid, f.Operation)
	case f.Permission < kmsg.ACLPermissionTypeAny || f.Permission > kmsg.ACLPermissionTypeAllow:
		return fmt.Errorf("%w: permission type %d", ErrInvalid, f.Permission)
	}
	return nil
}

// Matches reports whether a rule is chosen.
func (f *Filter) Matches(b *Binding) bool {
	return (f.Resource == kmsg.ACLResourceTypeAny || f.Resource == b.Resource) &&
		f.matchesName(b) &&
		(f.Principal == nil || *f.Principal == string(b.Principal)) &&
		(f.Host == nil || *f.Host == b.Host) &&
		(f.Operation == kmsg.ACLOperationAny || f.Operation == b.Operation) &&
		(f.Permission == kmsg.ACLPermissionTypeAny || f.Permission == b.Permission)
}

func (f *Filter) matchesName(b *Binding) bool {
	if f.Pattern == kmsg.ACLResourcePatternTypeMatch {
		return f.Name == nil || b.applies(*f.Name)
	}
	return (f.Pattern == kmsg.ACLResourcePatternTypeAny || f.Pattern == b.Pattern) && (f.Name == nil || *f.Name == b.Name)
}

// applies reports whether the rule is about the resource of that name.
func (b *Binding) applies(name string) bool {
	if b.Pattern == kmsg.ACLResourcePatternTypePrefixed {
		return strings.HasPrefix(name, b.Name)
	}
	return b.Name == Wildcard || b.Name == name
}
