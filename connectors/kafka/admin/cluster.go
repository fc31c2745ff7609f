package admin

import (
	"context"
	"fmt"
)

// Broker is a node of a cluster.
type Broker struct {
	ID         int32  `json:"id"`
	Address    string `json:"address"`
	Controller bool   `json:"controller"`
}

// Health is the state of a cluster.
type Health struct {
	Healthy         bool     `json:"healthy"`
	ClusterID       string   `json:"cluster_id"`
	Brokers         []Broker `json:"brokers"`
	Topics          int      `json:"topics"`
	Partitions      int      `json:"partitions"`
	Leaderless      []string `json:"leaderless"`       // partitions without a leader, topic[partition]
	UnderReplicated []string `json:"under_replicated"` // partitions with replicas that lag
}

// Health asks for the state of the cluster. It is healthy with a controller and with a leader and all replicas of every partition.
func (c *Client) Health(ctx context.Context) (*Health, error) {
	m, err := c.adm.Metadata(ctx)
	if err != nil {
		return nil, explain("asking for the cluster's state", err, "")
	}
	h := &Health{ClusterID: m.Cluster, Brokers: []Broker{}, Topics: len(m.Topics), Leaderless: []string{}, UnderReplicated: []string{}}
	controlled := false
	for _, b := range m.Brokers {
		h.Brokers = append(h.Brokers, Broker{b.NodeID, fmt.Sprintf("%s:%d", b.Host, b.Port), b.NodeID == m.Controller})
		controlled = controlled || b.NodeID == m.Controller
	}
	for _, t := range m.Topics.Sorted() {
		for _, p := range t.Partitions.Sorted() {
			h.Partitions++
			name := fmt.Sprintf("%s[%d]", t.Topic, p.Partition)
			if p.Leader < 0 || p.Err != nil {
				h.Leaderless = append(h.Leaderless, name)
			}
			if len(p.ISR) < len(p.Replicas) {
				h.UnderReplicated = append(h.UnderReplicated, name)
			}
		}
	}
	h.Healthy = controlled && len(h.Leaderless) == 0 && len(h.UnderReplicated) == 0
	return h, nil
}
