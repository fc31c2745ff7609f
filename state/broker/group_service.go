package broker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/millrace/millrace/state/group"
)

// offsetsTopic keeps committed offsets; its records are described in state/group/FORMAT.md.
const offsetsTopic = "__consumer_offsets"

// groupService drives the group coordinator.
type groupService struct {
	*coordinator[*group.Coordinator, group.Ticket, group.Action]
}

func startGroups(b *Broker) error {
	s := &groupService{}
	s.coordinator = newCoordinator[*group.Coordinator, group.Ticket, group.Action](b, group.New(group.Options{NewMemberID: newMemberID}), s.settle)
	tp, records, err := s.replay(offsetsTopic)
	if err != nil {
		return err
	}
	s.c.SetTopics(b.opts.Now(), b.topicMetas())
	s.c.Start(b.opts.Now())
	s.journal = startJournal(b, tp, records, s.appended)
	b.groups = s
	b.tasks.Go(func() { b.everyTick(coordinatorTick, s.tick) })
	return nil
}

// newMemberID makes an id that never comes twice, with the client's name in front for those who read it.
func newMemberID(clientID string) string {
	var id [16]byte
	rand.Read(id[:]) // never fails: the runtime stops the program instead
	return clientID + "-" + hex.EncodeToString(id[:])
}

func stopGroups(b *Broker, _ context.Context) {
	if s := b.groups; s != nil {
		s.stop()
		s.finish()
	}
}

// settle carries out what the coordinator asks for. Caller holds mu.
func (s *groupService) settle() {
	for _, a := range s.c.Actions() {
		switch a := a.(type) {
		case group.Append:
			s.journal.enqueue(a.ID, logRecords(a.Records))
		case group.JoinReply:
			s.reply(a.Ticket, a)
		case group.SyncReply:
			s.reply(a.Ticket, a)
		case group.CommitReply:
			s.reply(a.Ticket, a)
		case group.ConsumerHeartbeatReply:
			s.reply(a.Ticket, a)
		case group.TxnDone:
			s.reply(a.Ticket, a)
		default:
			panic(fmt.Sprintf("group coordinator asks for %T", a))
		}
	}
}
