package proxy

import (
	"errors"
	"sync"
	"time"
)

// State is what a listener does.
type State string

// The states.
const (
	Starting State = "starting"
	Running  State = "running"
	Standby  State = "standby" // another process has the port; tried again until it is free
	Failed   State = "failed"  // tried again
	Idle     State = "stopped"
)

// Status is a listener as it is now.
type Status struct {
	Listener Listener
	State    State
	Reason   string // why Standby or Failed
	Since    time.Time
	Address  string   // the port that is open, also where the listener asks for any
	Offer    []string // extensions learnt from the server
	Counters
	Accounts map[string]Counters
	Failures []Failure // the last ones, oldest first
}

// Counters count since the process has started, also across changes of the listener.
type Counters struct {
	Sessions int   // open now; of an account: signed in now
	Accepted int64 // connections; not for accounts
	SignIns  int64
	Refused  int64
	Up, Down int64 // bytes from clients, bytes from servers
	LastUsed time.Time
}

// Failure is something that went wrong, for the page of a listener.
type Failure struct {
	At      time.Time
	Account string // "" when it concerns none
	Reason  Reason // "" when it was no sign-in
	Text    string
}

// maxFailuresKept bounds Status.Failures; the log has them all.
const maxFailuresKept = 10

// ledger counts for one listener. It outlives the host when the listener is changed.
type ledger struct {
	mu       sync.Mutex
	total    Counters
	accounts map[string]*Counters // of accounts that Backend.Login knows, so clients can't make it grow
	failures []Failure
}

func newLedger() *ledger { return &ledger{accounts: make(map[string]*Counters)} }

// account returns the counters of an account, a spare for none.
func (l *ledger) account(a Account) *Counters {
	if a.Name == "" {
		return new(Counters)
	}
	c := l.accounts[a.Name]
	if c == nil {
		c = new(Counters)
		l.accounts[a.Name] = c
	}
	return c
}

func (l *ledger) opened() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.Sessions++
	l.total.Accepted++
}

func (l *ledger) signedIn(a Account) {
	l.mu.Lock()
	defer l.mu.Unlock()
	account := l.account(a)
	account.Sessions++
	account.SignIns++
	l.total.SignIns++
	account.LastUsed = time.Now()
	l.total.LastUsed = account.LastUsed
}

func (l *ledger) refused(a Account, e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.Refused++
	l.account(a).Refused++
	refusal := refusalOf(e.Err)
	l.keep(Failure{Account: e.name(), Reason: refusal.Reason, Text: refusal.text() + because(refusal.Err)})
}

// fault keeps an error that concerns no sign-in.
func (l *ledger) fault(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(Failure{Text: err.Error()})
}

func (l *ledger) keep(f Failure) {
	f.At = time.Now()
	l.failures = append(l.failures, f)
	if len(l.failures) > maxFailuresKept {
		l.failures = append([]Failure(nil), l.failures[1:]...)
	}
}

// closed books a session that has ended.
func (l *ledger) closed(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total.Sessions--
	account := l.account(e.Account)
	if e.Signed {
		account.Sessions--
	}
	for _, c := range []*Counters{&l.total, account} {
		c.Up += e.Up
		c.Down += e.Down
	}
	if errors.Is(e.Err, errPanic) {
		l.keep(Failure{Account: e.Account.Name, Text: e.Err.Error()})
	}
}

// status adds what the sessions that live have carried so far.
func (h *host) status() Status {
	h.mu.Lock()
	st := Status{Listener: h.listener, State: h.state, Reason: h.reason, Since: h.since, Address: h.address}
	h.mu.Unlock()
	st.Offer = h.offer.now()
	live := h.all()
	h.ledger.mu.Lock()
	defer h.ledger.mu.Unlock()
	st.Counters = h.ledger.total
	st.Failures = append(st.Failures, h.ledger.failures...)
	st.Accounts = make(map[string]Counters, len(h.ledger.accounts))
	for name, c := range h.ledger.accounts {
		st.Accounts[name] = *c
	}
	for _, s := range live {
		if r := s.relay.Load(); r != nil {
			st.carried(r.account, r.up.bytes.Load(), r.down.bytes.Load())
		}
	}
	return st
}

func (s *Status) carried(account string, up, down int64) {
	s.Up += up
	s.Down += down
	c := s.Accounts[account]
	c.Up += up
	c.Down += down
	s.Accounts[account] = c
}
