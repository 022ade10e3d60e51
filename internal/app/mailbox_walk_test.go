package app_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/mailtest"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/mailbox"
	"orbit/internal/sandbox/sandboxtest"
	"orbit/internal/vault"
	"orbit/web/browsertest"
)

const (
	mailboxes   = "/settings/notifications/imap-pop3"
	firstInbox  = mailboxes + "/1/inbox"
	mailAddress = "alerts@example.com"
)

// The walk of the document's second half: Settings > Notifications > IMAP/POP3 Configuration > New, fill in, Save, Test
// configuration, and then what the document leaves out: what arrives is seen. The provider takes a password.
func TestTheWalkOfTheMailbox(t *testing.T) {
	t.Parallel()
	provider := sandboxtest.New(t, sandbox.Options{Identity: idp.Options{Mailboxes: []idp.Mailbox{{Address: mailAddress, Password: "tr0ub4dor"}}}})
	h := newHouse(t)
	h.sender(t, provider)
	tab := h.enter(t)
	tab.Open("/settings")
	tab.Follow(`#side-menu a[href="` + mailboxes + `"]`)
	tab.Screenshot("mailbox-empty")
	tab.Follow(`.nothing a[href="` + mailboxes + `/new"]`)
	tab.Check("mailbox-new")
	tab.Follow(submit) // nothing filled in: everything wrong is said at once
	tab.SeeText(".error-summary", "Address is required")
	tab.Screenshot("mailbox-new-problems")

	h.fillMailbox(tab, provider)
	tab.SeeText("#summary", "signs in as "+mailAddress+" with a password")
	tab.Follow(submit)
	tab.SeeText("main", "Answers is saved")

	tab.Click(`#mailbox-1 .dots`)
	tab.Screenshot("mailbox-row-menu")
	tab.Click(`#mailbox-1 .menu a[href="` + mailboxes + `/1/test"]`)
	tab.SeeText("dialog", "Nothing in the mailbox is changed")
	tab.Screenshot("mailbox-test-window")
	tab.Click(submitWindow)
	tab.SeeText("dialog", "Orbit can read the mailbox: INBOX has 0 messages.")
	tab.Check("mailbox-test")
	tab.Open(mailboxes + "/1/tests")
	tab.SeeText("main", "Opened")

	h.seeArrivals(t, tab, provider)
	h.walkTheLoop(t, tab)
}

// sender registers an account that sends through the provider.
func (h *house) sender(t *testing.T, provider *sandbox.Sandbox) account.SMTP {
	t.Helper()
	s := account.NewSMTPSettings()
	s.AccountName, s.SenderEmail, s.DefaultAccount, s.CredentialID = "Office365", mailAddress, true, account.NewCredentialID
	s.SMTPHost, s.Port, s.CertificateRule, s.CertificateCA = "localhost", provider.Ports.PasswordSMTP, dial.CustomCA, provider.Certificate.CA
	stored, err := h.Accounts.CreateSMTP(t.Context(), account.SMTPChange{
		SMTPSettings: s, Secret: vault.NewSecret("tr0ub4dor"), NewCredential: account.NewCredential{Name: "Alert mailbox", Username: mailAddress},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// fillMailbox fills in the form of the provider's mailbox, with a credential that is stored and a new destination.
func (h *house) fillMailbox(tab *browsertest.Tab, provider *sandbox.Sandbox) {
	fill(tab, "account_name", "Answers", "address", "localhost")
	tab.Choose(`[name="protocol"]`, "pop3")
	tab.Until(`document.querySelector('[name="port"]').value === "995"`) // the port goes with the protocol
	tab.Choose(`[name="protocol"]`, "imap")
	fill(tab, "port", strconv.Itoa(provider.Ports.PasswordIMAP))
	choose(tab, "secure_connection_type", "tls")
	tab.Choose(`[name="credential_id"]`, "1")
	fill(tab, "secret", "tr0ub4dor")
	choose(tab, "certificate_rule", "custom_ca")
	tab.Eval(`document.querySelector('[name="certificate_ca"]').value = ` + strconv.Quote(provider.Certificate.CA))
	tab.SeeText("#summary", "localhost:"+strconv.Itoa(provider.Ports.PasswordIMAP)+" by IMAP with STARTTLS")
	tab.Click(`.section-body .fold summary`)
	fill(tab, "authserv_id", "mx.example.com")
}

// seeArrivals has mail arrive while somebody looks, and reads it.
func (h *house) seeArrivals(t *testing.T, tab *browsertest.Tab, provider *sandbox.Sandbox) {
	t.Helper()
	tab.Open(firstInbox)
	tab.SeeText("main", "Nothing received yet")
	tab.Screenshot("inbox-empty")
	deliver(t, provider, mailFile(t, "letter.eml"))
	tab.SeeText(".inbox-news", "1 new message")
	deliver(t, provider, mailFile(t, "bounce.eml"))
	tab.SeeText(".inbox-news", "2 new messages")
	tab.Follow(`.inbox-news a`)
	tab.Check("inbox")
	tab.Open(mailboxes)
	tab.SeeText("#mailbox-1", "Watching")
	tab.Check("mailbox-report")
	tab.Click(`#mailbox-1 .dots`)
	tab.Click(`#mailbox-1 .menu a[href="` + mailboxes + `/1/check"]`)
	tab.SeeText("dialog", "Nothing new.")
	tab.Check("mailbox-check")

	tab.Open(firstInbox + "?class=other")
	tab.Follow(`th.row-name a`)
	tab.SeeText("h1", "Quarterly access review")
	tab.SeeText(".message-aside", "The address in From is genuine, says mx.example.com.")
	tab.Eval(`document.querySelectorAll("details.fold").forEach((d) => { d.open = true; }), ""`)
	tab.Until(`document.querySelector("iframe").contentWindow !== null`)
	tab.Check("message")
	tab.Open(mailboxes + "/messages/1/source")
	tab.SeeText("main", "Content-Type: multipart/")
	tab.Open(firstInbox + "?class=bounce")
	tab.Follow(`th.row-name a`)
	tab.SeeText("main", "Not delivered to")
	tab.Check("message-bounce")
}

// walkTheLoop sends a message to oneself and reads what became of it.
func (h *house) walkTheLoop(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.Open(mailboxes + "/1/loop")
	tab.Screenshot("loop-new")
	h.remember(t)
	tab.Follow(submit)
	tab.SeeText(".loop-latest", "Arrived")
	tab.SeeText(".loop-latest", "after the mail server had taken it")
	fill(tab, "every_minutes", "60")
	tab.Follow(`button[formaction$="/schedule"]`)
	tab.SeeText("main", "every hour through Office365")
	tab.Open(mailboxes + "/1/loop")
	tab.SeeText(".trend", "1 did not")
	tab.Check("loop")
	seeTheNewest(tab)
}

// seeTheNewest: on a phone the graph is wider than the page, and begins at its newest end.
func seeTheNewest(tab *browsertest.Tab) {
	tab.Size(390, 844)
	defer tab.Size(1280, 800)
	tab.Open(mailboxes + "/1/loop")
	tab.Until(`(() => {
		const frame = document.querySelector(".trend .table-scroll"), seen = frame.getBoundingClientRect();
		const points = [...document.querySelectorAll(".trend-point")].map((p) => p.getBoundingClientRect());
		return frame.scrollWidth > frame.clientWidth && points.at(-1).right <= seen.right && points[0].right < seen.left;
	})()`)
}

// remember makes up a day of loop tests, for the graph.
func (h *house) remember(t *testing.T) {
	t.Helper()
	_, err := h.Pool.Exec(t.Context(), `
		insert into loop_test (mailbox_account_id, smtp_account_id, smtp_account_name, address, nonce, state, started_at, sent_at, ended_at, folder)
		select 1, 1, 'Office365', 'alerts@example.com', 'remembered-' || n, case when n = 9 then 'lost' else 'arrived' end,
			now() - n * interval '1 hour', now() - n * interval '1 hour',
			now() - n * interval '1 hour' + (2.4 + 1.9 * sin(n) + 0.4 * cos(3 * n)) * interval '1 second', 'INBOX'
		from generate_series(24, 1, -1) n`)
	if err != nil {
		t.Fatal(err)
	}
}

func mailFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// deliver has a message, written with line feeds alone, arrive at the provider.
func deliver(t *testing.T, provider *sandbox.Sandbox, message string) {
	t.Helper()
	if err := provider.Mail.Deliver(mailAddress, mailbox.Message{Raw: []byte(strings.ReplaceAll(message, "\n", "\r\n"))}); err != nil {
		t.Fatal(err)
	}
}

// A message may hold whatever its writer likes. Its page shows the letter, loads nothing and runs nothing. The server is
// a real Dovecot.
func TestAHostileMessageDoesNothing(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer trap.Close()
	dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	h := newHouse(t)
	m := account.NewMailboxSettings()
	m.AccountName, m.Address, m.Port, m.CertificateRule, m.CertificateCA = "Answers", "localhost", dovecot.IMAPS, dial.CustomCA, dovecot.Cert.CA
	m.CredentialID = account.NewCredentialID
	if _, err := h.Accounts.CreateMailbox(t.Context(), account.MailboxChange{
		MailboxSettings: m, Secret: vault.NewSecret(mailtest.Password), NewCredential: account.NewCredential{Name: "Mailbox", Username: mailtest.User},
	}); err != nil {
		t.Fatal(err)
	}
	dovecot.Deliver(t, mailtest.User, []byte(strings.ReplaceAll(mailFile(t, "hostile.eml"), "http://trap.example", trap.URL)))
	tab := h.enter(t)
	tab.Open(firstInbox)
	tab.SeeText(".inbox-news, .report-table", "1 ")
	tab.Open("/settings/notifications/imap-pop3/messages/1")
	tab.SeeText("h1", "<script>document.title = \"owned\"</script>")
	tab.Eval(`document.querySelectorAll("details.fold").forEach((d) => { d.open = true; }), ""`)
	tab.SeeText("main", "not loaded and")
	tab.Check("message-hostile")
	if title := tab.Eval("document.title"); strings.Contains(title, "owned") && !strings.Contains(title, "<script>") {
		t.Errorf("the message changed the page: %s", title)
	}

	tab.Open("/settings/notifications/imap-pop3/messages/1/html") // even alone it is in its sandbox
	tab.SeeText("body", "Please approve")
	if got := tab.Eval(`[window.origin, document.title, document.scripts.length, document.forms.length, location.pathname].join(" ")`); got != "null  0 0 /settings/notifications/imap-pop3/messages/1/html" {
		t.Errorf("the document is %q", got)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the message made the browser ask %d times", n)
	}

	ana := h.person(t, "olga", identity.Auditor)
	response := ana.response("/settings/notifications/imap-pop3/messages/1/parts/" + hostilePart(t, h))
	defer response.Body.Close()
	if got := response.Header.Get("Content-Disposition"); got != `attachment; filename=evil.html` {
		t.Errorf("the attachment is called %s", got)
	}
	if got := response.Header.Get("Content-Type"); got != "application/octet-stream" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the attachment is %s", got)
	}
}

// hostilePart is the number of the only attachment.
func hostilePart(t *testing.T, h *house) string {
	t.Helper()
	found, err := h.Inbox.Find(t.Context(), 1)
	if err != nil || len(found.Read.Attachments) != 1 {
		t.Fatalf("%v %+v", err, found.Read.Attachments)
	}
	return strconv.Itoa(found.Read.Attachments[0].Part)
}

// response answers with the whole answer.
func (p person) response(path string) *http.Response {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	answer, err := p.http.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}
