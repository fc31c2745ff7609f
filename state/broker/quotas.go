package broker

import (
	"context"
	"encoding/json"
	"maps"
	"sync"

	"github.com/millrace/millrace/state/broker/quota"
)

// quotaStore holds the limits of users and clients, kept in the metadata log.
type quotaStore struct {
	*quota.Limiter
	metadata *metadataLog

	// changing serialises changes: the log and memory change together. It is held while the disk is waited for.
	changing sync.Mutex
	mu       sync.RWMutex
	limits   map[quota.Entity]quota.Limits // guarded by mu
}

// storedQuota is an entry in the metadata log.
type storedQuota struct {
	Entity quota.Entity       `json:"entity"`
	Limits map[string]float64 `json:"limits"`
}

func openQuotas(m *metadataLog) (*quotaStore, error) {
	s := &quotaStore{Limiter: quota.NewLimiter(), metadata: m, limits: map[quota.Entity]quota.Limits{}}
	err := m.each(metaQuota, func(_ string, value []byte) error {
		var q storedQuota
		if err := json.Unmarshal(value, &q); err != nil {
			return err
		}
		var l quota.Limits
		for key, v := range q.Limits {
			k, err := quota.ParseKey(key)
			if err != nil {
				return err
			}
			l[k] = v
		}
		s.limits[q.Entity] = l
		return nil
	})
	s.Set(s.limits)
	return s, err
}

// all is a copy of the limits.
func (s *quotaStore) all() map[quota.Entity]quota.Limits {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.limits)
}

// change alters the limits of one entity, durably. Without any limit left the entity is gone.
func (s *quotaStore) change(ctx context.Context, e quota.Entity, validateOnly bool, fn func(l *quota.Limits) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.RLock()
	l := s.limits[e]
	s.mu.RUnlock()
	if err := fn(&l); err != nil || validateOnly {
		return err
	}
	name, err := json.Marshal(e)
	if err != nil {
		return err
	}
	c := metaChange{kind: metaQuota, name: string(name)}
	if l != (quota.Limits{}) {
		q := storedQuota{Entity: e, Limits: map[string]float64{}}
		for k, v := range l {
			if v > 0 {
				q.Limits[quota.Keys[k]] = v
			}
		}
		c.value = q
	}
	if err := s.metadata.write(ctx, []metaChange{c}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits[e] = l
	if c.value == nil {
		delete(s.limits, e)
	}
	s.Set(s.limits)
	return nil
}
