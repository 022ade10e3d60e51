package connector

import (
	"io"
	"net"
	"sync"
	"time"
)

// lingerTime is how long a closed connection may still write what it was given.
const lingerTime = 5 * time.Second

// patient gives a connection deadlines that has none: a channel of SSH knows no time, and every mail protocol
// limits how long it waits. Between the user and the channel stands a pipe with one goroutine for each direction.
type patient struct {
	net.Conn // the user's end of the pipe
	far      net.Conn
	channel  net.Conn
	to       net.Addr
	once     sync.Once
}

// newPatient wraps a channel. ended is called once when nothing is carried any more.
func newPatient(channel net.Conn, to net.Addr, ended func()) net.Conn {
	near, far := net.Pipe()
	p := &patient{Conn: near, far: far, channel: channel, to: to}
	var pumps sync.WaitGroup
	pumps.Go(p.receive)
	pumps.Go(p.send)
	go func() {
		pumps.Wait()
		ended()
	}()
	return p
}

// receive ends the pipe when the far end has said its last, so that the user reads an end of file.
func (p *patient) receive() {
	_, _ = io.Copy(p.far, p.channel)
	_ = p.far.Close()
}

// send closes the channel after the last byte that the user wrote.
func (p *patient) send() {
	_, _ = io.Copy(p.channel, p.far)
	_ = p.channel.Close()
}

// Close implements net.Conn. A server that takes nothing any more does not hold it up.
func (p *patient) Close() error {
	p.once.Do(func() {
		time.AfterFunc(lingerTime, func() { _ = p.channel.Close() })
	})
	return p.Conn.Close()
}

// RemoteAddr is the connector's: what the far end connected to is not known here.
func (p *patient) RemoteAddr() net.Addr { return p.to }
