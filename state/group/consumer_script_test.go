package group

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// partitionText writes partitions as a0 a1 b0: topics have ids of one letter.
func partitionText(list []TopicPartitions) string {
	var out []string
	for _, t := range list {
		for _, p := range t.Partitions {
			out = append(out, fmt.Sprintf("%c%d", t.Topic[0], p))
		}
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, " ")
}

// beat runs `beat member=m epoch=n [reads=(topic,..)] [pattern=p] [assignor=a] [instance=i] [owns=(a0,..)|owns=none]`.
func (w *world) beat(t *testing.T, a map[string]string) {
	r := ConsumerHeartbeat{
		Group: "g", MemberID: a["member"], InstanceID: a["instance"], ClientID: a["member"],
		Epoch: int32(number(t, a["epoch"], 0)), RebalanceTimeout: -1,
	}
	if a["group"] != "" {
		r.Group = a["group"]
	}
	if r.Epoch == 0 {
		r.RebalanceTimeout, r.OwnedTold = span(t, a["rebalance"], 30*time.Second), true
	}
	if a["reads"] != "" {
		r.Subscribed = strings.Split(a["reads"], ",")
	}
	if p, ok := a["pattern"]; ok {
		r.Pattern = &p
	}
	if p, ok := a["assignor"]; ok {
		r.Assignor = &p
	}
	if owns, ok := a["owns"]; ok {
		r.OwnedTold = true
		for _, p := range strings.Split(owns, ",") {
			if p != "none" {
				r.Owned = append(r.Owned, TopicPartitions{TopicID{p[0]}, []int32{int32(number(t, p[1:], 0))}})
			}
		}
	}
	w.c.ConsumerHeartbeat(w.now, w.next(a["member"]), r)
}

func (w *world) describeConsumers() string {
	d := w.c.DescribeConsumers("g")
	out := fmt.Sprintf("%v %s epoch=%d target=%d %s\n", d.Code, d.State, d.Epoch, d.TargetEpoch, d.Assignor)
	for _, m := range d.Members {
		out += fmt.Sprintf("  %s epoch=%d has %s, is to have %s\n", m.ID, m.Epoch, partitionText(m.Assigned), partitionText(m.Target))
	}
	return out
}
