package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/auth"
)

// handleCreateACLs adds access rules. Each is checked by itself; the good ones are stored together.
func handleCreateACLs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.CreateACLsRequest)
	resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
	resp.Results = make([]kmsg.CreateACLsResponseResult, len(req.Creations))
	refuse := r.cluster(kmsg.ACLOperationAlter)
	message := refusedMessage(refuse)
	if refuse == errNone && b.security.authorizer == nil {
		refuse, message = errSecurityDisabled, kmsg.StringPtr("authorization is off")
	}
	var add []auth.Binding
	var good []int
	for i := range req.Creations {
		c := &req.Creations[i]
		if refuse != errNone {
			resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage = refuse, message
			continue
		}
		bind := auth.Binding{
			Resource: c.ResourceType, Name: c.ResourceName, Pattern: patternOf(req.Version, c.ResourcePatternType),
			Principal: auth.Principal(c.Principal), Host: c.Host, Operation: c.Operation, Permission: c.PermissionType,
		}
		if err := bind.Check(); err != nil {
			resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage = errorCode(err), errorMessage(err)
			continue
		}
		add, good = append(add, bind), append(good, i)
	}
	if err := b.security.changeACLs(b.ctx, add, nil); err != nil {
		b.opts.Logger.Error("storing access rules failed", "error", err)
		for _, i := range good {
			resp.Results[i].ErrorCode, resp.Results[i].ErrorMessage = errorCode(err), errorMessage(err)
		}
	}
	return ready(resp)
}
