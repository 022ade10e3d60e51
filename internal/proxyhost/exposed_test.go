package proxyhost

import (
	"strings"
	"testing"

	"orbit/internal/mail/proxy"
)

func TestPasswordsInClearAreWarnedOfWhereverTheListenerIsShown(t *testing.T) {
	r := newRig(t)
	open := r.settings(proxy.IMAP)
	open.LocalAddress, open.AllowUnsafeAddress = "0.0.0.0", true
	l, usual := r.listen(open), r.listen(r.settings(proxy.SMTP))
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	r.awaitState(usual.ID, proxy.Running)

	e := r.awaitEvent(kindExposed, "Passwords cross the network to "+l.Local()+" in clear")
	if e.Level != Warning || e.ListenerID != l.ID {
		t.Errorf("the log says it as %s of listener %d", e.Level, e.ListenerID)
	}
	if !strings.Contains(r.log.String(), "Passwords cross the network") {
		t.Error("the process's own log does not say it")
	}
	if got := strings.Join(r.status(l.ID).Warnings, " "); !strings.Contains(got, "Passwords cross the network to "+l.Local()) {
		t.Errorf("the status warns of %q", got)
	}
	if n, got := len(r.eventsOf(kindExposed)), r.status(usual.ID).Warnings; n != 1 || len(got) > 0 {
		t.Errorf("%d events; the listener on this machine is warned of: %v", n, got)
	}
}
