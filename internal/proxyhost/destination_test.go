package proxyhost

import (
	"strings"
	"testing"

	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
)

// Somebody leads a listener elsewhere: no token follows, until the mailbox is authorised again.
func TestNoTokenFollowsAListenerThatIsLedElsewhere(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	r.must(r.login(l, mailbox, password))
	l.ServerAddress = "mail.elsewhere.invalid"
	l, err := r.Save(r.ctx, l.ID, Change{Settings: l.Settings, Version: l.Version})
	r.must(err)
	r.awaitState(l.ID, proxy.Running)
	r.until("the new server counts", func() bool {
		s, err := r.listener(r.ctx, l.ID)
		return err == nil && s.ServerAddress == l.ServerAddress
	})
	account := proxy.Account{Name: mailbox, Mailbox: mailbox}
	_, err = backend{r.Service}.Token(r.ctx, l.proxied(l.ID), account, false)
	if err == nil || !strings.Contains(err.Error(), "token_not_approved") {
		t.Errorf("the token goes to a server that nobody has approved: %v", err)
	}
	r.awaitEvent(kindAuthorise, mailbox)
	r.authorise(mailbox)
	if _, err = (backend{r.Service}).Token(r.ctx, l.proxied(l.ID), account, false); err != nil {
		t.Errorf("authorised again: %v", err)
	}
	if g, err := r.oauth.Grant(r.ctx, mailbox); err != nil || g.State == oauth.Active {
		t.Errorf("the grant is %s though no server has accepted its token, %v", g.State, err)
	}
}
