package group

// ConsumerDescription is what ConsumerGroupDescribe (KIP-848) tells of a group.
type ConsumerDescription struct {
	Code        Code
	Message     string
	State       string
	Epoch       int32
	TargetEpoch int32
	Assignor    string
	Members     []ConsumerMember
}

// ConsumerMember is one member with what it has and is to have.
type ConsumerMember struct {
	ID, InstanceID, RackID, ClientID, ClientHost string
	Epoch                                        int32
	Topics                                       []string
	Pattern                                      string
	Assigned, Target                             []TopicPartitions
}

// DescribeConsumers tells of a group of the consumer protocol.
func (c *Coordinator) DescribeConsumers(groupID string) ConsumerDescription {
	if groupID == "" {
		return ConsumerDescription{Code: InvalidGroupID, State: "Dead"}
	}
	g := c.groups[groupID]
	switch {
	case g == nil:
		return ConsumerDescription{Code: GroupIDNotFound, Message: "Group " + groupID + " not found.", State: "Dead"}
	case g.consumers == nil:
		return ConsumerDescription{Code: GroupIDNotFound, Message: "Group " + groupID + " is not a consumer group.", State: "Dead"}
	}
	cg := g.consumers
	d := ConsumerDescription{State: cg.stateName(), Epoch: cg.epoch, TargetEpoch: cg.targetEpoch, Assignor: cg.assignor}
	if d.Assignor == "" {
		d.Assignor = defaultAssignor
	}
	for _, m := range cg.inOrder() {
		d.Members = append(d.Members, ConsumerMember{
			ID: m.id, InstanceID: m.instanceID, RackID: m.rackID, ClientID: m.clientID, ClientHost: m.clientHost, Epoch: m.epoch,
			Topics: m.topics, Pattern: m.pattern, Assigned: grouped(m.assigned), Target: grouped(m.target),
		})
	}
	return d
}
