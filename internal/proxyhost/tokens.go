package proxyhost

import (
	"fmt"

	"orbit/internal/mail/ladder"
	"orbit/internal/oauth"
)

// Heard writes what happened to the tokens of an address into the log, at once and not when somebody signs in
// next. It is the Observe of oauth.Options and does not wait.
func (s *Service) Heard(e oauth.Event) {
	s.write(heard(e))
	if e.Fault.Authorise {
		s.prompt(e.Address)
	}
}

// Expires writes that a secret of a registration ends soon into the log. It does not wait.
func (s *Service) Expires(e oauth.Expiring) {
	s.write(entry{level: Warning, kind: kindExpires, text: e.Text()})
}

// heard is an event of tokens in the sentences that administrators of email-oauth2-proxy look for.
func heard(e oauth.Event) entry {
	made := entry{account: e.Address, kind: string(e.Kind), level: Warning}
	switch e.Kind {
	case oauth.RefreshFailed:
		made.text = fmt.Sprintf("Caught exception while requesting OAuth 2.0 credentials for account %s: %s", e.Address, causeAndRemedy(e.Fault))
	case oauth.RefreshRecovered:
		made.level, made.text = Info, fmt.Sprintf("The provider gives access tokens for account %s again", e.Address)
	case oauth.AuthorisationFailed:
		made.text = fmt.Sprintf("Authorisation result error for account %s - aborting login. %s", e.Address, causeAndRemedy(e.Fault))
	case oauth.NoRefreshToken:
		made.text = fmt.Sprintf("Warning: no refresh token returned for account %s - you will need to re-authenticate each time the access token expires (does the scope have offline_access?)", e.Address)
	}
	return made
}

func causeAndRemedy(f ladder.Fault) string { return fmt.Sprintf("%s %s", f.Cause, remedy(f)) }
