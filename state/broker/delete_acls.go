package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// handleDeleteACLs removes the access rules that filters choose and lists them.
func handleDeleteACLs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DeleteACLsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteACLsResponse)
	resp.Results = make([]kmsg.DeleteACLsResponseResult, len(req.Filters))
	refuse := r.cluster(kmsg.ACLOperationAlter)
	message := refusedMessage(refuse)
	if refuse == errNone && b.security.authorizer == nil {
		refuse, message = errSecurityDisabled, kmsg.StringPtr("authorization is off")
	}
	for i := range req.Filters {
		q, rr := &req.Filters[i], &resp.Results[i]
		rr.MatchingACLs = []kmsg.DeleteACLsResponseResultMatchingACL{}
		if refuse != errNone {
			rr.ErrorCode, rr.ErrorMessage = refuse, message
			continue
		}
		f := auth.Filter{
			Resource: q.ResourceType, Name: q.ResourceName, Pattern: patternOf(req.Version, q.ResourcePatternType),
			Principal: q.Principal, Host: q.Host, Operation: q.Operation, Permission: q.PermissionType,
		}
		err := f.Check()
		if err == nil {
			drop := b.security.findACLs(&f)
			if err = b.security.changeACLs(b.ctx, nil, drop); err == nil {
				rr.MatchingACLs = deletedACLs(drop)
			}
		}
		rr.ErrorCode, rr.ErrorMessage = errorCode(err), errorMessage(err)
	}
	return ready(resp)
}

func deletedACLs(list []auth.Binding) []kmsg.DeleteACLsResponseResultMatchingACL {
	out := make([]kmsg.DeleteACLsResponseResultMatchingACL, len(list))
	for i, a := range list {
		m := kmsg.NewDeleteACLsResponseResultMatchingACL()
		m.ResourceType, m.ResourceName, m.ResourcePatternType = a.Resource, a.Name, a.Pattern
		m.Principal, m.Host, m.Operation, m.PermissionType = string(a.Principal), a.Host, a.Operation, a.Permission
		out[i] = m
	}
	return out
}
