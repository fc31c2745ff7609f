package broker

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleAlterConfigs replaces all settings of a topic: what is not named goes back to its default.
func handleAlterConfigs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.AlterConfigsRequest)
	resp := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	resp.Resources = []kmsg.AlterConfigsResponseResource{}
	for i := range req.Resources {
		q := &req.Resources[i]
		rr := kmsg.NewAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = q.ResourceType, q.ResourceName
		if rr.ErrorCode = r.config(kmsg.ACLOperationAlterConfigs, q.ResourceType, q.ResourceName); rr.ErrorCode != errNone {
			rr.ErrorMessage = refusedMessage(rr.ErrorCode)
			resp.Resources = append(resp.Resources, rr)
			continue
		}
		err := b.alterConfig(q.ResourceType, q.ResourceName, req.ValidateOnly, func(map[string]string) (map[string]string, error) {
			next := map[string]string{}
			for _, c := range q.Configs {
				if c.Value != nil {
					next[c.Name] = *c.Value
				}
			}
			return next, nil
		})
		rr.ErrorCode, rr.ErrorMessage = errorCode(err), errorMessage(err)
		resp.Resources = append(resp.Resources, rr)
	}
	return ready(resp)
}

// handleIncrementalAlterConfigs changes single settings of a topic.
func handleIncrementalAlterConfigs(b *Broker, r *request) reply {
	req := r.body.(*kmsg.IncrementalAlterConfigsRequest)
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{}
	for i := range req.Resources {
		q := &req.Resources[i]
		rr := kmsg.NewIncrementalAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = q.ResourceType, q.ResourceName
		if rr.ErrorCode = r.config(kmsg.ACLOperationAlterConfigs, q.ResourceType, q.ResourceName); rr.ErrorCode != errNone {
			rr.ErrorMessage = refusedMessage(rr.ErrorCode)
			resp.Resources = append(resp.Resources, rr)
			continue
		}
		err := b.alterConfig(q.ResourceType, q.ResourceName, req.ValidateOnly, func(now map[string]string) (map[string]string, error) {
			next := maps.Clone(now)
			if next == nil {
				next = map[string]string{}
			}
			for _, c := range q.Configs {
				if err := b.alterSetting(next, c); err != nil {
					return nil, err
				}
			}
			return next, nil
		})
		rr.ErrorCode, rr.ErrorMessage = errorCode(err), errorMessage(err)
		resp.Resources = append(resp.Resources, rr)
	}
	return ready(resp)
}

// config returns errNone, or the refusal if the sender may not do op to the settings of a resource.
func (r *request) config(op kmsg.ACLOperation, kind kmsg.ConfigResourceType, name string) int16 {
	switch kind {
	case kmsg.ConfigResourceTypeTopic:
		return r.topic(op, name)
	case kmsg.ConfigResourceTypeGroupConfig:
		return r.group(op, name)
	}
	return r.cluster(op)
}

// configChange makes a topic's next configuration from its present one, which it must not alter.
type configChange func(now map[string]string) (map[string]string, error)

// alterConfig applies a change to one resource.
func (b *Broker) alterConfig(kind kmsg.ConfigResourceType, name string, validateOnly bool, change configChange) error {
	if kind != kmsg.ConfigResourceTypeTopic {
		return fmt.Errorf("%w: only topics have settings that can change", ErrInvalidConfig)
	}
	config, ok := b.topicConfig(name)
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownTopic, name)
	}
	next, err := change(config)
	if err != nil {
		return err
	}
	if validateOnly {
		_, err := b.logOptions(next)
		return err
	}
	return b.SetTopicConfig(name, next)
}

// alterSetting applies one operation to config.
func (b *Broker) alterSetting(config map[string]string, c kmsg.IncrementalAlterConfigsRequestResourceConfig) error {
	s := findSetting(c.Name)
	if s == nil {
		return fmt.Errorf("%w: unknown setting %q", ErrInvalidConfig, c.Name)
	}
	if c.Op == kmsg.IncrementalAlterConfigOpDelete {
		delete(config, c.Name)
		return nil
	}
	if c.Value == nil {
		return fmt.Errorf("%w: %s has no value", ErrInvalidConfig, c.Name)
	}
	if c.Op == kmsg.IncrementalAlterConfigOpSet {
		config[c.Name] = *c.Value
		return nil
	}
	if s.kind != configList {
		return fmt.Errorf("%w: %s is not a list", ErrInvalidConfig, c.Name)
	}
	now, _ := b.settingValue(s, config)
	items := strings.Split(now, ",")
	for _, v := range strings.Split(*c.Value, ",") {
		items = slices.DeleteFunc(items, func(x string) bool { return x == v || x == "" })
		if c.Op == kmsg.IncrementalAlterConfigOpAppend {
			items = append(items, v)
		}
	}
	config[c.Name] = strings.Join(items, ",")
	return nil
}
