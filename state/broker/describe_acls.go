package broker

import (
	"cmp"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// errSecurityDisabled answers requests about access rules while authorization is off.
const errSecurityDisabled int16 = 54

// compareBindings orders rules by resource, as they are grouped in answers.
func compareBindings(a, b *auth.Binding) int {
	return cmp.Or(cmp.Compare(a.Resource, b.Resource), strings.Compare(a.Name, b.Name), cmp.Compare(a.Pattern, b.Pattern),
		cmp.Compare(a.Principal, b.Principal), strings.Compare(a.Host, b.Host),
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Permission, b.Permission))
}

// patternOf is the pattern type of a request: version 0 knows literal ones only and does not say so.
func patternOf(version int16, p kmsg.ACLResourcePatternType) kmsg.ACLResourcePatternType {
	if version == 0 {
		return kmsg.ACLResourcePatternTypeLiteral
	}
	return p
}

// handleDescribeACLs lists the access rules a filter chooses.
func handleDescribeACLs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeACLsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
	resp.Resources = []kmsg.DescribeACLsResponseResource{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribe); resp.ErrorCode != errNone {
		resp.ErrorMessage = refusedMessage(resp.ErrorCode)
		return ready(resp)
	}
	f := auth.Filter{
		Resource: req.ResourceType, Name: req.ResourceName, Pattern: patternOf(req.Version, req.ResourcePatternType),
		Principal: req.Principal, Host: req.Host, Operation: req.Operation, Permission: req.PermissionType,
	}
	if b.security.authorizer == nil {
		resp.ErrorCode, resp.ErrorMessage = errSecurityDisabled, kmsg.StringPtr("authorization is off")
		return ready(resp)
	}
	if err := f.Check(); err != nil {
		resp.ErrorCode, resp.ErrorMessage = errorCode(err), errorMessage(err)
		return ready(resp)
	}
	for _, a := range b.security.findACLs(&f) {
		n := len(resp.Resources)
		if n == 0 || resp.Resources[n-1].ResourceType != a.Resource || resp.Resources[n-1].ResourceName != a.Name ||
			resp.Resources[n-1].ResourcePatternType != a.Pattern {
			rr := kmsg.NewDescribeACLsResponseResource()
			rr.ResourceType, rr.ResourceName, rr.ResourcePatternType = a.Resource, a.Name, a.Pattern
			resp.Resources = append(resp.Resources, rr)
			n++
		}
		ra := kmsg.NewDescribeACLsResponseResourceACL()
		ra.Principal, ra.Host, ra.Operation, ra.PermissionType = string(a.Principal), a.Host, a.Operation, a.Permission
		resp.Resources[n-1].ACLs = append(resp.Resources[n-1].ACLs, ra)
	}
	return ready(resp)
}
