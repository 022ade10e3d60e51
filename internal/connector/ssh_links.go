package connector

import (
	"context"
	"errors"
	"sync"

	"orbit/internal/mail/ladder"
)

// links are the kept connections, one for each connector.
type links struct {
	mu      sync.Mutex
	kept    map[int64]*link
	opening map[int64]*opening
}

// opening is an attempt for which others wait.
type opening struct {
	done chan struct{}
	err  error // set before done is closed
}

// find returns the connection of a connector as it is now, or nil.
func (k *links) find(c Connector) *link {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current(c)
}

func (k *links) current(c Connector) *link {
	kept := k.kept[c.ID]
	if kept == nil || kept.version == c.Version && kept.alive() {
		return kept
	}
	kept.retire()
	delete(k.kept, c.ID)
	return nil
}

// open connects. While somebody else does so for the same connector it waits and takes what that one got, also
// the failure: a server that is down would be tried by each in turn otherwise.
func (k *links) open(ctx context.Context, h hop) (*link, error) {
	for {
		kept, other := k.begin(h.c)
		if kept != nil {
			return kept, nil
		}
		if other == nil {
			opened, err := h.connectSSH(ctx)
			k.finish(h.c, opened, err)
			return opened, err
		}
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, h.stopped(ctx)
		}
		if other.err != nil && !errors.Is(other.err, context.Canceled) { // who gave up proved nothing
			return nil, h.alsoFailed(ctx, other.err)
		}
	}
}

// stopped explains that this visit ended while it waited.
func (h hop) stopped(ctx context.Context) error {
	ladder.From(ctx).Begin(ladder.Connector, "Network connector "+h.c.Name)
	return h.fault(ladder.Connector, h.Unreachable(ctx.Err()), ctx.Err())
}

// alsoFailed shows the failure of another visit as a step of this one.
func (h hop) alsoFailed(ctx context.Context, err error) error {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		ladder.From(ctx).Begin(explained.Step, "Network connector "+h.c.Name)
	}
	return err
}

// begin returns the kept connection, or the attempt to wait for, or neither: then the caller connects.
func (k *links) begin(c Connector) (*link, *opening) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if kept := k.current(c); kept != nil {
		return kept, nil
	}
	if other := k.opening[c.ID]; other != nil {
		return nil, other
	}
	if k.opening == nil {
		k.opening, k.kept = map[int64]*opening{}, map[int64]*link{}
	}
	k.opening[c.ID] = &opening{done: make(chan struct{})}
	return nil, nil
}

func (k *links) finish(c Connector, opened *link, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ended := k.opening[c.ID]
	delete(k.opening, c.ID)
	if opened != nil {
		k.kept[c.ID] = opened
	}
	ended.err = err
	close(ended.done)
}

// drop forgets the connection of a connector: cut at once, or when all that it carries has ended.
func (k *links) drop(id int64, cut bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := k.kept[id]
	if kept == nil {
		return
	}
	delete(k.kept, id)
	if cut {
		kept.end()
	} else {
		kept.retire()
	}
}

func (k *links) closeAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, kept := range k.kept {
		kept.end()
		delete(k.kept, id)
	}
}
