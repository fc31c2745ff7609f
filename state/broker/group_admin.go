package broker

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/group"
)

func handleDescribeGroups(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeGroupsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
	resp.Groups = []kmsg.DescribeGroupsResponseGroup{}
	for _, id := range req.Groups {
		var d group.Description
		if code := r.group(kmsg.ACLOperationDescribe, id); code != errNone {
			d.Code = group.Code(code)
		} else {
			b.groups.do(func(_ time.Time, c *group.Coordinator) { d = c.Describe(id) })
		}
		rg := describedGroup(id, d, req.Version)
		rg.AuthorizedOperations = r.operations(req.IncludeAuthorizedOperations, kmsg.ACLResourceTypeGroup, id)
		resp.Groups = append(resp.Groups, rg)
	}
	return ready(resp)
}

func describedGroup(id string, d group.Description, version int16) kmsg.DescribeGroupsResponseGroup {
	rg := kmsg.NewDescribeGroupsResponseGroup()
	rg.Group, rg.State, rg.ProtocolType, rg.Protocol = id, d.State, d.ProtocolType, d.Protocol
	rg.ErrorCode = int16(d.Code)
	if d.Code == group.GroupIDNotFound {
		if version < 6 {
			rg.ErrorCode = errNone // told by the state Dead alone
		} else {
			rg.ErrorMessage = kmsg.StringPtr("Group " + id + " not found.")
		}
	}
	rg.Members = []kmsg.DescribeGroupsResponseGroupMember{}
	for _, m := range d.Members {
		rm := kmsg.NewDescribeGroupsResponseGroupMember()
		rm.MemberID, rm.InstanceID, rm.ClientID, rm.ClientHost = m.MemberID, textPtr(m.InstanceID), m.ClientID, m.ClientHost
		rm.ProtocolMetadata, rm.MemberAssignment = notNil(m.Metadata), notNil(m.Assignment)
		rg.Members = append(rg.Members, rm)
	}
	return rg
}

// matches says whether a filter lets a value through; an empty filter lets all through.
func matches(filter []string, v string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, v) })
}

func handleListGroups(b *Broker, r *request) reply {
	req := r.body.(*kmsg.ListGroupsRequest)
	resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
	resp.Groups = []kmsg.ListGroupsResponseGroup{}
	var list []group.Listing
	b.groups.do(func(_ time.Time, c *group.Coordinator) { list = c.List() })
	all := r.cluster(kmsg.ACLOperationDescribe) == errNone
	for _, l := range list {
		if !all && r.group(kmsg.ACLOperationDescribe, l.Group) != errNone {
			continue
		}
		if !matches(req.StatesFilter, l.State) || !matches(req.TypesFilter, l.Type) {
			continue
		}
		rg := kmsg.NewListGroupsResponseGroup()
		rg.Group, rg.ProtocolType, rg.GroupState, rg.GroupType = l.Group, l.ProtocolType, l.State, l.Type
		resp.Groups = append(resp.Groups, rg)
	}
	return ready(resp)
}

func handleDeleteGroups(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DeleteGroupsRequest)
	chans := make([]<-chan group.Action, len(req.Groups))
	refused := make([]int16, len(req.Groups))
	for i, id := range req.Groups {
		if refused[i] = r.group(kmsg.ACLOperationDelete, id); refused[i] != errNone {
			continue
		}
		chans[i] = b.groups.ask(func(_ time.Time, c *group.Coordinator, tk group.Ticket) { c.DeleteGroup(tk, id) })
	}
	return later(func(ctx context.Context) kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
		resp.Groups = make([]kmsg.DeleteGroupsResponseGroup, len(req.Groups))
		for i, id := range req.Groups {
			if refused[i] != errNone {
				resp.Groups[i].Group, resp.Groups[i].ErrorCode = id, refused[i]
				continue
			}
			a, ok := await[group.Action, group.CommitReply](ctx, chans[i])
			if !ok {
				a.Code = group.CoordinatorNotAvailable
			}
			resp.Groups[i].Group, resp.Groups[i].ErrorCode = id, int16(a.Code)
		}
		return resp
	})
}
