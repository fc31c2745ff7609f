package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace/millrace/state/broker/quota"
)

// handleAlterClientQuotas sets and removes limits, entity by entity.
func handleAlterClientQuotas(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AlterClientQuotasRequest)
	resp := req.ResponseKind().(*kmsg.AlterClientQuotasResponse)
	resp.Entries = make([]kmsg.AlterClientQuotasResponseEntry, len(req.Entries))
	refuse := r.cluster(kmsg.ACLOperationAlterConfigs)
	for i := range req.Entries {
		q, re := &req.Entries[i], &resp.Entries[i]
		re.Entity = make([]kmsg.AlterClientQuotasResponseEntryEntity, len(q.Entity))
		for j, e := range q.Entity {
			re.Entity[j].Type, re.Entity[j].Name = e.Type, e.Name
		}
		if refuse != errNone {
			re.ErrorCode, re.ErrorMessage = refuse, refusedMessage(refuse)
			continue
		}
		err := b.alterQuota(q, req.ValidateOnly)
		re.ErrorCode, re.ErrorMessage = errorCode(err), errorMessage(err)
	}
	return ready(resp)
}

func (b *Broker) alterQuota(q *kmsg.AlterClientQuotasRequestEntry, validateOnly bool) error {
	e, err := quotaEntity(q)
	if err != nil {
		return err
	}
	return b.quotas.change(b.ctx, e, validateOnly, func(l *quota.Limits) error {
		for _, op := range q.Ops {
			k, err := quota.ParseKey(op.Key)
			if err != nil {
				return err
			}
			if op.Remove {
				l[k] = 0
				continue
			}
			if err := e.CheckLimit(k, op.Value); err != nil {
				return err
			}
			l[k] = op.Value
		}
		return nil
	})
}

// quotaEntity reads whom a change is about.
func quotaEntity(q *kmsg.AlterClientQuotasRequestEntry) (e quota.Entity, err error) {
	parts := entityParts(&e)
next:
	for _, named := range q.Entity {
		for _, p := range parts {
			if p.kind != named.Type || p.part.Given {
				continue
			}
			*p.part = quota.Others()
			if named.Name != nil {
				*p.part = quota.Named(*named.Name)
			}
			continue next
		}
		return e, fmt.Errorf("%w: entity type %q is unknown or named twice", quota.ErrInvalid, named.Type)
	}
	return e, e.Check()
}
