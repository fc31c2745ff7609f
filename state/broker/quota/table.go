package quota

// Limits are the limits of one entity by kind; 0 means none.
type Limits [kinds]float64

// table finds the limit that applies. It is immutable.
type table struct {
	limits map[Entity]Limits
	any    [kinds]bool // some entity has a limit of the kind
}

func newTable(all map[Entity]Limits) *table {
	t := &table{limits: all}
	for _, l := range all {
		for k, v := range l {
			t.any[k] = t.any[k] || v > 0
		}
	}
	return t
}

// who is a client as limits see it.
type who struct{ user, client, ip string }

// find returns the limit for a client and whose tokens it takes: those who share a limit share a bucket. The most special entity
// wins; a limit for a default is one for each who falls under it.
func (t *table) find(k Kind, w who) (rate float64, shared who, ok bool) {
	if k == Connect {
		for _, p := range [...]Part{Named(w.ip), Others()} {
			if rate = t.limits[Entity{IP: p}][k]; rate > 0 {
				return rate, who{ip: w.ip}, true
			}
		}
		return 0, who{}, false
	}
	client := [...]Part{Named(w.client), Others(), {}}
	for _, user := range [...]Part{Named(w.user), Others(), {}} {
		for _, c := range client {
			if rate = t.limits[Entity{User: user, Client: c}][k]; rate > 0 {
				if user.Given {
					shared.user = w.user
				}
				if c.Given {
					shared.client = w.client
				}
				return rate, shared, true
			}
		}
	}
	return 0, who{}, false
}
