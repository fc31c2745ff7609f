package group

// Description is what DescribeGroups tells of a group.
type Description struct {
	Code         Code
	Group        string
	State        string
	ProtocolType string
	Protocol     string
	Members      []MemberDescription
}

// MemberDescription is one member, with what it subscribed to and got.
type MemberDescription struct {
	MemberID   string
	InstanceID string
	ClientID   string
	ClientHost string
	Metadata   []byte
	Assignment []byte
}

// Describe tells of a group; one that does not exist is "Dead".
func (c *Coordinator) Describe(groupID string) Description {
	if groupID == "" {
		return Description{Code: InvalidGroupID, State: "Dead"}
	}
	g := c.groups[groupID]
	if g == nil || g.consumers != nil {
		return Description{Code: GroupIDNotFound, Group: groupID, State: "Dead"}
	}
	d := Description{Group: g.id, State: g.state.String(), ProtocolType: g.protocolType}
	if g.state == Stable {
		d.Protocol = g.protocol
	}
	for _, m := range g.inOrder() {
		md := MemberDescription{MemberID: m.id, InstanceID: m.instanceID, ClientID: m.clientID, ClientHost: m.clientHost}
		if g.state == Stable {
			md.Metadata, md.Assignment = m.metadata(g.protocol), m.assignment
		}
		d.Members = append(d.Members, md)
	}
	return d
}

// The types of groups.
const (
	TypeClassic  = "classic"
	TypeConsumer = "consumer"
)

// tombstone deletes the group's record.
func (g *group) tombstone() change {
	if g.consumers != nil {
		return change{kind: kindConsumer, tombstone: true, group: g.id}
	}
	return change{kind: kindGroup, tombstone: true, group: g.id}
}

// Listing is one line of ListGroups.
type Listing struct {
	Group        string
	ProtocolType string
	State        string
	Type         string // "classic" or "consumer"
}

// List names all groups, sorted.
func (c *Coordinator) List() []Listing {
	out := make([]Listing, 0, len(c.groups))
	for _, g := range c.sortedGroups() {
		l := Listing{g.id, g.protocolType, g.state.String(), TypeClassic}
		if g.consumers != nil {
			l = Listing{g.id, TypeConsumer, g.consumers.stateName(), TypeConsumer}
		}
		out = append(out, l)
	}
	return out
}

// DeleteGroup handles one group of DeleteGroups; the answer is a CommitReply.
func (c *Coordinator) DeleteGroup(t Ticket, groupID string) {
	g := c.groups[groupID]
	code := None
	switch {
	case groupID == "":
		code = InvalidGroupID
	case g == nil:
		code = GroupIDNotFound
	case g.hasMembers() || len(g.joining) > 0 || len(g.pending) > 0:
		code = NonEmptyGroup
	}
	if code != None {
		c.emit(CommitReply{Ticket: t, Code: code})
		return
	}
	var changes []change
	for _, tp := range sortedKeys(g.offsets) {
		changes = append(changes, change{kind: kindOffset, tombstone: true, group: g.id, partition: tp})
	}
	changes = append(changes, g.tombstone())
	c.commit(t, changes, nil)
}
