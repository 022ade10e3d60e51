package proxyhost

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/problem"
)

func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	var wrong problem.Invalid
	if !errors.As(err, &wrong) || wrong.For(field) == "" {
		t.Errorf("got %v, want a problem with %s", err, field)
	}
}

func (r *rig) actions() string {
	r.t.Helper()
	rows, _, err := audit.List(r.ctx, r.pool, audit.Filter{Object: "proxy_listener"})
	r.must(err)
	var all []string
	for _, row := range rows {
		all = append([]string{strings.TrimPrefix(row.Action, "proxy_listener.")}, all...)
	}
	return strings.Join(all, " ")
}

func TestListenersAreKeptWithWhoChangedThem(t *testing.T) {
	r := newRig(t)
	l := r.listen(r.settings(proxy.IMAP))
	if l.Name != fmt.Sprintf("IMAP-%d", l.LocalPort) || l.Wanted != Running || l.CreatedBy != "ana" || l.Version != 1 {
		t.Errorf("got %+v", l)
	}
	l.Name = "Mailboxes"
	saved, err := r.Save(r.ctx, l.ID, Change{Settings: l.Settings, Version: l.Version})
	if err != nil || saved.Version != 2 || saved.Name != "Mailboxes" {
		t.Fatalf("got %+v, %v", saved, err)
	}
	l.Name = "Letters"
	var conflict *problem.Conflict
	if _, err := r.Save(r.ctx, l.ID, Change{Settings: l.Settings, Version: l.Version}); !errors.As(err, &conflict) {
		t.Errorf("an old version: %v", err)
	} else if len(conflict.Changed) != 1 || conflict.Changed[0] != (problem.Change{Field: "name", Label: "Name", Stored: "Mailboxes", Yours: "Letters"}) {
		t.Errorf("the conflict is %+v", conflict.Changed)
	}
	r.must(r.Stop(r.ctx, l.ID))
	r.must(r.Stop(r.ctx, l.ID))
	r.must(r.Restart(r.ctx))
	r.must(r.Restart(r.ctx))
	if found, err := r.FindByName(r.ctx, "mailboxes"); err != nil || found.Wanted != Running || found.Restarts != 1 || found.Version != 2 {
		t.Errorf("got %+v, %v", found, err)
	}
	if err := r.Delete(r.ctx, l.ID, 1); !errors.As(err, &conflict) {
		t.Errorf("delete an old version: %v", err)
	}
	r.must(r.Delete(r.ctx, l.ID, 2))
	if err := r.Start(r.ctx, l.ID); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("start what is gone: %v", err)
	}
	if got, want := r.actions(), "created changed stopped restarted restarted deleted"; got != want {
		t.Errorf("the trail has %q, want %q", got, want)
	}
}

func TestAPortBelongsToOneListener(t *testing.T) {
	r := newRig(t)
	first := r.listen(r.settings(proxy.IMAP))
	second := r.settings(proxy.SMTP)
	second.LocalAddress, second.LocalPort, second.AllowUnsafeAddress, second.Protocol = "0.0.0.0", first.LocalPort, true, "x"
	_, err := r.Create(r.ctx, Change{Settings: second})
	wantInvalid(t, err, "local_port")
	wantInvalid(t, err, "protocol")
	third := r.settings(proxy.SMTP)
	third.Name = strings.ToLower(first.Name)
	_, err = r.Create(r.ctx, Change{Settings: third})
	wantInvalid(t, err, "name")
}

func TestAListenerThatLeadsToAListenerIsRefused(t *testing.T) {
	r := newRig(t)
	first := r.listen(r.settings(proxy.IMAP))
	second := r.settings(proxy.IMAP)
	second.ServerAddress, second.ServerPort = "localhost", first.LocalPort
	_, err := r.Create(r.ctx, Change{Settings: second})
	wantInvalid(t, err, "server_address")
	first.ServerPort = first.LocalPort
	_, err = r.Save(r.ctx, first.ID, Change{Settings: first.Settings})
	wantInvalid(t, err, "server_address")
}

func TestOwnListenersAreKnownInEveryProcess(t *testing.T) {
	r := newRig(t)
	other := r.newProcess()
	l := r.listen(r.settings(proxy.IMAP))
	if !other.Own("localhost", l.LocalPort) || !other.Own("127.0.0.1", l.LocalPort) {
		t.Error("another process does not know the listener")
	}
	for _, host := range []string{"127.0.0.2", "::1", "localhost.example.com", "mail.example.com", "", "0.0.0.0"} {
		if r.Own(host, l.LocalPort) {
			t.Errorf("%q is taken for an own listener", host)
		}
	}
	if r.Own("localhost", l.LocalPort+65536) || r.Own("localhost", -1) {
		t.Error("a port that does not exist is an own listener")
	}
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(l.LocalPort))
	r.must(r.Stop(r.ctx, l.ID))
	if r.OwnListener(address) {
		t.Error("a stopped listener is an own one")
	}
	r.until("the other process knows too", func() bool { return !other.OwnListener(address) })
}

// documentPlan is what the document's command registers, at the sandbox.
func (r *rig) documentPlan(pattern string) plan.Plan {
	c := r.registration(pattern, oauth.AuthorizationCode)
	return plan.Plan{
		Registrations: []plan.Registration{{Settings: c.Settings, Secret: c.Secret}},
		Listeners: []plan.Listener{
			{Protocol: plan.IMAP, LocalAddress: "127.0.0.1", LocalPort: freePort(r.t), ServerAddress: "outlook.office365.com", ServerPort: 993},
			{Protocol: plan.SMTP, LocalAddress: "127.0.0.1", LocalPort: freePort(r.t), ServerAddress: "smtp.office365.com", ServerPort: 587, STARTTLS: true},
		},
		Notes: []oauth.Note{{Where: "flow", Why: "because"}},
	}
}

func TestAPlanIsStoredWholeAndReplacedOnlyWhenForced(t *testing.T) {
	r := newRig(t)
	p := r.documentPlan("@")
	done, err := r.Apply(r.ctx, p)
	if err != nil || len(done.Registrations) != 1 || len(done.Listeners) != 2 || len(done.Notes) != 1 {
		t.Fatalf("got %+v, %v", done, err)
	}
	var confirm *problem.Confirm
	if _, err := r.Apply(r.ctx, p); !errors.As(err, &confirm) || confirm.Name != "force" || !strings.Contains(confirm.Text, "@ is registered already") {
		t.Errorf("pasted twice: %v", err)
	}
	imap := done.Listeners[0]
	imap.CertificateRule = "ignore"
	_, err = r.Save(r.ctx, imap.ID, Change{Settings: imap.Settings, Wanted: Stopped})
	r.must(err)
	p.Force = true
	p.Registrations[0].Scope = "https://outlook.office365.com/SMTP.Send offline_access"
	p.Listeners[0].ServerPort = 1993
	again, err := r.Apply(r.ctx, p)
	r.must(err)
	if again.Registrations[0].ID != done.Registrations[0].ID || again.Registrations[0].Scope != p.Registrations[0].Scope {
		t.Errorf("the registration became %+v", again.Registrations[0])
	}
	if l := again.Listeners[0]; l.ID != imap.ID || l.ServerPort != 1993 || l.CertificateRule != "ignore" || l.Wanted != Running {
		t.Errorf("the listener became %+v", l)
	}
	if l := again.Listeners[1]; l.Version != 1 {
		t.Errorf("a listener that stays as it is was changed: %+v", l)
	}
}

func TestAPlanMayNameTheServersCertificate(t *testing.T) {
	r := newRig(t)
	p := r.documentPlan("@")
	p.Listeners[0].ServerCA, p.Listeners[1].ServerPin = r.mail.Certificate.CA, strings.Repeat("AB:", 31)+"AB"
	done, err := r.Apply(r.ctx, p)
	r.must(err)
	imap, smtp := done.Listeners[0], done.Listeners[1]
	if imap.CertificateRule != dial.CustomCA || smtp.CertificateRule != dial.Pin || smtp.CertificateFingerprint != strings.Repeat("ab", 32) {
		t.Errorf("%+v\n%+v", imap.Settings, smtp.Settings)
	}
	p.Registrations[0].Pattern = "@two.example"
	if _, err := r.Apply(r.ctx, p); err != nil {
		t.Errorf("the same listeners again: %v", err)
	}
	p.Registrations[0].Pattern, p.Listeners[0].ServerCA, p.Listeners[1].ServerPin = "@three.example", "", ""
	if done, err = r.Apply(r.ctx, p); err != nil || done.Listeners[0].CertificateRule != dial.CustomCA || done.Listeners[1].Version != 1 {
		t.Errorf("a plan that says nothing of certificates changes them: %v %+v", err, done.Listeners)
	}
	p.Registrations[0].Pattern, p.Listeners[0].ServerPin = "@four.example", strings.Repeat("cd", 32)
	var confirm *problem.Confirm
	if _, err := r.Apply(r.ctx, p); !errors.As(err, &confirm) {
		t.Errorf("another certificate is expected from now on, and nobody is asked: %v", err)
	}
}

func TestRegistrationsShareListeners(t *testing.T) {
	r := newRig(t)
	p := r.documentPlan("@one.example")
	_, err := r.Apply(r.ctx, p)
	r.must(err)
	p.Registrations[0].Pattern = "@two.example"
	if _, err := r.Apply(r.ctx, p); err != nil {
		t.Errorf("a second domain with the same servers: %v", err)
	}
	p.Registrations[0].Pattern = "@three.example"
	p.Listeners[1].ServerAddress = "smtp.example.com"
	var confirm *problem.Confirm
	if _, err := r.Apply(r.ctx, p); !errors.As(err, &confirm) || !strings.Contains(confirm.Text, "leads to smtp.office365.com:587") {
		t.Errorf("a third domain with other servers: %v", err)
	}
}

func TestAPlanIsStoredWholeOrNotAtAll(t *testing.T) {
	r := newRig(t)
	p := r.documentPlan("@")
	p.Registrations = append(p.Registrations, plan.Registration{})
	if _, err := r.Apply(r.ctx, p); err == nil {
		t.Fatal("an empty registration was stored")
	}
	p.Problems.Add("text", "wrong")
	if _, err := r.Apply(r.ctx, p); err == nil {
		t.Fatal("a plan with problems was stored")
	}
	all, err := r.List(r.ctx)
	registered, oauthErr := r.oauth.List(r.ctx)
	if err != nil || oauthErr != nil || len(all) != 0 || len(registered) != 0 {
		t.Errorf("left behind: %v %v, %v %v", all, registered, err, oauthErr)
	}
}

func TestAPortInUseIsSaid(t *testing.T) {
	r := newRig(t)
	s := r.settings(proxy.IMAP)
	taken, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(s.LocalPort)))
	r.must(err)
	defer taken.Close()
	l := r.listen(s)
	r.run(r.process)
	r.awaitState(l.ID, proxy.Standby)
	if st := r.status(l.ID); !strings.Contains(st.Reason, "in use") {
		t.Errorf("the reason is %q", st.Reason)
	}
	r.awaitEvent("port_in_use", "is the proxy already running?")
	_ = taken.Close()
	r.awaitState(l.ID, proxy.Running)
}
