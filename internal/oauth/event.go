package oauth

import "orbit/internal/mail/ladder"

// EventKind says what happened to the tokens of an address.
type EventKind string

// What happens. A refresh that goes on failing in the same way is told once.
const (
	RefreshFailed       EventKind = "refresh_failed"       // the provider gives no new access token
	RefreshRecovered    EventKind = "refresh_recovered"    // it does again
	AuthorisationFailed EventKind = "authorisation_failed" // somebody came back from the provider without a token
	NoRefreshToken      EventKind = "no_refresh_token"     // an authorisation that ends with its first access token
)

// Event is something that whoever follows a mailbox wants to read at once, also when nobody signs in.
type Event struct {
	Kind    EventKind
	Address string
	Fault   ladder.Fault // of what failed
}

// tell hands an event to whoever listens.
func (s *Service) tell(e Event) {
	if s.observe != nil {
		s.observe(e)
	}
}

// tellFailure tells of a failed refresh, unless the row says that it failed like this before: rows are shared,
// so one process tells it for all.
func (s *Service) tellFailure(before Grant, f ladder.Fault) {
	if before.Fault == nil || before.Fault.Code != f.Code || before.Failures == 0 {
		s.tell(Event{Kind: RefreshFailed, Address: before.Address, Fault: f})
	}
}

// tellRecovery tells that a refresh has succeeded where the one before had failed.
func (s *Service) tellRecovery(before Grant) {
	if before.Failures > 0 {
		s.tell(Event{Kind: RefreshRecovered, Address: before.Address})
	}
}
