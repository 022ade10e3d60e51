package proxyhost

import (
	"context"
	"strings"
	"sync"
	"time"

	"orbit/internal/mail/proxy"
)

// observe is called by the sessions themselves: it counts, hands over and returns.
func (s *Service) observe(e proxy.Event) {
	s.counts.add(e)
	s.write(entryOf(e))
	if e.Kind == proxy.Listening && e.Listener.Exposed() {
		s.write(exposed(e))
	}
	switch e.Kind {
	case proxy.Listening, proxy.PortInUse, proxy.ListenFailed, proxy.Stopped:
		s.happened.raise()
	case proxy.SignedIn:
		s.errand(func(ctx context.Context) { s.proved(ctx, e.Listener, e.Account.Name) })
	case proxy.Refused:
		if e.Reason() == proxy.TokenRefused {
			s.errand(func(ctx context.Context) { s.refused(ctx, e.Listener, e.Account.Name, e.Err) })
		}
	default: // told and counted, that is all
	}
}

// entryOf is an event of the proxy as the log keeps it.
func entryOf(e proxy.Event) entry {
	account := e.Account.Name
	if account == "" {
		account = e.Username
	}
	made := entry{
		at: e.At, listener: listenerID(e.Listener.Name), session: e.Session, level: levelOf(e), kind: string(e.Kind),
		account: strings.ToLower(account), text: e.Sentence(),
	}
	if e.Client.IsValid() {
		made.client = e.Client.String()
	}
	if e.Kind == proxy.Panicked {
		made.text += "\n" + e.Text
	}
	return made
}

// exposed says at each start that somebody has allowed passwords in clear: whoever reads the log may not know.
func exposed(e proxy.Event) entry {
	return entry{at: e.At, listener: listenerID(e.Listener.Name), level: Warning, kind: kindExposed, text: inClear(e.Listener.LocalAddress)}
}

func levelOf(e proxy.Event) Level {
	switch e.Kind {
	case proxy.ListenFailed, proxy.Panicked:
		return Error
	case proxy.PortInUse, proxy.NotLearnt, proxy.TurnedAway, proxy.Refused, proxy.Retried:
		return Warning
	case proxy.Listening, proxy.Stopped, proxy.Learnt, proxy.Accepted, proxy.SignedIn, proxy.Ended:
	}
	return Info
}

// quiet are the events of sessions that go well: in the process's own log they are details.
var quiet = map[string]bool{
	string(proxy.Accepted): true, string(proxy.SignedIn): true, string(proxy.Ended): true,
}

// write puts an event into the log of the proxy and into that of the process. What servers and clients say
// ends here, so here it is made harmless.
func (s *Service) write(e entry) {
	if e.at.IsZero() {
		e.at = time.Now()
	}
	e.account, e.text = storable(e.account, maxAccount), storable(proxy.Censor(e.text), maxText)
	s.journal.add(e)
	s.tellProcess(e)
}

func (s *Service) tellProcess(e entry) {
	say := s.log.Info
	switch {
	case quiet[e.kind]:
		say = s.log.Debug
	case e.level == Warning:
		say = s.log.Warn
	case e.level == Error:
		say = s.log.Error
	}
	say("mail proxy", "kind", e.kind, "text", e.text)
}

// counts are the sign-ins of this process by what became of them.
type counts struct {
	mu     sync.Mutex
	logins map[login]float64
}

// login is a sign-in as the metrics count it; the reason is empty when it succeeded.
type login struct {
	protocol proxy.Protocol
	reason   proxy.Reason
}

func (c *counts) add(e proxy.Event) {
	if e.Kind != proxy.SignedIn && e.Kind != proxy.Refused {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.logins == nil {
		c.logins = map[login]float64{}
	}
	c.logins[login{e.Listener.Protocol, e.Reason()}]++
}

func (c *counts) all() map[login]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := make(map[login]float64, len(c.logins))
	for what, n := range c.logins {
		copied[what] = n
	}
	return copied
}

// errand is something to be done for an account when nobody waits for it. It may be forgotten: the next
// sign-in gives occasion again.
type errand func(context.Context)

const (
	maxErrands = 1000
	messengers = 4
)

func (s *Service) errand(do errand) {
	select {
	case s.errands <- do:
	default:
	}
}

// runErrands does what comes until ctx ends.
func (s *Service) runErrands(ctx context.Context) {
	for {
		select {
		case do := <-s.errands:
			do(ctx)
		case <-ctx.Done():
			return
		}
	}
}
