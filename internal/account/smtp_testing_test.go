package account

import (
	"context"
	"strings"
	"testing"
	"time"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/vault"
)

func TestATestQuotesTheServersFinalReply(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("tested"))
	var seen []ladder.Name
	test, err := h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com"}, func(s ladder.Step) {
		if s.Done {
			seen = append(seen, s.Name)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if test.State != TestDelivered || !strings.HasPrefix(test.Reply, "250 ") {
		t.Fatalf("want a delivered test with the final reply, got %+v", test)
	}
	for _, step := range []ladder.Name{ladder.Greeting, ladder.Hello, ladder.Auth, ladder.MailFrom, ladder.RcptTo, ladder.Data, ladder.Reply} {
		if !contains(seen, step) {
			t.Errorf("the ladder misses %s: %v", step, seen)
		}
	}
	message := <-h.mail.messages
	for _, want := range []string{"Subject: " + TestSubject, TestMessage, "MAIL FROM:<alerts@example.com>", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(message, want) {
			t.Errorf("the message misses %q:\n%s", want, message)
		}
	}
	history, err := h.ListSMTPTests(h.ctx, a.ID)
	if err != nil || len(history) != 1 || history[0].Reply != test.Reply || len(history[0].Steps) == 0 {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func contains(names []ladder.Name, name ladder.Name) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func TestAFailedTestSaysWhoMustDoWhat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	change := h.change("refused")
	change.Secret = vault.NewSecret("wrong horse")
	a := h.create(change)
	test, err := h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	fault := test.Fault()
	if test.State != TestFailed || fault == nil || fault.Cause == "" || fault.Who == "" || fault.Remedy == "" || !strings.Contains(fault.Reply, "535") {
		t.Errorf("want cause, who, remedy and the server's words, got %+v", fault)
	}
	for _, step := range test.Steps {
		for _, line := range step.Transcript {
			if strings.Contains(line.Text, "wrong horse") {
				t.Errorf("the transcript shows the secret: %q", line.Text)
			}
		}
	}
}

func TestATestIsCheckedBeforeItBegins(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("checked"))
	_, err := h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "nobody"}, nil)
	wantInvalid(t, err, "to")
	_, err = h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com", Subject: "a\r\nBcc: c@example.com"}, nil)
	wantInvalid(t, err, "subject")
	unsaved := SMTPChange{}
	_, err = h.TestSMTP(h.ctx, SMTPTestRequest{Unsaved: &unsaved, To: "bob@example.com"}, nil)
	wantInvalid(t, err, "smtp_host")
}

func TestAStartedTestGoesOnWithoutThePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("background"))
	ctx, stop := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()

	page, leave := context.WithCancel(h.ctx)
	test, err := h.StartSMTPTest(page, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com"})
	leave()
	if err != nil || test.State != TestRunning {
		t.Fatalf("%+v, %v", test, err)
	}
	<-h.mail.messages
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	after, err := h.FindSMTPTest(h.ctx, test.ID)
	if err != nil || after.State == TestRunning {
		t.Errorf("Run returns when its tests have ended: %+v, %v", after, err)
	}
	if after.StartedBy != "alice" {
		t.Errorf("a test belongs to whoever pressed the button, not to %q", after.StartedBy)
	}
}

func TestATestThatAKilledProcessLeftIsClosed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("abandoned"))
	test, err := h.beginSMTPTest(h.ctx, preparedTest{accountID: a.ID, change: SMTPChange{SMTPSettings: a.SMTPSettings}, content: Content{To: []string{"bob@example.com"}, Subject: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	silent := func() {
		t.Helper()
		h.exec("update smtp_test set alive_at = now() - interval '21 seconds'")
	}
	closed := func() bool {
		t.Helper()
		h.closeAbandoned(h.ctx)
		after, err := h.FindSMTPTest(h.ctx, test.ID)
		if err != nil {
			t.Fatal(err)
		}
		return after.State == TestFailed && strings.Contains(after.Reply, "interrupted")
	}
	silent()
	stop := h.keepAlive(h.ctx, trial{Test: &test.Test, table: smtpTests}, time.Millisecond)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	deadline := time.Now().Add(20 * time.Second)
	for alive := false; !alive; <-look.C {
		if time.Now().After(deadline) {
			t.Fatal("the test does not say that it goes on")
		}
		if err := h.pool.QueryRow(h.ctx, "select alive_at > now() - interval '10 seconds' from smtp_test where id = $1", test.ID).Scan(&alive); err != nil {
			t.Fatal(err)
		}
	}
	if closed() {
		t.Error("a test whose process lives was closed")
	}
	stop()
	silent()
	if !closed() {
		t.Error("nobody has worked on the test for 21 seconds, and it still counts as running")
	}
}

func TestTestsAndUsesOfSecretsAreAudited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("audited"))
	if _, err := h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"smtp_account.tested", "credential.used"} {
		rows, _, err := audit.List(h.ctx, h.pool, audit.Filter{Action: action, Limit: 5})
		if err != nil || len(rows) != 1 {
			t.Errorf("want one entry %s, got %d, %v", action, len(rows), err)
		}
	}
}

func TestTheHistoryIsKeptAsLongAsSentMails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("kept"))
	for range 2 {
		if _, err := h.TestSMTP(h.ctx, SMTPTestRequest{AccountID: a.ID, To: "bob@example.com"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.pool.Exec(h.ctx, "update smtp_test set ended_at = now() - interval '181 days' where id = 1"); err != nil {
		t.Fatal(err)
	}
	if err := h.forgetOldTests(h.ctx); err != nil {
		t.Fatal(err)
	}
	if left, err := h.ListSMTPTests(h.ctx, a.ID); err != nil || len(left) != 1 || left[0].ID != 2 {
		t.Errorf("want the young one alone: %+v, %v", left, err)
	}
}
