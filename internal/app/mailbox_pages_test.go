package app_test

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
)

// reading is a house with one mailbox at a provider, which is looked into only when somebody asks.
type reading struct {
	*house
	provider *sandbox.Sandbox
	mailbox  account.Mailbox
}

// newReading makes one; what is given was in the mailbox an hour before.
func newReading(t *testing.T, before ...string) *reading {
	t.Helper()
	r := &reading{provider: sandboxtest.New(t, sandbox.Options{Identity: idp.Options{Mailboxes: []idp.Mailbox{{Address: mailAddress, Password: "tr0ub4dor"}}}})}
	for _, m := range before {
		if err := r.provider.Mail.Deliver(mailAddress, mailbox.Message{Raw: []byte(m), Received: time.Now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	r.house = newHouse(t)
	m := account.NewMailboxSettings()
	m.AccountName, m.AutomaticCheck, m.Address, m.Port, m.SecureConnectionType = "Answers", false, "localhost", r.provider.Ports.PasswordIMAP, dial.STARTTLS
	m.CertificateRule, m.CertificateCA, m.CredentialID = dial.CustomCA, r.provider.Certificate.CA, account.NewCredentialID
	var err error
	r.mailbox, err = r.Accounts.CreateMailbox(t.Context(), account.MailboxChange{
		MailboxSettings: m, Secret: vault.NewSecret("tr0ub4dor"), NewCredential: account.NewCredential{Name: "Answers", Username: mailAddress},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// receive delivers messages and has them read.
func (r *reading) receive(t *testing.T, messages ...string) {
	t.Helper()
	for _, m := range messages {
		deliver(t, r.provider, m)
	}
	visit, err := r.Inbox.CheckNow(t.Context(), r.mailbox.ID)
	if err != nil || visit.Fault != nil || visit.Stored != len(messages) {
		t.Fatalf("look into the mailbox: %v, %+v", err, visit)
	}
}

func letter(n int, subject string) string {
	return fmt.Sprintf("From: Carla <carla%d@contoso.example>\nTo: %s\nSubject: %s\nMessage-ID: <letter-%d@contoso.example>\n\nLetter number %d.\n", n, mailAddress, subject, n, n)
}

func TestTheMailboxFormComesBackFilledInWithoutItsSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ana := h.person(t, "ana", identity.Administrator)
	status, body := ana.post(mailboxes, "account_name", "Half done", "port", "many", "protocol", "pop3", "secret", "tr0ub4dor", "authserv_id", "two words")
	if status != http.StatusUnprocessableEntity {
		t.Fatal(status)
	}
	wantText(t, body, `value="Half done"`, `value="many"`, "Port must be a whole number", "Address is required", "Choose the credential to sign in with",
		"An authserv-id is one word", `<option value="pop3" selected>`, "Enter the secret once more")
	if strings.Contains(body, "tr0ub4dor") {
		t.Error("a secret came back")
	}
}

func TestTwoAdministratorsEditAMailbox(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	ana, ben := r.person(t, "ana", identity.Administrator), r.person(t, "ben", identity.Administrator)
	form := func(keep, version string) []string { return []string{"version", version, "keep_copy_on_server", keep} } // what is not posted stays
	if status, body := ben.post(mailboxes+"/1", form("no", "1")...); status != http.StatusSeeOther {
		t.Fatalf("ben saves: %d %s", status, body)
	}
	status, body := ana.post(mailboxes+"/1", append(form("yes", "1"), "account_name", "Anas name")...)
	if status != http.StatusConflict {
		t.Fatalf("want a conflict, got %d", status)
	}
	wantText(t, body, "ben changed this while you were working on it", "Keep copy on server", `value="Anas name"`, `name="version" value="2"`)
	if status, _ := ana.post(mailboxes+"/1", append(form("yes", "2"), "account_name", "Anas name")...); status != http.StatusSeeOther {
		t.Errorf("saving again is a decision: %d", status)
	}
}

func TestWhoMayDoWhatWithAMailbox(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	r.receive(t, letter(1, "Hello"))
	reads := []string{mailboxes, mailboxes + "/1", firstInbox, mailboxes + "/messages/1", mailboxes + "/messages/1/source", mailboxes + "/1/loop", mailboxes + "/1/tests"}
	auditor, operator, member := r.person(t, "carla", identity.Auditor), r.person(t, "diego", identity.Operator), r.person(t, "eva", identity.Member)
	for _, path := range reads {
		if status, _ := auditor.get(path); status != http.StatusOK {
			t.Errorf("an auditor reads %s: %d", path, status)
		}
		if status, _ := member.get(path); status != http.StatusForbidden {
			t.Errorf("a member reads no %s: %d", path, status)
		}
	}
	for _, path := range []string{"", "/1", "/1/test", "/1/check", "/1/loop", "/1/loop/schedule", "/1/disable", "/1/delete", "/messages/1/act"} {
		if status, _ := auditor.post(mailboxes + path); status != http.StatusForbidden {
			t.Errorf("an auditor posts to %s: %d", path, status)
		}
	}
	if status, body := operator.post(mailboxes + "/1/check"); status != http.StatusOK || !strings.Contains(body, "Nothing new.") {
		t.Errorf("an operator looks: %d", status)
	}
	if status, body := operator.get(mailboxes); status != http.StatusOK || !strings.Contains(body, "Check now") || strings.Contains(body, "/1/delete") {
		t.Errorf("an operator tests and deletes nothing: %d", status)
	}
	if status, _ := operator.post(mailboxes + "/1/loop/schedule"); status != http.StatusForbidden {
		t.Errorf("an operator repeats nothing: %d", status)
	}
}

func TestMailIsListedPageByPageAndAsAFile(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	var letters []string
	for n := 1; n <= 32; n++ {
		letters = append(letters, letter(n, fmt.Sprintf("Subject %02d", n)))
	}
	letters[6] = letter(7, `=HYPERLINK("http://evil.example")`)
	r.receive(t, letters...)
	ana := r.person(t, "ana", identity.Administrator)

	status, first := ana.get(firstInbox)
	if status != http.StatusOK || strings.Count(first, `<tr role="row" id="message-`) != 30 {
		t.Fatalf("the first page: %d with %d rows", status, strings.Count(first, `<tr role="row" id="message-`))
	}
	_, after, _ := strings.Cut(first, firstInbox+"?cursor=")
	cursor, _, found := strings.Cut(after, `"`)
	if !found {
		t.Fatal("the first page leads nowhere")
	}
	_, second := ana.get(firstInbox + "?cursor=" + cursor)
	if strings.Count(second, `<tr role="row" id="message-`) != 2 || strings.Contains(second, "cursor=") || strings.Contains(second, "sse-connect") {
		t.Error("the second page has the last two and hears of no news")
	}
	for query, want := range map[string]int{"from=carla7@": 1, "words=number+12": 1, "subject=Subject+1": 10, "class=bounce": 0, "class=other": 30, "since=2100-01-01": 0} {
		if _, body := ana.get(firstInbox + "?" + query); strings.Count(body, `<tr role="row" id="message-`) != want {
			t.Errorf("%s finds %d, want %d", query, strings.Count(body, `<tr role="row" id="message-`), want)
		}
	}
	_, file := ana.get(firstInbox + "?format=csv")
	wantText(t, file, "Message-ID", `"'=HYPERLINK(""http://evil.example"")"`, "Letter number 31.")
	if lines := strings.Count(file, "letter-"); lines != 32 {
		t.Errorf("the file has %d messages", lines)
	}
	_, report := ana.get(mailboxes + "?format=csv")
	wantText(t, report, "Keep copy on server", "Answers", "By hand", "32")
}

func TestAMessageIsServedSoThatItStaysHarmless(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	r.receive(t, mailFile(t, "letter.eml"))
	ana := r.person(t, "ana", identity.Administrator)
	header := func(path string) http.Header {
		t.Helper()
		response := ana.response(mailboxes + path)
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, response.StatusCode, err)
		}
		return response.Header
	}
	frame := header("/messages/1/html")
	for _, want := range []string{"sandbox;", "default-src 'none'", "img-src data:;", "form-action 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(frame.Get("Content-Security-Policy"), want) {
			t.Errorf("the frame's policy misses %q: %s", want, frame.Get("Content-Security-Policy"))
		}
	}
	if strings.Contains(frame.Get("Content-Security-Policy"), "allow-") || frame.Get("Referrer-Policy") != "no-referrer" || frame.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the frame may too much: %v", frame)
	}
	if page := header("/messages/1"); !strings.Contains(page.Get("Content-Security-Policy"), "frame-src 'self'") || page.Get("X-Frame-Options") != "DENY" {
		t.Errorf("the page: %v", page)
	}
	if other := header("/1/inbox"); strings.Contains(other.Get("Content-Security-Policy"), "frame-src") {
		t.Error("only a message's page has a frame")
	}
	if raw := header("/messages/1/raw"); raw.Get("Content-Disposition") != "attachment; filename=message-1.eml" || raw.Get("Content-Type") != "message/rfc822" {
		t.Errorf("the file: %v", raw)
	}
	_, body := ana.get(mailboxes + "/messages/1/html")
	wantText(t, body, `src="data:image/png;base64,`, `title="https://intranet.contoso.example/review/17"`)
	if strings.Contains(body, "track.contoso.example") {
		t.Error("something is left to load")
	}
	_, body = ana.get(mailboxes + "/messages/1")
	wantText(t, body, "Carla Souza &lt;carla@contoso.example&gt;", "Access review Q3.pdf", `sandbox=""`, "Set the trusted authserv-id")
	for _, path := range []string{"/messages/2", "/messages/2/html", "/messages/1/parts/99", "/messages/1/parts/x", "/7/inbox", "/7/loop"} {
		if status, _ := ana.get(mailboxes + path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestWithoutScriptsMailIsTestedCheckedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	ana := r.person(t, "ana", identity.Administrator)
	if status, body := ana.get(mailboxes + "/1/check"); status != http.StatusOK || !strings.Contains(body, `<button class="btn btn-primary no-js-only" type="submit">Check now</button>`) {
		t.Errorf("a button begins it: %d", status)
	}
	deliver(t, r.provider, letter(1, "Hello"))
	if status, body := ana.post(mailboxes + "/1/check"); status != http.StatusOK || !strings.Contains(body, "1 new message is stored.") {
		t.Errorf("Check now: %d", status)
	}
	status, body := ana.post(mailboxes + "/1/test")
	if status != http.StatusSeeOther {
		t.Fatalf("a test begins: %d %s", status, body)
	}
	if status, body := ana.post(mailboxes+"/test", "protocol", "imap"); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Address is required") {
		t.Errorf("values that are wrong are not tested: %d", status)
	}
	if status, body := ana.post(mailboxes+"/1/loop", "smtp_account_id", ""); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose the SMTP account that sends the message.") {
		t.Errorf("a loop test needs a sender: %d", status)
	}
	if status, body := ana.post(mailboxes+"/1/loop/schedule", "smtp_account_id", "1", "every_minutes", ""); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Enter a number of minutes from 5 to 10080.") {
		t.Errorf("a schedule needs minutes: %d", status)
	}
	_, body = ana.get(mailboxes + "/1/delete")
	wantText(t, body, "Delete IMAP/POP3 account Answers?", "The mailbox on the server stays as it is", "<dd class=\"\">1</dd>")
	if status, _ := ana.post(mailboxes + "/1/delete"); status != http.StatusSeeOther {
		t.Errorf("delete: %d", status)
	}
	if status, _ := ana.get(mailboxes + "/messages/1"); status != http.StatusNotFound {
		t.Errorf("what was received goes with the account: %d", status)
	}
}

func TestAFailingMailboxSaysWhy(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	r.provider.Close()
	ana := r.person(t, "ana", identity.Administrator)
	status, body := ana.post(mailboxes + "/1/check")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	wantText(t, body, "The mailbox could not be read.", "What happened", "What to do", "Test configuration")
	_, body = ana.get(mailboxes)
	wantText(t, body, "Failing", "localhost is there, but nothing accepts connections")
	if strings.Contains(body, "Next attempt") {
		t.Error("nobody but a person tries again: Automatic check is No")
	}
	_, body = ana.get(firstInbox)
	wantText(t, body, "Failing", "What happened")
}

// A token that the provider refuses leads a person to the consent, as in the test of an SMTP account.
func TestAMailboxWithoutConsentOffersToAuthorise(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	d := openDemo(t, t.TempDir(), h)
	register(t, h, d, d.RegisterArguments())
	m := account.NewMailboxSettings()
	m.AccountName, m.AuthenticationType, m.Address, m.Port = "Answers", account.OAuth2, "localhost", d.Sandbox.Ports.IMAPS
	m.CertificateRule, m.CertificateCA, m.CredentialID = dial.CustomCA, d.Sandbox.Certificate.CA, account.NewCredentialID
	if _, err := h.Accounts.CreateMailbox(t.Context(), account.MailboxChange{
		MailboxSettings: m, Secret: vault.NewSecret("not sent"), NewCredential: account.NewCredential{Name: "Answers", Username: "alerts@orbit.example"},
	}); err != nil {
		t.Fatal(err)
	}
	ana := h.person(t, "ana", identity.Administrator)
	if status, body := ana.post(mailboxes + "/1/test"); status != http.StatusSeeOther {
		t.Fatalf("a test begins: %d %s", status, body)
	}
	_, ladder := ana.get(mailboxes + "/tests/1/events") // ends with the test
	wantText(t, ladder, "The mailbox could not be opened.", "Authorise now", "address=alerts%40orbit.example", "event: done")
	_, transcript := ana.get(mailboxes + "/tests/1/transcript")
	wantText(t, transcript, "Test configuration - Account Answers", "failed: ")
	_, history := ana.get(mailboxes + "/1/tests")
	wantText(t, history, "Failed", "alerts@orbit.example", "Show steps")
}

func TestAReplyShowsWhatItAnswers(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	sender := r.sender(t, r.provider)
	test, err := r.Accounts.TestSMTP(t.Context(), account.SMTPTestRequest{AccountID: sender.ID, To: "diego@fabrikam.example"}, nil)
	if err != nil || test.State != account.TestDelivered {
		t.Fatalf("%v %+v", err, test)
	}
	r.receive(t, "From: Diego <diego@fabrikam.example>\nTo: "+mailAddress+"\nSubject: Re: TEST MESSAGE!\nIn-Reply-To: <"+strings.Trim(test.MessageID, "<>")+">\n"+
		"Message-ID: <answer@fabrikam.example>\n\nI have seen it.\n\nOn Mon, 23 Nov 2026, alerts@example.com wrote:\n> ATTENTION: THIS IS A TEST MESSAGE!\n")
	ana := r.person(t, "ana", identity.Administrator)
	_, body := ana.get(firstInbox)
	wantText(t, body, "Reply", "I have seen it.")
	_, body = ana.get(mailboxes + "/messages/1")
	wantText(t, body, "A person answers a message that Orbit sent.", "What the writer answered", "With quotation and signature",
		`href="/settings/notifications/smtp/tests/`+strconv.FormatInt(test.ID, 10)+`"`)
}

func TestOldMailIsLeftAloneUntilSomebodyAsks(t *testing.T) {
	t.Parallel()
	r := newReading(t, letter(1, "From last year"))
	visit, err := r.Inbox.CheckNow(t.Context(), r.mailbox.ID)
	if err != nil || visit.Fault != nil || visit.TooOld != 1 {
		t.Fatalf("%v %+v", err, visit)
	}
	ana := r.person(t, "ana", identity.Administrator)
	_, body := ana.get(mailboxes + "/messages/1")
	wantText(t, body, "It was in the mailbox before this account was registered.", "Act upon it now")
	if status, _ := ana.post(mailboxes + "/messages/1/act"); status != http.StatusSeeOther {
		t.Errorf("it is acted upon: %d", status)
	}
	if _, body := ana.get(mailboxes + "/messages/1"); strings.Contains(body, "Act upon it now") || !strings.Contains(body, "It led to nothing.") {
		t.Error("it was offered to everybody")
	}
	if status, _ := ana.post(mailboxes + "/messages/1/act"); status != http.StatusConflict {
		t.Errorf("it is offered once: %d", status)
	}
}

func TestTheServerOfAMailboxIsSuggested(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ana := h.person(t, "ana", identity.Administrator)
	suggestion := func(query string) string {
		t.Helper()
		status, body := ana.get(mailboxes + "/suggestion?" + query)
		if status != http.StatusOK {
			t.Fatal(status)
		}
		return body
	}
	user := "credential_id=-1&new_credential_username=alerts%40gmail.com"
	wantText(t, suggestion(user+"&protocol=imap"), "imap.gmail.com, port 993", "&#34;use_secure_connection&#34;:&#34;yes&#34;")
	wantText(t, suggestion(user+"&protocol=pop3"), "pop.gmail.com, port 995")
	for _, query := range []string{"", "credential_id=99", user + "&protocol=imap&address=imap.gmail.com"} {
		if body := suggestion(query); strings.Contains(body, "Use") {
			t.Errorf("%s is suggested %s", query, body)
		}
	}
}
