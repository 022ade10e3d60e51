package proxyhost

import (
	"errors"
	"iter"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/sandbox/idp"
)

// climbed is a trial in one line: the steps, the failed one with its fault's code.
func climbed(trial Trial) string {
	var names []string
	for _, step := range trial.Steps {
		name := string(step.Name)
		if step.Fault != nil {
			name += "=" + step.Fault.Code
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (r *rig) try(l Listener, address string) Trial {
	r.t.Helper()
	trial, err := r.Test(r.ctx, l.ID, address, nil)
	r.must(err)
	for _, step := range trial.Steps {
		for _, line := range step.Transcript {
			if strings.Contains(line.Text, "AUTHENTICATE") || strings.Contains(line.Text, "eyJ") {
				r.t.Errorf("the transcript has the sign-in: %s", line.Text)
			}
		}
	}
	return trial
}

func TestATrialClimbsToTheMailServer(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	const server = "resolve connect tls greeting ehlo"
	if got := climbed(r.try(l, "")); got != "local_port "+server {
		t.Errorf("without a mailbox: %s", got)
	}
	trial := r.try(l, strings.ToUpper(mailbox))
	if got := climbed(trial); got != "local_port "+server+" token auth" || trial.Fault != nil {
		t.Errorf("with a mailbox: %s, %+v", got, trial.Fault)
	}
	if last := trial.Steps[len(trial.Steps)-1]; last.Result != "accepted as "+mailbox || !strings.Contains(trial.Steps[5].Result, "OAuth 2.0 by ") {
		t.Errorf("%+v", trial.Steps)
	}
	r.must(r.Stop(r.ctx, l.ID))
	if trial := r.try(l, ""); climbed(trial) != "local_port "+server || len(trial.Steps[0].Warnings) != 1 {
		t.Errorf("stopped: %s %v", climbed(trial), trial.Steps[0].Warnings)
	}
	if _, err := r.Test(r.ctx, 99, "", nil); err == nil {
		t.Error("there is no such listener")
	}
}

func TestATrialIsWatched(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	var seen []string
	var last Trial
	for trial, err := range r.Watch(r.ctx, l.ID, mailbox) {
		r.must(err)
		if trial.Ended {
			last = trial
			break
		}
		seen = append(seen, climbed(trial))
	}
	if len(seen) < 9 || seen[0] != "local_port" || seen[len(seen)-1] != climbed(last) || !strings.HasSuffix(climbed(last), " token auth") {
		t.Errorf("seen %q, at the end %q", seen, climbed(last))
	}
	next, leave := iter.Pull2(r.Watch(r.ctx, l.ID, mailbox))
	if _, err, ok := next(); !ok || err != nil {
		t.Errorf("the first step: %v", err)
	}
	leave() // a reader that goes away ends the test
	for trial, err := range r.Watch(r.ctx, 99, "") {
		if !errors.Is(err, problem.ErrNotFound) {
			t.Errorf("there is no such listener: %v %v", err, trial)
		}
	}
}

func TestATrialSaysWhatStandsInTheWay(t *testing.T) {
	boxes := idp.DefaultMailboxes()
	boxes[0].Off = []idp.Protocol{idp.SMTP}
	r := newRigWith(t, idp.Options{Mailboxes: boxes})
	s := r.settings(proxy.SMTP)
	s.ServerPort, s.ServerSecurity = r.mail.Ports.Submission, dial.STARTTLS
	l := r.listen(s)
	if got := climbed(r.try(l, "")); got != "local_port=listener_silent" {
		t.Errorf("nobody listens: %s", got)
	}
	r.run(r.process)
	r.awaitState(l.ID, proxy.Running)
	if _, err := r.Test(r.ctx, l.ID, mailbox, nil); err == nil || !strings.Contains(err.Error(), "No OAuth registration covers") {
		t.Errorf("an unknown mailbox: %v", err)
	}
	r.register(r.registration("@", oauth.AuthorizationCode))
	const before = "local_port resolve connect greeting ehlo tls ehlo "
	if trial := r.try(l, mailbox); climbed(trial) != before+"token=oauth_unauthorised" || !trial.Fault.Authorise {
		t.Errorf("nobody has consented: %s", climbed(trial))
	}
	r.authorise(mailbox)
	trial := r.try(l, mailbox)
	if last := trial.Steps[len(trial.Steps)-1]; last.Name != ladder.Auth || last.Fault == nil || !strings.Contains(climbed(trial), before+"token auth=") {
		t.Errorf("SMTP is off for the mailbox: %s", climbed(trial))
	}
	s.CertificateRule = dial.Verify
	_, err := r.Save(r.ctx, l.ID, Change{Settings: s})
	r.must(err)
	r.must(r.Stop(r.ctx, l.ID))
	if trial := r.try(l, ""); !strings.Contains(climbed(trial), "tls=") || trial.Fault.Fingerprint == "" {
		t.Errorf("nobody knows the certificate's authority: %s", climbed(trial))
	}
}
