package group

import "time"

// Leaver names a member that goes: by member id, or a static one by instance id.
type Leaver struct {
	MemberID   string
	InstanceID string
}

// Leave removes members; the codes are parallel to them.
func (c *Coordinator) Leave(now time.Time, groupID string, leavers []Leaver) (Code, []Code) {
	if groupID == "" {
		return InvalidGroupID, nil
	}
	g := c.groups[groupID]
	codes := make([]Code, len(leavers))
	for i, l := range leavers {
		if g == nil {
			codes[i] = UnknownMemberID
			continue
		}
		codes[i] = c.leave(now, g, l)
	}
	if g != nil {
		c.dropIfUnused(g)
	}
	return None, codes
}

func (c *Coordinator) leave(now time.Time, g *group, l Leaver) Code {
	if _, ok := g.joining[l.MemberID]; ok {
		delete(g.joining, l.MemberID)
		c.completeIfReady(now, g)
		return None
	}
	if l.InstanceID != "" && l.MemberID == "" {
		// An administrator removes a static member, whatever its id is now.
		l.MemberID = g.static[l.InstanceID]
	}
	m, code := g.find(l.MemberID, l.InstanceID)
	if code != None {
		return code
	}
	c.expel(now, g, m)
	return None
}
