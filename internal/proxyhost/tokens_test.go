package proxyhost

import (
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/sandbox/idp"
)

// Nobody signs in here: what happens in the background is in the log all the same, with the way out of it.
func TestARefreshThatFailsInTheBackgroundIsInTheLogAtOnce(t *testing.T) {
	r := newRig(t)
	r.listen(r.settings(proxy.IMAP))
	r.register(r.registration("@", oauth.AuthorizationCode))
	r.authorise(mailbox)
	r.mail.Identity.Fail(idp.Known("AADSTS50173"))
	r.exec("update oauth_grant set refresh_due_at = now(), authorised_at = now() - interval '1 hour'")
	r.run(r.process)
	background(t, r.oauth.Run)

	e := r.awaitEvent(string(oauth.RefreshFailed), "Caught exception while requesting OAuth 2.0 credentials for account "+mailbox)
	if e.Level != Warning || e.Account != mailbox || !strings.Contains(e.Text, "AADSTS50173") || !strings.Contains(e.Text, "must act") {
		t.Errorf("%+v", e)
	}
	r.awaitEvent(kindAuthorise, "Please visit the following URL to authenticate account "+mailbox)
}

// A command does not run the proxy, and what it does is in the log of those that do.
func TestACommandLeavesWhatItHeardInTheLog(t *testing.T) {
	r := newRig(t)
	r.Heard(oauth.Event{Kind: oauth.NoRefreshToken, Address: mailbox})
	r.Heard(oauth.Event{Kind: oauth.RefreshRecovered, Address: mailbox})
	r.Expires(oauth.Expiring{Pattern: "@example.com", ClientID: "6731de76", Kind: oauth.SharedSecret, ExpiresAt: time.Now().Add(7*24*time.Hour + time.Hour), Days: 7})
	r.WriteOut(t.Context())
	r.awaitEvent(kindExpires, "The client secret of registration @example.com (client 6731de76) expires in 7 days")
	r.awaitEvent(string(oauth.NoRefreshToken), "Warning: no refresh token returned for account "+mailbox)
	r.awaitEvent(string(oauth.RefreshRecovered), "gives access tokens for account "+mailbox+" again")
}
