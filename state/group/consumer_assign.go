package group

import (
	"cmp"
	"slices"
)

// assignors compute targets. Each gets the members in order of arrival with the partitions each may have, and changes as little as
// its rule allows of the targets before.
var assignors = map[string]func([]*candidate) map[string]partitionSet{
	"uniform": assignUniform,
	"range":   assignRange,
}

// defaultAssignor serves groups whose members prefer none.
const defaultAssignor = "uniform"

// candidate is a member as assignors see it.
type candidate struct {
	m      *consumer
	topics []TopicMeta // subscribed and existing, by name
}

// assignTargets runs the assignor that most members prefer.
func (c *Coordinator) assignTargets(cg *consumers) (assignor string, targets map[string]partitionSet) {
	votes := map[string]int{}
	var all []*candidate
	for _, m := range cg.inOrder() {
		if m.assignor != "" {
			votes[m.assignor]++
		}
		cand := &candidate{m: m}
		for _, t := range c.topics {
			if m.subscribesTo(t.Name) {
				cand.topics = append(cand.topics, t)
			}
		}
		all = append(all, cand)
	}
	assignor = defaultAssignor
	for name := range assignors {
		if votes[name] > votes[assignor] {
			assignor = name
		}
	}
	return assignor, assignors[assignor](all)
}

// uniform is the state of assignUniform: who may have which partition, and who has it.
type uniform struct {
	readers map[TopicID][]*candidate
	targets map[string]partitionSet
}

// assignUniform spreads partitions evenly: as long as one member has two more than another that may have one of them, one moves. Each
// move lowers the sum of squares, so it ends; partitions move only from those who have too many, so it is sticky.
func assignUniform(all []*candidate) map[string]partitionSet {
	u := uniform{readers: map[TopicID][]*candidate{}, targets: map[string]partitionSet{}}
	var partitions []idPartition
	for _, cand := range all {
		u.targets[cand.m.id] = partitionSet{}
		for _, t := range cand.topics {
			if u.readers[t.ID] == nil {
				for p := range t.Partitions {
					partitions = append(partitions, idPartition{t.ID, p})
				}
			}
			u.readers[t.ID] = append(u.readers[t.ID], cand)
		}
	}
	holders := u.keep(all, partitions)
	for _, p := range partitions {
		if holders[p] == nil {
			holders[p] = u.least(p)
			u.targets[holders[p].m.id][p] = true
		}
	}
	for moved := true; moved; {
		moved = false
		for _, p := range partitions {
			from, to := holders[p], u.least(p)
			if u.load(to)+1 < u.load(from) {
				delete(u.targets[from.m.id], p)
				u.targets[to.m.id][p] = true
				holders[p] = to
				moved = true
			}
		}
	}
	return u.targets
}

// keep gives each member what its last target had and it may still have.
func (u *uniform) keep(all []*candidate, partitions []idPartition) map[idPartition]*candidate {
	exists := partitionSet{}
	for _, p := range partitions {
		exists[p] = true
	}
	holders := map[idPartition]*candidate{}
	for _, cand := range all {
		for p := range cand.m.target {
			if exists[p] && holders[p] == nil && slices.Contains(u.readers[p.topic], cand) {
				holders[p] = cand
				u.targets[cand.m.id][p] = true
			}
		}
	}
	return holders
}

func (u *uniform) load(cand *candidate) int { return len(u.targets[cand.m.id]) }

// least is the reader of p with the fewest partitions, of equals the one that came first.
func (u *uniform) least(p idPartition) *candidate {
	readers := u.readers[p.topic]
	return slices.MinFunc(readers, func(a, b *candidate) int { return cmp.Compare(u.load(a), u.load(b)) })
}

// assignRange gives each reader of a topic a run of neighbouring partitions, so that partitions of equal number of several topics come
// together at one member. Members are ordered by instance id, then by id.
func assignRange(all []*candidate) map[string]partitionSet {
	all = slices.SortedStableFunc(slices.Values(all), func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b2i(a.m.instanceID == ""), b2i(b.m.instanceID == "")), cmp.Compare(a.m.instanceID, b.m.instanceID), cmp.Compare(a.m.id, b.m.id))
	})
	targets := map[string]partitionSet{}
	readers := map[TopicID][]*candidate{}
	var topics []TopicMeta
	for _, cand := range all {
		targets[cand.m.id] = partitionSet{}
		for _, t := range cand.topics {
			if readers[t.ID] == nil {
				topics = append(topics, t)
			}
			readers[t.ID] = append(readers[t.ID], cand)
		}
	}
	for _, t := range topics {
		n := int32(len(readers[t.ID]))
		next := int32(0)
		for i, cand := range readers[t.ID] {
			take := t.Partitions / n
			if int32(i) < t.Partitions%n {
				take++
			}
			for ; take > 0; take-- {
				targets[cand.m.id][idPartition{t.ID, next}] = true
				next++
			}
		}
	}
	return targets
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
