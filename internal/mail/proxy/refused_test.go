package proxy

import (
	"testing"

	"orbit/internal/mail/dial"
)

// What the proxy tells a client is what TokenRefusal understands, in every protocol.
func TestARefusedTokenIsTakenApartAgain(t *testing.T) {
	t.Parallel()
	const no = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox."
	for _, target := range []dial.Target{{Host: "smtp.office365.com", Port: 587}, {Host: "::1", Port: 3587}} {
		s := &session{host: &host{listener: Listener{Upstream: target}}}
		text := s.upstreamRefusal(&Rejection{Reply: no}).reply()
		for _, begins := range []string{"535 5.7.8 ", "NO [AUTHENTICATIONFAILED] ", "-ERR [AUTH] ", ""} {
			host, port, words, ok := TokenRefusal(begins + text)
			if !ok || host != target.Host || port != "587" && port != "3587" || words != no {
				t.Errorf("%s%s\n%q %q %q %t", begins, text, host, port, words, ok)
			}
		}
	}
	for _, other := range []string{"", "535 5.7.8 " + texts[TokenRefused], "nobody refuses the access token: x"} {
		if _, _, words, ok := TokenRefusal(other); ok {
			t.Errorf("%q is read as %q", other, words)
		}
	}
}
