package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// QuotaEntity is whom a limit is about. "" is not given, Everybody the default for those without a limit of their own.
type QuotaEntity struct {
	User   string `json:"user,omitempty"`
	Client string `json:"client,omitempty"`
	IP     string `json:"ip,omitempty"`
}

// Everybody stands for all that are not named.
const Everybody = "<default>"

// Quota are the limits of one entity, by Kafka's names: producer_byte_rate and so on.
type Quota struct {
	QuotaEntity
	Limits map[string]float64 `json:"limits"`
}

func (e *QuotaEntity) parts() [][2]string {
	all := [][2]string{{"user", e.User}, {"client-id", e.Client}, {"ip", e.IP}}
	return slices.DeleteFunc(all, func(p [2]string) bool { return p[1] == "" })
}

// SetQuota sets the limits given and removes those named in remove.
func (c *Client) SetQuota(ctx context.Context, e QuotaEntity, set map[string]float64, remove []string) error {
	entry := kmsg.NewAlterClientQuotasRequestEntry()
	for _, p := range e.parts() {
		part := kmsg.NewAlterClientQuotasRequestEntryEntity()
		if part.Type = p[0]; p[1] != Everybody {
			part.Name = kmsg.StringPtr(p[1])
		}
		entry.Entity = append(entry.Entity, part)
	}
	if len(entry.Entity) == 0 {
		return fmt.Errorf("a limit needs a user, a client or an address%w", silent{ErrUsage})
	}
	for k, v := range set {
		entry.Ops = append(entry.Ops, kmsg.AlterClientQuotasRequestEntryOp{Key: k, Value: v})
	}
	for _, k := range remove {
		entry.Ops = append(entry.Ops, kmsg.AlterClientQuotasRequestEntryOp{Key: k, Remove: true})
	}
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Entries = append(req.Entries, entry)
	resp, err := req.RequestWith(ctx, c.cl)
	if err != nil {
		return explain("changing limits", err, "")
	}
	for _, r := range resp.Entries {
		if err := codeError("changing limits", r.ErrorCode, r.ErrorMessage); err != nil {
			return err
		}
	}
	return nil
}

// Quotas lists all limits.
func (c *Client) Quotas(ctx context.Context) ([]Quota, error) {
	resp, err := kmsg.NewPtrDescribeClientQuotasRequest().RequestWith(ctx, c.cl)
	if err != nil {
		return nil, explain("listing limits", err, "")
	}
	if err := codeError("listing limits", resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	out := []Quota{}
	for _, r := range resp.Entries {
		q := Quota{Limits: map[string]float64{}}
		for _, p := range r.Entity {
			name := Everybody
			if p.Name != nil {
				name = *p.Name
			}
			switch p.Type {
			case "user":
				q.User = name
			case "client-id":
				q.Client = name
			case "ip":
				q.IP = name
			}
		}
		for _, v := range r.Values {
			q.Limits[v.Key] = v.Value
		}
		out = append(out, q)
	}
	slices.SortFunc(out, func(a, b Quota) int {
		return strings.Compare(a.User+"\x00"+a.Client+"\x00"+a.IP, b.User+"\x00"+b.Client+"\x00"+b.IP)
	})
	return out, nil
}

// codeError makes an error code of an answer an error for users.
func codeError(what string, code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err == nil {
		return nil
	}
	text := ""
	if message != nil {
		text = *message
	}
	return explain(what, err, text)
}
