package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/notify/text"
	"orbit/internal/postgres"
)

const (
	rules    = "/settings/notifications/rules"
	contacts = "/settings/notifications/contacts"
	texts    = "/settings/notifications/texts"
	sentList = "/settings/notifications/sent"
	webhooks = "/settings/notifications/webhooks"
)

// contact stores somebody who can be told.
func (s *site) contact(name, email string) notify.Contact {
	s.t.Helper()
	c := notify.NewContact()
	c.Name, c.Email = name, email
	c, err := s.notify.CreateContact(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// happen posts an event; nothing sends what it causes.
func (s *site) happen(e notify.Event) notify.Accepted {
	s.t.Helper()
	var done notify.Accepted
	err := postgres.InTx(s.t.Context(), s.pool, func(tx pgx.Tx) (err error) {
		done, err = s.notify.PostTx(s.t.Context(), tx, e)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

// told is a rule that tells contacts of a viewed password.
func (s *site) told(name string, change func(*notify.RuleChange), whom ...notify.Contact) notify.Rule {
	s.t.Helper()
	c := notify.RuleChange{RuleSettings: notify.NewRuleSettings(), EventTypes: []string{"password.viewed"}}
	c.Name = name
	for _, w := range whom {
		c.ContactIDs = append(c.ContactIDs, w.ID)
	}
	if change != nil {
		change(&c)
	}
	rule, err := s.notify.CreateRule(s.t.Context(), c)
	if err != nil {
		s.t.Fatal(err)
	}
	return rule
}

func viewed(credential string) notify.Event {
	return notify.Event{Type: "password.viewed", Data: map[string]any{"credential": credential, "responsible": credential, "credential_username": credential}}
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func TestNotificationRules(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	s.somebody("olga", identity.Auditor)
	maria := s.contact("Maria", "maria@example.com")
	ada := s.as("ada")
	ada.get(rules).is(http.StatusOK, "Nobody is told of anything yet", "Who would receive this?")
	ada.get(rules+"/new").is(http.StatusOK, "Certificates expire in 90 days (consolidated)", "Maria", "No event is chosen yet.")
	ada.post(rules, "name", "", "by_email", "no", "digest", "now").is(http.StatusUnprocessableEntity, "Enter a name.", "Choose at least one event.", "Choose at least one channel.")
	form := func(changed ...string) []string {
		return append([]string{
			"name", "Viewed", "active", "yes", "by_email", "no", "by_email", "yes", "on_screen", "no", "by_webhook", "no", "only_contacts_with_access", "no",
			"event_types", "password.viewed", "event_types", "password.failed", "contacts", id(maria.ID), "quiet", "no", "quiet_from", "22:00", "quiet_until", "06:00",
		}, changed...)
	}
	ada.post(rules, form("digest", "daily", "digest_at", "07:30")...).leads(rules)
	ada.get(rules).is(http.StatusOK, "Viewed", "ada", "The notification Viewed is saved.", "/who?type=password.viewed")
	ada.get(rules+"?format=csv").is(http.StatusOK, "1,Viewed,Yes,Yes,No,No,No,")
	ada.get(rules+"?enabled=no").is(http.StatusOK, "Nothing matches the filters")
	ada.get(rules+"/1").is(http.StatusOK, "2 of 3", `value="07:30"`, "Collected and told daily at 07:30.")
	ada.post(rules+"/summary", form("digest", "collect", "digest_minutes", "5", "quiet", "yes")...).is(http.StatusOK,
		"Password viewed and 1 other event", "Told by e-mail: Maria.", "Collected for 5 minutes, but not from 22:00 to 06:00")
	ada.post(rules+"/1", form("digest", "now", "version", "1", "name", "Seen")...).leads(rules)
	ada.post(rules+"/1", form("digest", "now", "version", "1")...).is(http.StatusConflict, "changed this while you were working", `name="version" value="2"`)
	ada.get(rules+"/1/disable").is(http.StatusOK, "Disable Seen?")
	ada.post(rules + "/1/disable").leads(rules)
	ada.get(rules+"?enabled=no").is(http.StatusOK, "Enable setting")
	ada.post(rules + "/1/enable").leads(rules)
	ada.get(rules+"/contacts?find=mar&contacts=1").is(http.StatusOK, `value="1" checked`)
	ada.get(rules+"/contacts?find=zoe").is(http.StatusOK, "Nobody matches “zoe”.")

	olga := s.as("olga")
	olga.get(rules+"/1").is(http.StatusOK, "disabled").hides(`type="submit" data-busy>Save`)
	olga.post(rules+"/1", form()...).is(http.StatusForbidden)
	ada.post(rules + "/1/delete").leads(rules)
	ada.get(rules + "/1").is(http.StatusNotFound)
}

func TestWhoWouldReceiveAnEvent(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	maria, ben := s.contact("Maria", "maria@example.com"), s.contact("Ben", "ben@example.com")
	s.told("Everybody", nil, maria)
	s.told("Who has access", func(c *notify.RuleChange) { c.OnlyContactsWithAccess = true }, ben)
	ada := s.as("ada")
	ada.get(rules+"/who").is(http.StatusOK, "Choose an event")
	ada.get(rules+"/who?type=session.started").is(http.StatusOK, "No enabled notification names this event")
	who := ada.get(rules+"/who?type=password.viewed").is(http.StatusOK, "1 notification would leave", "Maria", "Not by e-mail", "admin@router-7", "Password Viewed, English")
	if told, not := strings.Index(who.body, "Maria</strong>"), strings.Index(who.body, "Ben</strong>"); told > not {
		t.Error("who is told stands first")
	}
	ada.get(rules+"/who?type=password.viewed&access=ben@example.com").is(http.StatusOK, "2 notifications would leave")
	ada.get(rules+"/who?type=password.viewed&data.credential=").is(http.StatusOK, "needs the field credential", "Nobody would be told")
	ada.get(rules+"/who?type=access_request.created&data.level=many").is(http.StatusOK, "A number holds something else than digits.")
}

func TestContacts(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	ada := s.as("ada")
	ada.get(contacts).is(http.StatusOK, "No contact yet")
	ada.post(contacts, "name", "Maria", "email", "maria@").is(http.StatusUnprocessableEntity, "“maria@” is not an e-mail address.")
	ada.post(contacts, "name", "Maria", "email", "maria@example.com", "department", "Operations", "language", "pt", "time_zone", "America/Sao_Paulo", "active", "yes").leads(contacts)
	ada.get(contacts+"?search=OPER").is(http.StatusOK, "maria@example.com", "Portugu")
	ada.post(contacts+"/1", "name", "Maria", "email", "maria@example.com", "version", "9").is(http.StatusConflict, "changed this while you were working")
	if _, err := s.pool.Exec(t.Context(), "update contact set bounced_at = now(), bounce_text = '5.1.1 no such user'"); err != nil {
		t.Fatal(err)
	}
	ada.get(contacts+"?bounced=yes").is(http.StatusOK, "Mail came back", "5.1.1 no such user", "Mail arrives again")
	ada.get(contacts+"/1").is(http.StatusOK, "came back", "saving the contact makes mail go to it again")
	ada.post(contacts + "/1/reachable").leads(contacts)
	ada.get(contacts+"?bounced=yes").is(http.StatusOK, "Nothing matches")

	ada.get(contacts+"/import").is(http.StatusOK, "The first line names the columns")
	ada.post(contacts+"/import", "text", "").is(http.StatusUnprocessableEntity, "Choose a file")
	ada.post(contacts+"/import", "text", "name,email\nBen,ben@\n,zoe@example.com").is(http.StatusUnprocessableEntity, "Line 2, email:", "Line 3, name: Enter a name.").hides(">Import<")
	file := "name,email,group\nBen,ben@example.com,Night\nMaria S,maria@example.com,\n"
	ada.post(contacts+"/import", "text", file).is(http.StatusOK, "1 contact would be added, 1 changed", ">Import<")
	if _, total, _ := s.notify.ListContacts(t.Context(), notify.ContactFilter{}); total != 1 {
		t.Error("a preview stores something")
	}
	ada.post(contacts+"/import", "text", file, "store", "yes").leads(contacts)
	ada.get(contacts+"?group=1").is(http.StatusOK, "1 contact is added, 1 changed.", "ben@example.com").hides("maria@example.com")

	groups := contacts + "/groups"
	ada.get(groups).is(http.StatusOK, "Night", "1")
	ada.post(groups, "name", "night").is(http.StatusUnprocessableEntity, "already a group called night")
	ada.post(groups+"/1", "name", "Night shift", "contacts", "1", "contacts", "2", "version", "1").leads(groups)
	ada.get(groups+"/1").is(http.StatusOK, "Night shift", `value="2" checked`)
	ada.post(groups+"/1", "name", "Day", "version", "1").is(http.StatusConflict)
	ada.post(groups + "/1/delete").leads(groups)
	ada.post(contacts + "/1/delete").leads(contacts)
	ada.get(contacts+"?format=csv").is(http.StatusOK, "Ben,ben@example.com,").hides("Maria")
}

func TestOwnEventTypes(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	ada := s.as("ada")
	types := "/settings/notifications/event-types"
	ada.get(types+"?search=expire").is(http.StatusOK, "certificate.expiring_90")
	ada.get(types+"/password.viewed").is(http.StatusOK, "belongs to Orbit")
	ada.post(types, "name", "Backup", "title", "", "category", "Backups").is(http.StatusUnprocessableEntity, "small letters, digits", "Enter a name.")
	ada.post(types, "name", "password.viewed", "title", "x", "category", "y").is(http.StatusUnprocessableEntity, "Orbit has an event type of this name itself")
	fields := []string{
		"name", "backup.failed", "title", "Backup failed", "category", "Backups", "field_0_name", "host", "field_0_kind", "text", "field_0_required", "yes", "field_0_sample", "db-1",
		"field_1_name", "size", "field_1_kind", "number", "field_1_sample", "7",
	}
	ada.post(types, fields...).leads(types)
	ada.post(types, fields...).is(http.StatusUnprocessableEntity, "There is an event type of this name already.")
	ada.get(types+"/backup.failed").is(http.StatusOK, `value="db-1"`, "&#34;size&#34;: 7")
	ada.post(types+"/backup.failed", "title", "Backup broke", "category", "Backups", "field_0_name", "host", "field_0_kind", "colour").is(http.StatusUnprocessableEntity, "must be text, time, number or list")
	ada.post(types+"/backup.failed", "title", "Backup broke", "category", "Backups", "field_0_name", "host", "field_0_kind", "text").leads(types)
	ada.get(texts+"?search=broke").is(http.StatusOK, "Backup broke", "Configure text")
	ada.post(types+"/password.viewed", "title", "x").is(http.StatusConflict, "belongs to Orbit")
	ada.post(types + "/backup.failed/delete").leads(types)
	ada.get(types + "/backup.failed").is(http.StatusNotFound)
}

func TestTexts(t *testing.T) {
	s := newSite(t)
	u := s.somebody("ada", identity.Administrator)
	u.Email = "ada@example.com"
	if _, err := s.identity.UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	ada := s.as("ada")
	asked := texts + "/access_request.created.approver/en"
	ada.get(texts+"?language=en&search=Request+Created").is(http.StatusOK, "Request Created: Approver", "Configure text", "Access request - [#DEVICE_HOSTNAME#] ([#DEVICE_IP#])")
	page := ada.get(asked).is(http.StatusOK, "[#LINK_APPROVE#]", "Nothing to correct.", "Send a sample to me", `target="text-preview"`).hides("Restore built-in")
	if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	bad := []string{"subject", "S [#NOBODY#]", "message", "Hello <script>alert(1)</script>", "active", "yes"}
	ada.post(asked+"/preview", bad...).is(http.StatusOK, "There is no tag [#NOBODY#]", "decision link is missing").hides("<script>alert")
	html := ada.post(asked+"/html", bad...).is(http.StatusOK, "Hello").hides("<script")
	if policy := html.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox;") {
		t.Errorf("policy of the frame %q", policy)
	}
	ada.post(asked, bad...).is(http.StatusUnprocessableEntity, "There is no tag [#NOBODY#]", "Hello &lt;script&gt;")
	good := []string{"subject", "Please decide [#REQUEST_CODE#]", "message", "[#LINK_APPROVE#] [#LINK_REJECT#]", "active", "yes"}
	ada.post(asked, good...).leads(texts)
	ada.get(texts+"?own=yes").is(http.StatusOK, "Please decide [#REQUEST_CODE#]", "Edit text", "Restore built-in")
	ada.get(asked).is(http.StatusOK, `name="version" value="1"`, "Restore built-in", "Please decide S")
	ada.post(asked, append(good, "version", "7")...).is(http.StatusConflict, "changed this while you were working", `name="version" value="1"`)
	ada.post(asked+"/sample", good...).is(http.StatusOK, "A sample is on its way to ada@example.com")
	ada.get(sentList).is(http.StatusOK, "ada@example.com")
	ada.get(texts + "/access_request.created.approver/fr").is(http.StatusNotFound)
	ada.get(texts + "/nothing/en").is(http.StatusNotFound)
	ada.post(asked + "/restore").leads(texts)
	ada.get(texts+"?own=yes").is(http.StatusOK, "Nothing matches")
}

func TestTheListOfWhatWasSent(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	s.somebody("olga", identity.Auditor)
	ada := s.as("ada")
	ada.get(sentList).is(http.StatusOK, "Nothing was sent yet")
	s.told("Viewed", nil, s.contact("Maria <b>", "maria@example.com"), s.contact("Ben", "ben@example.com"))
	first := s.happen(viewed("root@<i>db</i>"))
	for range 20 {
		s.happen(viewed("root@db-01"))
	}
	ada.get(sentList).is(http.StatusOK, "Older messages", "Queued", "Password Viewed", "Pick ben@example.com")
	page := ada.get(sentList+"?recipient=maria&event="+id(first.ID)).is(http.StatusOK, "maria@example.com").hides("ben@example.com")
	_, rest, _ := strings.Cut(page.body, sentList+"/")
	number, _, _ := strings.Cut(rest, `"`)
	one := sentList + "/" + number
	if _, err := strconv.Atoi(number); err != nil {
		one = sentList + "/1"
	}
	ada.get(one).is(http.StatusOK, "What happened", "Event "+id(first.ID)+": Password viewed", "Rule: Viewed", "Queued for", "root@&lt;i&gt;db").hides("root@<i>")
	frame := ada.get(one+"/html").is(http.StatusOK, "root@&lt;i&gt;db")
	if policy := frame.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox;") {
		t.Errorf("policy of the frame %q", policy)
	}
	ada.get(one+"/source").is(http.StatusConflict, "nobody has tried to send it")
	ada.get(sentList+"?format=csv").is(http.StatusOK, "ID,Sending date (UTC)")
	ada.get(sentList + "?after=nonsense").is(http.StatusUnprocessableEntity)
	ada.get(sentList + "/999999").is(http.StatusNotFound)

	act := func(who *guest, pairs ...string) answer { return who.post(sentList+"/act", pairs...) }
	act(ada, "action", "pause").leads("/")
	act(ada, "action", "pause", "id", "1", "id", "2").leads("/")
	ada.get(sentList+"?state=paused").is(http.StatusOK, "2 messages are paused.")
	ada.do(http.MethodPost, sentList+"/act?action=resume&one=1", url.Values{}).leads("/")
	ada.get(sentList+"?state=paused").is(http.StatusOK, "1 message is resumed.")
	act(ada, "action", "cancel", "all", "yes", "query", "recipient=ben%40example.com").is(http.StatusOK, "Cancel all that match?", "ben@example.com", `name="sure"`)
	act(ada, "action", "cancel", "all", "yes", "query", "recipient=ben%40example.com", "sure", "yes").leads(sentList + "?recipient=ben%40example.com")
	rows, _, err := s.notify.List(t.Context(), notify.Filter{State: notify.Cancelled, PerPage: 100})
	if err != nil || len(rows) != 21 {
		t.Errorf("%d cancelled, %v", len(rows), err)
	}
	act(ada, "action", "explode", "id", "1").is(http.StatusUnprocessableEntity, "pause, resume, retry and cancel")
	act(s.as("olga"), "action", "cancel", "id", "1").is(http.StatusForbidden)
	s.as("olga").get(sentList).is(http.StatusOK).hides(`id="bulk"`)
}

func TestWhatDecidesIsHidden(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	link := "https://orbit.example.com/decide/0123456789abcdef"
	values := text.Values{}
	values.SetLink("APPROVE", link+"?answer=approve")
	values.SetLink("REJECT", link+"?answer=reject")
	err := postgres.InTx(t.Context(), s.pool, func(tx pgx.Tx) error {
		m := notify.Message{To: "ana@example.com", TextType: "access_request.created.approver", Confidential: true, Hidden: []string{"URL_APPROVE", "URL_REJECT"}, Values: values}
		_, err := s.notify.SendTx(t.Context(), tx, m)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ada := s.as("ada")
	ada.get(sentList+"/1").is(http.StatusOK, "Links that decide are hidden", "••••").hides("0123456789abcdef", "/source")
	ada.get(sentList + "/1/html").is(http.StatusOK).hides("0123456789abcdef")
	ada.get(sentList+"/1/source").is(http.StatusConflict, "its source is not shown")
}

func TestWebhooks(t *testing.T) {
	s := newSite(t)
	s.somebody("ada", identity.Administrator)
	ada := s.as("ada")
	ada.get(webhooks).is(http.StatusOK, "No webhook yet")
	ada.post(webhooks, "name", "Portal", "url", "ftp://x").is(http.StatusUnprocessableEntity, "begins with https://")
	made := ada.post(webhooks, "name", "Portal", "url", "https://portal.example.com/orbit", "active", "yes", "use_network_connector", "no").is(http.StatusOK, "whsec_", "shown once")
	_, secret, _ := strings.Cut(made.body, "whsec_")
	secret = secret[:20]
	ada.get(webhooks+"/1").is(http.StatusOK, "https://portal.example.com/orbit").hides(secret)
	ada.post(webhooks+"/1", "name", "Portal", "url", "https://portal.example.com/o", "active", "yes", "version", "7").is(http.StatusConflict)
	ada.post(webhooks+"/1", "name", "Portal", "url", "https://portal.example.com/o", "active", "yes", "version", "1").leads(webhooks)
	ada.post(webhooks + "/1/test").leads(webhooks + "/1/messages/1")
	ada.get(webhooks+"/1/messages").is(http.StatusOK, "orbit.test", "Queued", "Send a test")
	ada.get(webhooks+"/1/messages/1").is(http.StatusOK, "Nobody has tried yet.", "This is a test.").hides("Send again")
	ada.post(webhooks+"/1/messages/1/retry").is(http.StatusConflict, "on its way already")
	ada.get(webhooks + "/1/messages/2").is(http.StatusNotFound)
	ada.post(webhooks+"/1/secret").is(http.StatusOK, "whsec_").hides(secret)
	ada.get(webhooks+"?format=csv").is(http.StatusOK, "1,Portal,https://portal.example.com/o,Yes")
	ada.post(webhooks + "/1/delete").leads(webhooks)
}

func TestTheBell(t *testing.T) {
	s := newSite(t)
	eva := s.somebody("eva", identity.Member)
	s.somebody("olga", identity.Auditor)
	c := notify.NewContact()
	c.Name, c.UserID = "Eva", eva.ID
	c, err := s.notify.CreateContact(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.told("On screen", func(c *notify.RuleChange) { c.ByEmail, c.OnScreen = false, true }, c)
	s.happen(viewed("root@<i>db</i>"))
	page := s.as("eva")
	page.get("/").is(http.StatusOK, "nothing needs attention, 1 unread")
	page.get("/notices/newest").is(http.StatusOK, "notice-1", "new")
	page.get("/notices").is(http.StatusOK, "root@&lt;i&gt;db", "Mark all as read").hides("root@<i>")
	s.as("olga").post("/notices/read", "id", "1").leads("/notices")
	page.get("/").is(http.StatusOK, "1 unread")
	page.post("/notices/read").leads("/notices")
	page.get("/notices").is(http.StatusOK).hides("Mark all as read", "unread")
	s.as("olga").get("/notices").is(http.StatusOK, "Nothing yet")

	ana := s.approver("ana")
	s.request(nil, ana)
	s.as("ana").get("/").is(http.StatusOK, "1 access request waits for your decision.")
	s.as("olga").get("/").hides("waits for your decision")
}
