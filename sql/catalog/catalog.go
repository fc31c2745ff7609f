package catalog

import (
	"slices"
	"strings"
	"sync"
)

// Catalog is the set of relations and functions of one engine. It is safe for concurrent use.
type Catalog struct {
	mu        sync.RWMutex
	relations map[string]*Relation // by lower-case name; guarded by mu
	functions map[string]*Function // by lower-case name; guarded by mu
}

// New makes an empty catalog.
func New() *Catalog {
	return &Catalog{relations: map[string]*Relation{}, functions: map[string]*Function{}}
}

// Get finds a relation by name, case-insensitively; nil when there is none.
func (c *Catalog) Get(name string) *Relation {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.relations[strings.ToLower(name)]
}

// Add adds a relation; false when the name is taken and replace is false.
func (c *Catalog) Add(r *Relation, replace bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.ToLower(r.Name)
	if _, taken := c.relations[key]; taken && !replace {
		return false
	}
	c.relations[key] = r
	return true
}

// Drop removes a relation; false when there is none.
func (c *Catalog) Drop(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.ToLower(name)
	_, ok := c.relations[key]
	delete(c.relations, key)
	return ok
}

// List returns the relations of the given kinds (none given: all), by name.
func (c *Catalog) List(kinds ...Kind) []*Relation {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []*Relation
	for _, r := range c.relations {
		if len(kinds) == 0 || slices.Contains(kinds, r.Kind) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Relation) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Names returns the names of all relations, for completion and did-you-mean.
func (c *Catalog) Names() []string {
	var names []string
	for _, r := range c.List() {
		names = append(names, r.Name)
	}
	return names
}
