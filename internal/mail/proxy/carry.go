package proxy

import (
	"errors"
	"io"
)

// smallBuffer serves commands and replies of connections that can only wait inside a read.
const smallBuffer = 1 << 10

// carry runs a lane in a goroutine of its own, where no loop can: through a connector's tunnel, and on other
// systems. The last lane ends the session.
func (l *lane) carry() {
	if l.finish(l.guardBlocking()) {
		l.relay.closeOrderly()
		l.relay.tell()
	}
}

// guardBlocking moves everything and keeps a panic from other sessions.
func (l *lane) guardBlocking() (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			l.relay.panicked(fault)
			l.relay.cut(errPanic)
			err = errPanic
		}
	}()
	if err := l.passRest(); err != nil {
		return err
	}
	return l.moveBlocking()
}

// moveBlocking waits inside reads with a small buffer, and takes a large one for as long as reads fill it.
func (l *lane) moveBlocking() error {
	var small [smallBuffer]byte
	for {
		n, err := l.moveOnce(small[:])
		if err == nil && n == len(small) {
			err = l.moveBulk()
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (l *lane) moveBulk() error {
	buf := buffers.Get().(*buffer)
	defer buffers.Put(buf)
	for {
		n, err := l.moveOnce(buf[:16<<10]) // what one TLS record holds
		if err != nil || n < 16<<10 {
			return err
		}
	}
}

func (l *lane) moveOnce(buf []byte) (int, error) {
	n, err := l.from.conn.Read(buf)
	if err := l.pass(buf[:n]); err != nil {
		return n, err
	}
	return n, err
}
