package submit

import "context"

// Usable reports whether the session can take another message.
func (s *Session) Usable() bool { return !s.broken }

// Alive asks the server whether it is still there. A pool asks before it hands out a session that has
// rested: servers close idle connections without a word.
func (s *Session) Alive(ctx context.Context) bool {
	if s.broken {
		return false
	}
	stop := s.wire.watch(ctx)
	defer stop()
	r, err := s.wire.ask(nil, "NOOP", "")
	s.broken = err != nil || !r.ok(2)
	return !s.broken
}

// Close says good-bye and closes the connection. The messages were accepted before, so nothing that goes
// wrong here matters to anybody.
func (s *Session) Close() {
	if !s.broken {
		s.broken = true
		s.wire.timeouts.Command = s.wire.timeouts.Quit
		_, _ = s.wire.ask(nil, "QUIT", "")
	}
	_ = s.wire.conn.Close()
}
