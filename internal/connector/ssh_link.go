package connector

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	aliveEvery   = 30 * time.Second // a firewall forgets silent connections sooner or later
	aliveTimeout = 15 * time.Second
	linkIdle     = 5 * time.Minute // a connection that carries nothing is not kept longer
	maxCarried   = 1000            // connections at once through one SSH connection
)

var errBusy = errors.New("too many connections at once")

// link is one kept connection to an SSH server.
type link struct {
	id       int64
	version  int
	username string
	client   *ssh.Client
	conn     net.Conn
	done     chan struct{} // closed when the connection has ended

	mu      sync.Mutex
	carried int
	used    time.Time
	retired bool
}

func newLink(c Connector, username string, client *ssh.Client, conn net.Conn) *link {
	k := &link{id: c.ID, version: c.Version, username: username, client: client, conn: conn, done: make(chan struct{}), used: time.Now()}
	go func() {
		_ = client.Wait()
		close(k.done)
	}()
	go k.keepAlive()
	return k
}

// keepAlive asks the server whether it is still there, and ends the connection when it does not answer or
// when nobody has used it for a while.
func (k *link) keepAlive() {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.done:
			return
		case <-tick.C:
			if k.idle() || !k.answers() {
				k.end()
				return
			}
		}
	}
}

func (k *link) idle() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.carried == 0 && time.Since(k.used) > linkIdle
}

func (k *link) answers() bool {
	answered := make(chan error, 1)
	go func() {
		_, _, err := k.client.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	}()
	timer := time.NewTimer(aliveTimeout)
	defer timer.Stop()
	select {
	case err := <-answered:
		return err == nil
	case <-timer.C:
		return false // end closes the connection, and that ends the question
	}
}

// end closes the connection and everything that it carries.
func (k *link) end() { _ = k.conn.Close() }

func (k *link) alive() bool {
	select {
	case <-k.done:
		return false
	default:
		return true
	}
}

// dial opens a connection to address at the far end.
func (k *link) dial(ctx context.Context, address string) (net.Conn, error) {
	if err := k.take(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	type outcome struct {
		conn net.Conn
		err  error
	}
	opened := make(chan outcome, 1)
	go func() {
		conn, err := k.client.Dial("tcp", address)
		opened <- outcome{conn, err}
	}()
	select {
	case o := <-opened:
		if o.err != nil {
			k.release()
			return nil, o.err
		}
		return newPatient(o.conn, k.conn.RemoteAddr(), k.release), nil
	case <-ctx.Done():
		go func() { // the server answers some time, or the connection ends
			if !k.answers() {
				k.end()
			}
			if o := <-opened; o.conn != nil {
				_ = o.conn.Close()
			}
			k.release()
		}()
		return nil, ctx.Err()
	}
}

func (k *link) take() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.retired && k.carried == 0: // ended between being found and being used
		return net.ErrClosed
	case k.carried >= maxCarried:
		return errBusy
	}
	k.carried++
	return nil
}

func (k *link) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.carried--
	k.used = time.Now()
	if k.retired && k.carried == 0 {
		k.end()
	}
}

// retire ends the connection with the last that it carries.
func (k *link) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.retired = true
	if k.carried == 0 {
		k.end()
	}
}
