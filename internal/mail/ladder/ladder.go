// Package ladder describes a visit to a mail server as a ladder of steps.
//
// Real mail and "Test configuration" climb the same ladder; a test only watches. Each step has a name, a
// plain result, a duration and, when it failed, a Fault: what happened, who must act and what to do.
// The package knows no protocol: submit, fetch and the proxy's upstream side report into it.
package ladder

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Name is a step's stable identifier, the same in JSON, log and page.
type Name string

// The steps, in the order in which a visit climbs them. Not every visit has all of them.
const (
	Resolve   Name = "resolve"   // find the addresses of the host
	Connector Name = "connector" // reach the network connector
	Gate      Name = "gate"      // sign in at the network connector
	Connect   Name = "connect"   // open the TCP connection
	TLS       Name = "tls"       // handshake and certificate
	Greeting  Name = "greeting"  // the server's first line
	Hello     Name = "ehlo"      // EHLO, CAPABILITY or CAPA
	Token     Name = "token"     // the OAuth 2.0 access token
	Auth      Name = "auth"      // sign-in
	MailFrom  Name = "mail_from"
	RcptTo    Name = "rcpt_to"
	Data      Name = "data"
	Reply     Name = "reply"  // the server's final word on the message
	Select    Name = "select" // open the mailbox (SELECT or STAT)
	Idle      Name = "idle"   // is IDLE offered
	Fetch     Name = "fetch"  // list, read, mark or delete messages; no rung of a test
)

// Line is one line of the redacted transcript.
type Line struct {
	From string    `json:"from"` // "orbit", "server", or "note"
	Text string    `json:"text"` // never a secret: writers redact before they record
	At   time.Time `json:"at"`
}

// Step is one rung.
type Step struct {
	Name       Name          `json:"name"`
	Title      string        `json:"title"`            // what people read: "Certificate and encryption"
	Result     string        `json:"result,omitempty"` // plain result: "TLS 1.3, certificate valid until 2027-01-04"
	Started    time.Time     `json:"started"`
	Duration   time.Duration `json:"duration"`
	Done       bool          `json:"done"`
	Fault      *Fault        `json:"fault,omitempty"`
	Warnings   []string      `json:"warnings,omitempty"` // things that work today and need attention
	Transcript []Line        `json:"transcript,omitempty"`
}

// Who must act on a fault. The words are those of the error dictionary.
type Who string

// The people who can act.
const (
	You          Who = "you"
	MailboxOwner Who = "mailbox owner"
	Microsoft365 Who = "Microsoft 365 administrator"
	GoogleAdmin  Who = "Google Workspace administrator"
	NetworkTeam  Who = "network team"
	ServerAdmin  Who = "administrator of the mail server"
	Nobody       Who = "nobody" // it heals by itself
)

// Fault says why a step failed, for people.
type Fault struct {
	Code      string `json:"code"`                // dictionary key, e.g. "tls_expired", "AADSTS7000222", "smtp_535_5.7.139"
	Cause     string `json:"cause"`               // what happened, one sentence
	Who       Who    `json:"who"`                 // who must act
	Remedy    string `json:"remedy"`              // exactly what to do; commands on lines of their own
	Reply     string `json:"reply,omitempty"`     // the server's words
	Temporary bool   `json:"temporary,omitempty"` // trying again later may succeed
	Throttled bool   `json:"throttled,omitempty"` // slow down; does not count as an attempt
	Authorise bool   `json:"authorise,omitempty"` // a person must authorise at the provider

	Fingerprint string `json:"fingerprint,omitempty"` // SHA-256 of the certificate that the remedy offers to pin
}

// Error is a fault at a step. It wraps the technical error for the log.
type Error struct {
	Step  Name
	Fault Fault
	Err   error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Step, e.Fault.Cause)
	}
	return fmt.Sprintf("%s: %s: %v", e.Step, e.Fault.Cause, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Observer sees each step when it starts (Done false) and when it ends (Done true).
// It is called from the visiting goroutine and must not block. Nil is allowed everywhere.
type Observer func(Step)

// Ladder records one visit. All methods work on a nil *Ladder, so real mail climbs without recording.
type Ladder struct {
	mu      sync.Mutex
	steps   []Step
	observe Observer
}

// New returns a ladder that reports to observe (may be nil).
func New(observe Observer) *Ladder { return &Ladder{observe: observe} }

// Steps returns a copy of what was climbed so far.
func (l *Ladder) Steps() []Step {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Step(nil), l.steps...)
}

// Begin starts a step. The one before must have ended.
func (l *Ladder) Begin(name Name, title string) {
	if l == nil {
		return
	}
	l.update(func() *Step {
		l.steps = append(l.steps, Step{Name: name, Title: title, Started: time.Now()})
		return &l.steps[len(l.steps)-1]
	})
}

// Record adds a transcript line to the running step without reporting it.
func (l *Ladder) Record(from, text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.steps); n > 0 {
		l.steps[n-1].Transcript = append(l.steps[n-1].Transcript, Line{From: from, Text: text, At: time.Now()})
	}
}

// Warn attaches a warning to the running step.
func (l *Ladder) Warn(format string, args ...any) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.steps); n > 0 {
		l.steps[n-1].Warnings = append(l.steps[n-1].Warnings, fmt.Sprintf(format, args...))
	}
}

// End ends the running step with a plain result.
func (l *Ladder) End(format string, args ...any) {
	if l == nil {
		return
	}
	l.finish(func(s *Step) { s.Result = fmt.Sprintf(format, args...) })
}

// Fail ends the running step with a fault and returns it as an *Error.
func (l *Ladder) Fail(step Name, f Fault, err error) error {
	if l != nil {
		l.finish(func(s *Step) { s.Fault = &f })
	}
	return &Error{Step: step, Fault: f, Err: err}
}

func (l *Ladder) finish(change func(*Step)) {
	l.update(func() *Step {
		if len(l.steps) == 0 {
			return nil
		}
		s := &l.steps[len(l.steps)-1]
		s.Done, s.Duration = true, time.Since(s.Started)
		change(s)
		return s
	})
}

func (l *Ladder) update(change func() *Step) {
	l.mu.Lock()
	s := change()
	var seen Step
	if s != nil {
		seen = *s
	}
	l.mu.Unlock()
	if s != nil && l.observe != nil {
		l.observe(seen)
	}
}

type ladderKey struct{}

// With returns a context that carries l, so that a Dialer can report its own steps.
func With(ctx context.Context, l *Ladder) context.Context {
	return context.WithValue(ctx, ladderKey{}, l)
}

// From returns the ladder of ctx; nil (which records nothing) when there is none.
func From(ctx context.Context) *Ladder {
	l, _ := ctx.Value(ladderKey{}).(*Ladder)
	return l
}
