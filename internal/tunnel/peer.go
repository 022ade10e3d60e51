package tunnel

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// AnotherProcess is who takes a request up that is passed on: the agent that gets it says so next.
const AnotherProcess = "another Orbit process"

// Peer is another process of this Orbit.
type Peer struct {
	Process   string
	Addresses []string // host:port, each of which may lead there
}

// peer is the link to another process, made when it is needed.
type peer struct {
	mu   sync.Mutex
	link *link
	stop context.CancelFunc
}

// DialPeer opens a tunnel through another process, which has an agent of r.Connector. A *LinkError says that it
// could not be asked, or has no agent any more.
func (b *Broker) DialPeer(ctx context.Context, to Peer, r Request, told func(Progress)) (*Conn, error) {
	p := b.peer(to.Process)
	l, err := p.open(ctx, b, to)
	if err != nil {
		return nil, &LinkError{Text: "the Orbit process that has the agent cannot be reached", Err: err}
	}
	conn, err := l.open(ctx, r, told)
	var failure *Failure
	if errors.As(err, &failure) && failure.Code == NoAgent {
		return nil, &LinkError{Text: failure.Text}
	}
	return conn, err
}

func (b *Broker) peer(process string) *peer {
	b.peering.Lock()
	defer b.peering.Unlock()
	p := b.peers[process]
	if p == nil {
		p = &peer{}
		b.peers[process] = p
	}
	return p
}

// open returns the link, a new one when there is none that works.
func (p *peer) open(ctx context.Context, b *Broker, to Peer) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link != nil && !p.link.session.IsClosed() && p.link.wire.silence() < freshFor {
		return p.link, nil
	}
	l, err := b.callPeer(ctx, to)
	if err != nil {
		return nil, err
	}
	if !b.bg.join() {
		_ = l.session.Close()
		return nil, errors.New("this process ends")
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.link, p.stop = l, stop
	go func() {
		defer b.bg.leave()
		defer stop()
		var idle sync.WaitGroup
		idle.Go(func() { l.endIdle(idlePeer) }) // ends with the session
		_ = l.run(running)
		idle.Wait()
	}()
	return l, nil
}

// Close ends the links to other processes.
func (b *Broker) Close() {
	b.peering.Lock()
	for _, p := range b.peers {
		p.mu.Lock()
		if p.stop != nil {
			p.stop()
		}
		p.mu.Unlock()
	}
	b.peering.Unlock()
	b.bg.dismiss()
}

// callPeer tries the addresses at the same time. The first that proves to be that process counts.
func (b *Broker) callPeer(ctx context.Context, to Peer) (*link, error) {
	if len(to.Addresses) == 0 {
		return nil, errors.New("its address is not known")
	}
	type outcome struct {
		link *link
		err  error
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	outcomes := make(chan outcome, len(to.Addresses))
	for _, address := range to.Addresses {
		go func() {
			l, err := b.shakeHands(ctx, address, to.Process)
			outcomes <- outcome{l, err}
		}()
	}
	var found *link
	var errs []error
	for range to.Addresses {
		o := <-outcomes
		switch {
		case o.err != nil:
			errs = append(errs, o.err)
		case found == nil:
			found = o.link
			cancel()
		default:
			_ = o.link.session.Close()
		}
	}
	if found != nil {
		return found, nil
	}
	return nil, errors.Join(errs...)
}

// shakeHands proves to a process that this is one of the same Orbit, and hears its proof.
func (b *Broker) shakeHands(ctx context.Context, address, process string) (*link, error) {
	c, err := callIn(ctx, address, peerPath, b.fingerprint, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if err = b.prove(ctx, c, process); err == nil {
		var l *link
		if l, err = newOpener(c.ws, c.flush, maxPeerTunnels); err == nil {
			return l, nil
		}
	}
	_ = c.ws.CloseNow()
	return nil, fmt.Errorf("%s: %w", address, err)
}

func (b *Broker) prove(ctx context.Context, c *called, process string) error {
	if c.hello.Process != process {
		return errors.New("another process answers there")
	}
	mine := peerProof{Process: b.o.Process, Nonce: make([]byte, nonceSize)}
	_, _ = rand.Read(mine.Nonce) // never fails
	mine.Code = mine.code(askerLabel, b.o.PeerKey, c.binding, c.hello)
	if err := say(ctx, c.ws, mine); err != nil {
		return err
	}
	var theirs peerProof
	if err := hearHandshake(ctx, c.ws, &theirs); err != nil {
		return err
	}
	if !hmac.Equal(theirs.Code, mine.code(giverLabel, b.o.PeerKey, c.binding, c.hello)) {
		return errors.New("what answers there does not know the key of this Orbit")
	}
	return nil
}

// endIdle ends a link on which no tunnel was open for a while.
func (l *link) endIdle(most time.Duration) {
	look := time.NewTicker(most / 4)
	defer look.Stop()
	last := time.Now()
	for {
		select {
		case <-l.session.CloseChan():
			return
		case <-look.C:
		}
		if l.tunnels() > 0 {
			last = time.Now()
		}
		if time.Since(last) > most {
			l.fail(errors.New("nobody needs it"))
			return
		}
	}
}
