package broker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/quota"
)

// handleDescribeClientQuotas lists the limits of the entities a filter chooses.
func handleDescribeClientQuotas(b *Broker, r *request) reply {
	req := r.body.(*kmsg.DescribeClientQuotasRequest)
	resp := req.ResponseKind().(*kmsg.DescribeClientQuotasResponse)
	resp.Entries = []kmsg.DescribeClientQuotasResponseEntry{}
	if resp.ErrorCode = r.cluster(kmsg.ACLOperationDescribeConfigs); resp.ErrorCode != errNone {
		resp.ErrorMessage = refusedMessage(resp.ErrorCode)
		return ready(resp)
	}
	f, err := newQuotaFilter(req)
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = errorCode(err), errorMessage(err)
		return ready(resp)
	}
	for e, l := range b.quotas.all() {
		if !f.matches(e) {
			continue
		}
		re := kmsg.NewDescribeClientQuotasResponseEntry()
		for _, p := range entityParts(&e) {
			if p.part.Given {
				re.Entity = append(re.Entity, kmsg.DescribeClientQuotasResponseEntryEntity{Type: p.kind, Name: partName(p.part)})
			}
		}
		re.Values = []kmsg.DescribeClientQuotasResponseEntryValue{}
		for k, v := range l {
			if v > 0 {
				re.Values = append(re.Values, kmsg.DescribeClientQuotasResponseEntryValue{Key: quota.Keys[k], Value: v})
			}
		}
		resp.Entries = append(resp.Entries, re)
	}
	slices.SortFunc(resp.Entries, func(a, b kmsg.DescribeClientQuotasResponseEntry) int {
		return strings.Compare(entryName(a), entryName(b))
	})
	return ready(resp)
}

func entryName(e kmsg.DescribeClientQuotasResponseEntry) string {
	var s strings.Builder
	for _, p := range e.Entity {
		s.WriteString(p.Type + "\x00" + text(p.Name) + "\x00")
	}
	return s.String()
}

// entityPart is one part of an entity with the protocol's name for it.
type entityPart struct {
	kind string
	part *quota.Part
}

// entityParts lists the parts of an entity, given or not.
func entityParts(e *quota.Entity) [3]entityPart {
	return [3]entityPart{{quota.TypeUser, &e.User}, {quota.TypeClient, &e.Client}, {quota.TypeIP, &e.IP}}
}

// partName is a part's name in the protocol: null for the default.
func partName(p *quota.Part) *string {
	if p.Default {
		return nil
	}
	return &p.Name
}

// quotaFilter chooses entities: each type named must match, and with strict no other may be given.
type quotaFilter struct {
	parts  map[string]kmsg.DescribeClientQuotasRequestComponent
	strict bool
}

func newQuotaFilter(req *kmsg.DescribeClientQuotasRequest) (*quotaFilter, error) {
	f := &quotaFilter{parts: map[string]kmsg.DescribeClientQuotasRequestComponent{}, strict: req.Strict}
	for _, c := range req.Components {
		if _, twice := f.parts[c.EntityType]; twice || !slices.Contains([]string{quota.TypeUser, quota.TypeClient, quota.TypeIP}, c.EntityType) {
			return nil, fmt.Errorf("%w: entity type %q is unknown or named twice", quota.ErrInvalid, c.EntityType)
		}
		if c.MatchType < kmsg.QuotasMatchTypeExact || c.MatchType > kmsg.QuotasMatchTypeAny {
			return nil, fmt.Errorf("%w: match type %d", quota.ErrInvalid, c.MatchType)
		}
		f.parts[c.EntityType] = c
	}
	return f, nil
}

func (f *quotaFilter) matches(e quota.Entity) bool {
	for _, p := range entityParts(&e) {
		c, asked := f.parts[p.kind]
		switch {
		case !asked && f.strict && p.part.Given:
			return false
		case !asked:
			continue
		case !p.part.Given:
			return false
		case c.MatchType == kmsg.QuotasMatchTypeExact && (p.part.Default || p.part.Name != text(c.Match)):
			return false
		case c.MatchType == kmsg.QuotasMatchTypeDefault && !p.part.Default:
			return false
		}
	}
	return true
}
