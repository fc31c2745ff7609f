package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lagTimeout bounds reading the records whose timestamps tell a lag in seconds.
const lagTimeout = 3 * time.Second

// Group is a consumer group in a list.
type Group struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Protocol string `json:"protocol"`
}

// GroupPartition is how far a group is in one partition.
type GroupPartition struct {
	Topic      string   `json:"topic"`
	Partition  int32    `json:"partition"`
	Committed  int64    `json:"committed"` // -1: nothing
	Start      int64    `json:"start"`
	End        int64    `json:"end"`
	Lag        int64    `json:"lag"`                   // records; -1: unknown
	LagSeconds *float64 `json:"lag_seconds,omitempty"` // age of the first record not yet consumed
	Member     string   `json:"member,omitempty"`
	Client     string   `json:"client,omitempty"`
	Host       string   `json:"host,omitempty"`
}

// GroupDetail is a described group.
type GroupDetail struct {
	Group
	Assignor   string           `json:"assignor"`
	Members    int              `json:"members"`
	Lag        int64            `json:"lag"`
	Partitions []GroupPartition `json:"partitions"`
}

// Groups lists the groups by name.
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	listed, err := c.adm.ListGroups(ctx)
	if err != nil {
		return nil, explain("listing groups", err, "")
	}
	out := make([]Group, 0, len(listed))
	for _, g := range listed.Sorted() {
		out = append(out, Group{g.Group, g.State, g.ProtocolType})
	}
	return out, nil
}

// DescribeGroup tells members, offsets and lag of a group. ErrNoGroup if there is none.
func (c *Client) DescribeGroup(ctx context.Context, name string, now time.Time) (*GroupDetail, error) {
	lags, err := c.adm.Lag(ctx, name)
	g, ok := lags[name]
	if err == nil && ok {
		err = g.Error()
	}
	if err != nil {
		return nil, explain("describing group "+name, err, "")
	}
	if !ok || g.State == "Dead" {
		return nil, fmt.Errorf("describing group %s: %w", name, ErrNoGroup)
	}
	out := &GroupDetail{Group: Group{name, g.State, g.ProtocolType}, Assignor: g.Protocol, Members: len(g.Members), Partitions: []GroupPartition{}}
	for _, l := range g.Lag.Sorted() {
		p := GroupPartition{Topic: l.Topic, Partition: l.Partition, Committed: l.Commit.At, Start: l.Start.Offset, End: l.End.Offset, Lag: l.Lag}
		if l.Err != nil {
			p.Lag = -1
		}
		if l.Member != nil {
			p.Member, p.Client, p.Host = l.Member.MemberID, l.Member.ClientID, l.Member.ClientHost
		}
		out.Lag += max(p.Lag, 0)
		out.Partitions = append(out.Partitions, p)
	}
	c.ages(ctx, out.Partitions, now)
	return out, nil
}

// ErrNoGroup: the cluster knows no such group.
var ErrNoGroup = errors.New("there is no such group")

// ages fills in the lag in seconds, by reading the first record behind each committed offset. What cannot be read stays unknown.
func (c *Client) ages(ctx context.Context, parts []GroupPartition, now time.Time) {
	from, want := map[string]map[int32]kgo.Offset{}, map[partition]*GroupPartition{}
	for i := range parts {
		p := &parts[i]
		zero := 0.0
		if p.Lag == 0 {
			p.LagSeconds = &zero
		}
		if p.Lag <= 0 {
			continue
		}
		if from[p.Topic] == nil {
			from[p.Topic] = map[int32]kgo.Offset{}
		}
		from[p.Topic][p.Partition] = kgo.NewOffset().At(max(p.Committed, p.Start))
		want[partition{p.Topic, p.Partition}] = p
	}
	if len(want) == 0 {
		return
	}
	cl, err := c.newClient(kgo.ConsumePartitions(from), kgo.FetchMaxPartitionBytes(1), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		return
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, lagTimeout)
	defer cancel()
	for len(want) > 0 && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(k *kgo.Record) {
			at := partition{k.Topic, k.Partition}
			if p := want[at]; p != nil {
				age := max(now.Sub(k.Timestamp).Seconds(), 0)
				p.LagSeconds = &age
				delete(want, at)
			}
		})
	}
}

// Seeked is a committed offset that changed.
type Seeked struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // -1: there was none
	To        int64  `json:"to"`
}

// SeekGroup commits new offsets for a topic. The group must have no members, which would overwrite them. partition -1 means all.
func (c *Client) SeekGroup(ctx context.Context, name, topic string, partition int32, to Position) ([]Seeked, error) {
	what := "seeking group " + name
	described, err := c.adm.DescribeGroups(ctx, name)
	if err != nil {
		return nil, explain(what, err, "")
	}
	if d := described[name]; len(d.Members) > 0 {
		return nil, fmt.Errorf("%s: it has %d members and is %s; stop them first", what, len(d.Members), d.State)
	}
	targets, _, err := c.resolve(ctx, topic, partition, to)
	if err != nil {
		return nil, err
	}
	before, err := c.adm.FetchOffsets(ctx, name)
	if err != nil {
		return nil, explain(what, err, "")
	}
	var offsets kadm.Offsets
	var out []Seeked
	for p, o := range targets {
		offsets.AddOffset(topic, p, o, -1)
		s := Seeked{topic, p, -1, o}
		if r, ok := before.Lookup(topic, p); ok && r.Err == nil {
			s.From = r.At
		}
		out = append(out, s)
	}
	resp, err := c.adm.CommitOffsets(ctx, name, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return nil, explain(what, err, "")
	}
	slices.SortFunc(out, func(a, b Seeked) int { return cmp.Compare(a.Partition, b.Partition) })
	return out, nil
}

// DeleteGroup forgets a group without members and its offsets.
func (c *Client) DeleteGroup(ctx context.Context, name string) error {
	resp, err := c.adm.DeleteGroup(ctx, name)
	if err == nil {
		err = resp.Err
	}
	return explain("deleting group "+name, err, "")
}
