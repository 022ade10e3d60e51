package inbox

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"orbit/internal/account"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// relay is a mail server that passes everything to a function.
type relay struct{ take func(text string) error }

func (r relay) NewSession(*smtp.Conn) (smtp.Session, error) { return r, nil }
func (r relay) Mail(string, *smtp.MailOptions) error        { return nil }
func (r relay) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (r relay) Reset()                                      {}
func (r relay) Logout() error                               { return nil }

func (r relay) Data(text io.Reader) error {
	raw, err := io.ReadAll(text)
	if err != nil {
		return err
	}
	return r.take(string(raw))
}

// sender registers an SMTP account at a relay.
func (r *rig) sender(take func(text string) error) account.SMTP {
	r.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	r.must(err)
	server := smtp.NewServer(relay{take})
	server.Domain = "relay.example"
	go func() { _ = server.Serve(listener) }()
	r.t.Cleanup(func() { _ = server.Close() })
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail, s.SMTPHost, s.Port = "Relay", "orbit@example.org", "127.0.0.1", listener.Addr().(*net.TCPAddr).Port
	s.UseSecureConnection, s.SecureConnectionType, s.UseAuthentication = false, "", false
	stored, err := r.accounts.CreateSMTP(r.ctx, account.SMTPChange{SMTPSettings: s, Secret: vault.Secret{}})
	r.must(err)
	return stored
}

// loop runs a loop test to its end.
func (r *rig) loop(request LoopRequest) Loop {
	r.t.Helper()
	started, err := r.StartLoop(r.ctx, request)
	r.must(err)
	var found Loop
	r.until("the loop test has ended", func() bool {
		found, err = r.FindLoop(r.ctx, started.ID)
		r.must(err)
		return found.State != LoopSending && found.State != LoopWaiting
	})
	return found
}

func TestALoopTestArrives(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.prepareCounting()
			r.process = r.another(counting())
			r.times.follow, r.times.poll = brief, brief
			sender := r.sender(func(text string) error {
				text = "Authentication-Results: mx.example; spf=pass; dkim=fail; dmarc=pass header.from=example.org\r\nReceived: from a by mx.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
					strings.Replace(text, "Subject: ", "Subject: [external] ", 1)
				r.server.Deliver(r.t, mailtest.User, []byte(strings.ReplaceAll(text, "\r\n", "\n")))
				return nil
			})
			m := r.mailbox(p, func(c *account.MailboxChange) { c.AuthservID = "mx.example" })
			r.run(r.process)
			r.awaitState(m.ID, Watching)
			found := r.loop(LoopRequest{MailboxID: m.ID, SMTPAccountID: sender.ID})
			if found.State != LoopArrived || found.Address != mailtest.User || found.MessageID == 0 || found.Junk || found.SentAt == nil || found.Delay > time.Minute {
				t.Fatalf("%+v", found)
			}
			if a := found.Authentication; a == nil || a.SPF != "pass" || a.DKIM != "fail" || a.DMARC != "pass" || !a.Authentic || found.Seen != "mx.example" {
				t.Errorf("%+v", a)
			}
			changed := map[string]HeaderChange{}
			for _, c := range found.Changes {
				changed[c.Name] = c
			}
			if c := changed["Subject"]; c.Sent != loopSubject || c.Received != "[external] "+loopSubject {
				t.Errorf("%+v", c)
			}
			if c := changed["Received"]; c.Sent != "" || c.Received == "" {
				t.Errorf("%+v", found.Changes)
			}
			received, err := r.Find(r.ctx, found.MessageID)
			r.must(err)
			r.want("handling", received.Handling, LoopTest)
			r.want("acted", r.number("select count(*) from acted"), 0)
		})
	}
}

func TestALoopTestIsFoundAmongUnwantedMail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.times.follow, r.times.junk = brief, brief
	c := r.admin()
	r.must(c.Create("Spam", nil).Wait())
	sender := r.sender(func(text string) error {
		r.add(c, "Spam", strings.ReplaceAll(text, "\r\n", "\n"))
		return nil
	})
	m := r.mailbox(fetch.IMAP, manual)
	r.run(r.process)
	found := r.loop(LoopRequest{MailboxID: m.ID, SMTPAccountID: sender.ID, Address: "elsewhere@example.com"})
	if found.State != LoopArrived || !found.Junk || found.Folder != "Spam" || found.MessageID != 0 || found.Address != "elsewhere@example.com" {
		t.Errorf("%+v", found)
	}
}

func TestALoopTestThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.times.loop = brief
	m := r.mailbox(fetch.POP3, manual)
	r.run(r.process)
	lost := r.sender(func(string) error { return nil })
	found := r.loop(LoopRequest{MailboxID: m.ID, SMTPAccountID: lost.ID})
	if found.State != LoopLost || found.Fault == nil || !strings.Contains(found.Fault.Cause, "Relay") {
		t.Errorf("%+v", found)
	}
	_, err := r.accounts.SaveSMTP(r.ctx, lost.ID, account.SMTPChange{SMTPSettings: refusing(lost.SMTPSettings)})
	r.must(err)
	found = r.loop(LoopRequest{MailboxID: m.ID, SMTPAccountID: lost.ID})
	if found.State != LoopNotSent || found.Fault == nil || found.Fault.Remedy == "" {
		t.Errorf("%+v", found)
	}
	if _, err := r.StartLoop(r.ctx, LoopRequest{MailboxID: m.ID}); err == nil {
		t.Error("without an SMTP account")
	}
}

func refusing(s account.SMTPSettings) account.SMTPSettings {
	s.Port = 1
	return s
}

// Of two processes one sends what is due, and it is due once.
func TestASchedulesTestIsSentOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	arrived := make(chan string, 10)
	sender := r.sender(func(text string) error {
		arrived <- text
		return nil
	})
	m := r.mailbox(fetch.IMAP, manual)
	other := r.another(Options{})
	r.run(r.process)
	r.run(other)
	schedule := LoopSchedule{MailboxID: m.ID, SMTPAccountID: sender.ID, EveryMinutes: 10}
	_, err := r.SaveLoopSchedule(r.ctx, schedule)
	r.must(err)
	<-arrived
	r.until("two processes have looked", func() bool {
		stored, err := r.LoopSchedules(r.ctx, m.ID)
		r.must(err)
		return len(stored) == 1 && time.Until(stored[0].NextAt) > 9*time.Minute
	})
	r.want("sent", len(arrived), 0)
	r.want("tests", r.number("select count(*) from loop_test"), 1)
	for range 2 {
		r.must(r.EndLoopSchedule(r.ctx, m.ID, sender.ID))
	}
	r.want("entries of the audit trail", r.number("select count(*) from audit_entry where action = 'mailbox_account.loop_test_repeated'"), 2)
	for _, every := range []int{0, 1, 10081} {
		schedule.EveryMinutes = every
		if _, err := r.SaveLoopSchedule(r.ctx, schedule); err == nil {
			t.Errorf("every %d minutes", every)
		}
	}
}
