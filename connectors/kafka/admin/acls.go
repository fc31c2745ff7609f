package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ACL is an access rule. In a filter an empty field matches everything.
type ACL struct {
	Principal  string `json:"principal"` // User:name
	Permission string `json:"permission"`
	Operation  string `json:"operation"`
	Resource   string `json:"resource"` // topic, group, cluster, transactional_id
	Name       string `json:"name"`
	Pattern    string `json:"pattern"` // literal or prefixed
	Host       string `json:"host"`
}

// clusterName is the name of the one resource of type cluster.
const clusterName = "kafka-cluster"

// wire is the rule in the protocol's numbers; empty fields become Any.
func (a *ACL) wire() (k kmsg.CreateACLsRequestCreation, err error) {
	k.ResourceType, k.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
	k.Operation, k.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	k.ResourceName, k.Principal, k.Host = a.Name, a.Principal, a.Host
	bad := func(what, v string) error { return fmt.Errorf("unknown %s '%s'%w", what, v, silent{ErrUsage}) }
	if a.Resource != "" {
		if k.ResourceType, err = kmsg.ParseACLResourceType(a.Resource); err != nil {
			return k, bad("resource type", a.Resource)
		}
	}
	if a.Pattern != "" {
		if k.ResourcePatternType, err = kmsg.ParseACLResourcePatternType(a.Pattern); err != nil {
			return k, bad("pattern", a.Pattern)
		}
	}
	if a.Operation != "" {
		if k.Operation, err = kmsg.ParseACLOperation(a.Operation); err != nil {
			return k, bad("operation", a.Operation)
		}
	}
	if a.Permission != "" {
		if k.PermissionType, err = kmsg.ParseACLPermissionType(a.Permission); err != nil {
			return k, bad("permission", a.Permission)
		}
	}
	if k.ResourceType == kmsg.ACLResourceTypeCluster {
		k.ResourceName = clusterName
	}
	return k, nil
}

// CreateACL adds a rule.
func (c *Client) CreateACL(ctx context.Context, a ACL) error {
	k, err := a.wire()
	if err != nil {
		return err
	}
	req := kmsg.NewPtrCreateACLsRequest()
	req.Creations = append(req.Creations, k)
	resp, err := req.RequestWith(ctx, c.cl)
	if err != nil {
		return explain("adding the rule", err, "")
	}
	for _, r := range resp.Results {
		if err := codeError("adding the rule", r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ACLs lists the rules a filter chooses.
func (c *Client) ACLs(ctx context.Context, filter ACL) ([]ACL, error) {
	k, err := filter.wire()
	if err != nil {
		return nil, err
	}
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.ResourceName, req.ResourcePatternType = k.ResourceType, nullable(k.ResourceName), k.ResourcePatternType
	req.Principal, req.Host, req.Operation, req.PermissionType = nullable(k.Principal), nullable(k.Host), k.Operation, k.PermissionType
	resp, err := req.RequestWith(ctx, c.cl)
	if err != nil {
		return nil, explain("listing rules", err, "")
	}
	if err := codeError("listing rules", resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	out := []ACL{}
	for _, r := range resp.Resources {
		for _, a := range r.ACLs {
			out = append(out, readACL(kmsg.DeleteACLsResponseResultMatchingACL{
				ResourceType: r.ResourceType, ResourceName: r.ResourceName, ResourcePatternType: r.ResourcePatternType,
				Principal: a.Principal, Host: a.Host, Operation: a.Operation, PermissionType: a.PermissionType,
			}))
		}
	}
	sortACLs(out)
	return out, nil
}

// DeleteACLs removes the rules a filter chooses and lists them.
func (c *Client) DeleteACLs(ctx context.Context, filter ACL) ([]ACL, error) {
	k, err := filter.wire()
	if err != nil {
		return nil, err
	}
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.ResourceName, f.ResourcePatternType = k.ResourceType, nullable(k.ResourceName), k.ResourcePatternType
	f.Principal, f.Host, f.Operation, f.PermissionType = nullable(k.Principal), nullable(k.Host), k.Operation, k.PermissionType
	req := kmsg.NewPtrDeleteACLsRequest()
	req.Filters = append(req.Filters, f)
	resp, err := req.RequestWith(ctx, c.cl)
	if err != nil {
		return nil, explain("removing rules", err, "")
	}
	out := []ACL{}
	for _, r := range resp.Results {
		if err := codeError("removing rules", r.ErrorCode, r.ErrorMessage); err != nil {
			return nil, err
		}
		for _, a := range r.MatchingACLs {
			out = append(out, readACL(a))
		}
	}
	sortACLs(out)
	return out, nil
}

// readACL names the protocol's numbers as the flags do.
func readACL(a kmsg.DeleteACLsResponseResultMatchingACL) ACL {
	lower := func(s fmt.Stringer) string { return strings.ToLower(s.String()) }
	return ACL{
		Principal: a.Principal, Permission: lower(a.PermissionType), Operation: lower(a.Operation), Host: a.Host,
		Resource: lower(a.ResourceType), Name: a.ResourceName, Pattern: lower(a.ResourcePatternType),
	}
}

func sortACLs(list []ACL) {
	slices.SortFunc(list, func(a, b ACL) int {
		return cmp.Or(strings.Compare(a.Principal, b.Principal), strings.Compare(a.Resource, b.Resource), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Operation, b.Operation), strings.Compare(a.Permission, b.Permission), strings.Compare(a.Host, b.Host))
	})
}
