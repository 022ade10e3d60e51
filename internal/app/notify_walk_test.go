package app_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/mail/mailtest"
	"orbit/internal/notify"
	"orbit/web/browsertest"
)

const notifications = "/settings/notifications"

// until looks often whether something has happened.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if happened() {
			return
		}
	}
	t.Fatalf("it takes too long until %s", what)
}

// tick checks a box, in whatever fold it stands.
func tick(tab *browsertest.Tab, name, value string) {
	box := `input[name="` + name + `"][value="` + value + `"]`
	tab.Eval("document.querySelectorAll('details').forEach((d) => { d.open ||= d.querySelector(`" + box + "`) !== null; }), ''")
	tab.Click(`label:has(> ` + box + `)`)
	tab.Until("document.querySelector(`" + box + "`).checked")
}

// The administrator's walk: a contact, a notification, its text, an event, and what became of it.
func TestTheWalkOfTheNotification(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.defaultAccount(p, sink.Port)
	tab := h.enter(t)

	tab.Open(notifications + "/contacts/new")
	fill(tab, "name", "Maria Silva", "email", "maria@example.com", "department", "Operations", "time_zone", "America/Sao_Paulo")
	tab.Check("contact-new")
	tab.Follow(submit)
	tab.SeeText("main", "The contact Maria Silva is saved.")
	h.importContacts(tab)

	tab.Open(notifications + "/rules/new")
	fill(tab, "name", "Passwords that were seen")
	tick(tab, "event_types", "password.viewed")
	tick(tab, "contacts", "1")
	choose(tab, "quiet", "yes")
	choose(tab, "quiet", "no")
	tab.SeeText("#summary", "Told by e-mail: Maria Silva.")
	tab.Check("rule-new")
	tab.Follow(submit)
	tab.SeeText("main", "The notification Passwords that were seen is saved.")
	tab.Check("rules")
	tab.Open(notifications + "/rules/who")
	tab.Choose(`[name="type"]`, "password.viewed")
	tab.SeeText(".told", "Maria Silva")
	tab.Check("who")

	h.writeAText(tab)
	p.want(202, "POST", "/events", fields{"type": "password.viewed", "data": fields{"credential": "root@db-01", "responsible": "Ann Example", "device_hostname": "db-01"}})
	for range 2 { // the sample and the notification, in whatever order
		if mail := sink.Next(t); mail.To[0] == "maria@example.com" && !strings.Contains(string(mail.Data), "Subject: Seen: root@db-01") {
			t.Errorf("%s", mail.Data)
		}
	}
	h.seeWhatWasSent(t, tab)
	h.tellAnApplication(t, tab, p)
	h.seeJobs(t, tab)
}

// seeJobs opens River's own page, which works under its policy, and finds what it is asked to do in the trail.
func (h *house) seeJobs(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	tab.Open("/settings/jobs")
	tab.SeeText("body", "Completed")
	tab.Screenshot("jobs")
	tab.Eval(`fetch("/settings/jobs/api/jobs/cancel", {method: "POST", body: JSON.stringify({ids: ["1"]}), headers: {"Content-Type": "application/json"}}).then((r) => { document.body.dataset.status = r.status; }), ""`)
	tab.Until(`document.body.dataset.status !== undefined`)
	trail, _, err := audit.List(t.Context(), h.Pool, audit.Filter{Action: "job.cancel"})
	if err != nil || len(trail) != 1 || trail[0].Actor.Name != "ana" {
		t.Errorf("%+v, %v", trail, err)
	}
	answer := h.person(t, "oscar", identity.Operator).response("/settings/jobs/api/jobs")
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("an operator sees jobs: %d", answer.StatusCode)
	}
}

// importContacts has a look at a file before it is stored.
func (h *house) importContacts(tab *browsertest.Tab) {
	tab.Open(notifications + "/contacts/import")
	tab.Eval(`document.querySelector('[name="text"]').value = "name,email,department,language,group\nBen Costa,ben@example.com,Security,pt,Night shift\nMaria S.,maria@example.com,Operations,en,Night shift\n", ""`)
	tab.Follow(`main form.form button[type="submit"]`)
	tab.SeeText("main", "1 contact would be added, 1 changed")
	tab.Check("contacts-import")
	tab.Follow(`.import-head button`)
	tab.SeeText("main", "1 contact is added, 1 changed.")
	tab.Check("contacts")
	tab.Open(notifications + "/contacts/1")
	fill(tab, "name", "Maria Silva")
	tab.Follow(submit)
}

// writeAText changes the words of a mail, and sees them as they are typed.
func (h *house) writeAText(tab *browsertest.Tab) {
	tab.Open(notifications + "/texts")
	tab.Check("texts")
	tab.Open(notifications + "/texts/password.viewed/en")
	fill(tab, "subject", "Seen: ")
	tab.Click(`[data-insert="[#CREDENTIAL#]"]`)
	tab.SeeText(".mail-head", "Seen: root")
	fill(tab, "message", "Hello [#NOBODY#]")
	tab.SeeText(".findings", "There is no tag [#NOBODY#]")
	tab.Follow(submit)
	tab.SeeText(".error-summary", "There is no tag [#NOBODY#]")
	fill(tab, "message", "**[#RESPONSIBLE#]** has seen the password of [#CREDENTIAL#].\r\r| | |\r|---|---|\r| Device | [#DEVICE_HOSTNAME#] |")
	tab.SeeText("#preview", "Nothing to correct.")
	tab.Click(`button[formaction$="/sample"]`)
	tab.SeeText("#sample-said", "A sample is on its way to ana@example.com.")
	tab.Check("text-editor")
	tab.Follow(submit)
	tab.SeeText("main", "is saved")
}

// seeWhatWasSent finds the message and follows its time line.
func (h *house) seeWhatWasSent(t *testing.T, tab *browsertest.Tab) {
	t.Helper()
	until(t, "the message is sent", func() bool {
		rows, _, err := h.Notify.List(t.Context(), notify.Filter{Recipient: "maria@example.com", State: notify.Sent})
		return err == nil && len(rows) == 1
	})
	tab.Open(notifications + "/sent")
	tab.SeeText(".report-table", "Seen: root@db-01")
	tab.Check("sent")
	tab.Open(notifications + "/sent?recipient=maria@example.com")
	tab.Follow(`th.row-name a`)
	tab.SeeText(".timeline", "Attempt 1 through Relay: 250")
	tab.Check("sent-message")
}

// tellAnApplication adds a webhook, whose receiver is down, and the bell of whoever is signed in.
func (h *house) tellAnApplication(t *testing.T, tab *browsertest.Tab, p program) {
	t.Helper()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "under maintenance", http.StatusServiceUnavailable)
	}))
	defer receiver.Close()
	tab.Open(notifications + "/webhooks/new")
	fill(tab, "name", "Access portal", "url", receiver.URL+"/orbit")
	choose(tab, "active", "yes")
	tab.Check("webhook-new")
	tab.Follow(submit)
	tab.SeeText("main", "This secret is shown once.")
	tab.Open(notifications + "/webhooks/1/messages")
	tab.Follow(`.page-tools button[type="submit"]`)
	until(t, "the webhook is tried", func() bool {
		attempts, err := h.Notify.WebhookAttempts(t.Context(), 1)
		return err == nil && len(attempts) > 0 && attempts[0].EndedAt != nil
	})
	tab.Open(notifications + "/webhooks/1/messages/1")
	tab.SeeText(".timeline", "refused with status 503")
	tab.Check("webhook-message")

	found, err := h.Identity.UsersNamed(t.Context(), []string{"ana"})
	if err != nil {
		t.Fatal(err)
	}
	c := notify.NewContact()
	c.Name, c.UserID = "Ana Lima", found[0].ID
	if c, err = h.Notify.CreateContact(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	rule := notify.RuleChange{RuleSettings: notify.RuleSettings{Name: "On my screen", Active: true, OnScreen: true}, EventTypes: []string{"session.started"}, ContactIDs: []int64{c.ID}}
	if _, err := h.Notify.CreateRule(t.Context(), rule); err != nil {
		t.Fatal(err)
	}
	p.want(202, "POST", "/events", fields{"type": "session.started", "data": fields{"responsible": "Ann Example", "device_hostname": "db-01"}})
	tab.Open(notifications + "/event-types/session.started")
	tab.Click(`[popovertarget="bell-menu"]`)
	tab.SeeText("#bell-menu", "Session started")
	tab.Check("bell")
	tab.Open("/notices")
	tab.Check("notices")
}

// The approver's walk: a mail, its link, signing in, a decision, and the list of them.
func TestTheWalkOfTheApprover(t *testing.T) {
	t.Parallel()
	sink := mailtest.Sink(t)
	h := newHouse(t)
	p := h.program(t, identity.Administrator)
	h.defaultAccount(p, sink.Port)
	admin := h.enter(t)
	ben := h.approver(t, "ben")
	zoe := h.approver(t, "zoe")
	p.want(201, "POST", "/approver-groups", fields{"name": "Databases", "approvals_required": 1, "members": []fields{{"user_id": ben.ID, "level": 1}, {"user_id": zoe.ID, "level": 1}}})
	link := h.asked(t, p, sink, "ben@example.com", "Replace the power supply of the primary. The standby takes over meanwhile.")

	tab := browsertest.New(t, h.url)
	tab.Open(link + "?answer=approve")
	fill(tab, "username", "ben", "password", password)
	tab.Follow(submit)
	tab.SeeText("h1", "Access request S")
	tab.Check("decide")
	tab.Follow(submit)
	tab.SeeText("h1", "Success. Request approved.")
	tab.Check("decided")
	h.asked(t, p, sink, "ben@example.com", "Read the slow query log.")
	tab.Open("/approvals")
	tab.Check("approvals")
	tab.Follow(`th.row-name a`)
	tab.Check("approval")
	tab.Open("/approvals/1/revoke")
	tab.Check("approval-revoke")

	admin.Open("/settings/approver-groups/1")
	admin.Check("approver-group")
	h.invited(t, sink)
}

// asked posts a request and returns the path in the mail to an approver.
func (h *house) asked(t *testing.T, p program, sink *mailtest.SinkServer, approver, why string) string {
	t.Helper()
	p.want(201, "POST", "/access-requests", fields{
		"requester": fields{"name": "Rita Reyes", "email": "rita@example.com"}, "approver_group": "Databases", "device_hostname": "db-01.example.com", "device_ip": "192.0.2.10",
		"credential_username": "root", "credential_type": "Local user", "action": "Start session", "reason": "Maintenance", "governance_id": "CHG0042", "justification": why,
		"end": time.Now().Add(2 * time.Hour).Format(time.RFC3339),
	})
	for {
		mail := sink.Next(t)
		if mail.To[0] != approver {
			continue
		}
		if found := regexp.MustCompile(`/decide/[A-Za-z0-9_-]{32}`).FindString(unfolded(string(mail.Data))); found != "" {
			return found
		}
	}
}

// invited follows the mail to somebody new.
func (h *house) invited(t *testing.T, sink *mailtest.SinkServer) {
	t.Helper()
	eva := h.approver(t, "eva")
	if err := h.Identity.Invite(t.Context(), eva.ID); err != nil {
		t.Fatal(err)
	}
	for {
		mail := sink.Next(t)
		if found := regexp.MustCompile(`/invitation/[A-Za-z0-9_-]+`).FindString(unfolded(string(mail.Data))); found != "" {
			tab := browsertest.New(t, h.url)
			tab.Open(found)
			tab.SeeText("h1", "Welcome, Eva")
			tab.Check("invitation")
			return
		}
	}
}
