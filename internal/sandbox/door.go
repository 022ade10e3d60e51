package sandbox

import (
	"errors"
	"net"
	"sync"
)

// door is a listener that lets in so many connections at a time, and can send all of them away. The protocol
// libraries differ in what they do when they are stopped; a door makes them alike.
type door struct {
	net.Listener
	places chan struct{}
	closed chan struct{}

	mu          sync.Mutex
	inside      map[*guest]struct{}
	shutOnce    sync.Once
	connections sync.WaitGroup // until their servers have closed them
}

func newDoor(inner net.Listener, most int) *door {
	return &door{Listener: inner, places: make(chan struct{}, most), closed: make(chan struct{}), inside: make(map[*guest]struct{})}
}

// Accept waits for a place and then for a connection.
func (d *door) Accept() (net.Conn, error) {
	select {
	case d.places <- struct{}{}:
	case <-d.closed:
		return nil, net.ErrClosed
	}
	conn, err := d.Listener.Accept()
	if err != nil {
		<-d.places
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.closed:
		<-d.places
		return nil, errors.Join(net.ErrClosed, conn.Close())
	default:
	}
	g := &guest{Conn: conn, door: d}
	d.inside[g] = struct{}{}
	d.connections.Add(1)
	return g, nil
}

// shut ends the listener and the connections; their servers notice.
func (d *door) shut() {
	d.shutOnce.Do(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		close(d.closed)
		_ = d.Close()
		for g := range d.inside {
			_ = g.Conn.Close()
		}
	})
}

// guest is a connection.
type guest struct {
	net.Conn
	door *door
	once sync.Once
}

// Close is what the server does last.
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.once.Do(func() {
		g.door.mu.Lock()
		delete(g.door.inside, g)
		g.door.mu.Unlock()
		<-g.door.places
		g.door.connections.Done()
	})
	return err
}
