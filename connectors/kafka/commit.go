package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/millrace/millrace/connectors"
)

// commitTimeout bounds one commit of offsets to the group: they only serve monitors, so a late one is dropped.
const commitTimeout = 10 * time.Second

// Committer is what a source of this package offers besides connectors.Source: it tells the consumer group of option group_id how far
// a checkpoint has come. Nothing is read back from it but by scan_startup='group'.
type Committer interface {
	// Commit commits the positions of splits and waits for the broker.
	Commit(ctx context.Context, positions map[string]connectors.Position) error
	// Committed does so in the background; of positions that come faster than the broker answers, the last ones win.
	Committed(positions map[string]connectors.Position)
}

// committer commits offsets in the background, one request at a time.
type committer struct {
	src   *source
	group string // "": nothing is committed

	mu      sync.Mutex
	next    map[string]connectors.Position // guarded by mu; what to commit next; nil: nothing
	running bool                           // guarded by mu
	closed  bool                           // guarded by mu
	cancel  context.CancelFunc             // ends background commits
	ctx     context.Context
	wg      sync.WaitGroup
}

func newCommitter(s *source, group string) *committer {
	c := &committer{src: s, group: group}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Commit implements Committer.
func (c *committer) Commit(ctx context.Context, positions map[string]connectors.Position) error {
	if c.group == "" || len(positions) == 0 {
		return nil
	}
	_, admin, err := c.src.connect()
	if err != nil {
		return err
	}
	offsets := kadm.Offsets{}
	for id, at := range positions {
		p, err := parseSplit(id)
		if err != nil {
			return err
		}
		if at == nil {
			continue
		}
		pos, err := decodePosition(at)
		if err != nil {
			return fmt.Errorf("committing %s: %w", p, err)
		}
		offsets.AddOffset(p.topic, p.id, pos.next, pos.epoch)
	}
	if err := admin.CommitAllOffsets(ctx, c.group, offsets); err != nil {
		return fmt.Errorf("committing offsets to group '%s': %w", c.group, err)
	}
	return nil
}

// Committed implements Committer.
func (c *committer) Committed(positions map[string]connectors.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.group == "" || c.closed {
		return
	}
	c.next = positions
	if !c.running {
		c.running = true
		c.wg.Add(1)
		go c.run()
	}
}

func (c *committer) run() {
	defer c.wg.Done()
	for {
		c.mu.Lock()
		positions := c.next
		c.next = nil
		if positions == nil {
			c.running = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		ctx, cancel := context.WithTimeout(c.ctx, commitTimeout)
		if err := c.Commit(ctx, positions); err != nil && c.ctx.Err() == nil {
			c.src.health.log.Warn("kafka: offsets were not committed", "relation", c.src.cfg.Relation, "err", err)
		}
		cancel()
	}
}

func (c *committer) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.wg.Wait()
}
